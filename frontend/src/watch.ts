import "@xterm/xterm/css/xterm.css";
import { WatchElement, type WatchData } from "./sharing/watch-element.js";

const host = document.getElementById("watch");
const data = document.getElementById("page-data");
if (host !== null && data !== null) {
  const element = new WatchElement();
  element.begin(JSON.parse(data.textContent ?? "") as WatchData);
  host.replaceChildren(element);
}
