import "asciinema-player/dist/bundle/asciinema-player.css";
import "./styles/playback.css";
import { PlaybackElement } from "./recordings/playback-element.js";
import type { RecordingInfo } from "./recordings/types.js";

const host = document.getElementById("playback");
const data = document.getElementById("page-data");
if (host !== null && data !== null) {
  const element = new PlaybackElement();
  element.recording = JSON.parse(data.textContent ?? "") as RecordingInfo;
  host.replaceChildren(element);
}
