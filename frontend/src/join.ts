import { JoinElement } from "./sharing/join-element.js";

const host = document.getElementById("join");
if (host !== null) {
  const element = new JoinElement();
  element.begin(location.hash.slice(1), Number(host.dataset["longest"]));
  // The link is a secret: it stays neither in the address nor in the history.
  history.replaceState(null, "", location.pathname);
  const csrf = host.querySelector("input[name=csrfmiddlewaretoken]");
  host.replaceChildren(...(csrf === null ? [] : [csrf]), element);
}
