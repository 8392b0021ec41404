import "@xterm/xterm/css/xterm.css";
import { csrfToken } from "./api/client.js";
import { pageData } from "./sessions/page-data.js";
import { SessionElement } from "./sessions/session-element.js";

/** A phone's keyboard covers the page: what is left over it is the height there is. */
function followKeyboard(): void {
  const viewport = window.visualViewport;
  viewport?.addEventListener("resize", () => {
    document.body.style.setProperty("--height", `${viewport.height}px`);
  });
}

const host = document.getElementById("session");
if (host !== null) {
  const element = new SessionElement();
  element.begin(pageData(), csrfToken());
  // What the server put here is for browsers without scripts.
  host.replaceChildren(element);
  followKeyboard();
}
