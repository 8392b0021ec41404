import type { ImageInfo } from "../api/types.js";
import { percent, size } from "../ui/words.js";

/** An image's state in words; `ready` is what the server said about how soon. Pure. */
export function stateWords(image: ImageInfo, ready: string): string {
  switch (image.state) {
    case "ready":
      return ready;
    case "preparing":
      return image.progress === null ? "being prepared" : `being prepared, ${percent(image.progress)}`;
    case "failed":
      return "could not be prepared";
    case "absent":
      return "not here yet";
  }
}

/** Brings an image's card up to date. A card that this page does not show is none of its business. */
export function updateCard(image: ImageInfo): void {
  const card = document.querySelector<HTMLElement>(`[data-image="${CSS.escape(image.id)}"]`);
  if (card === null) return;
  const put = (part: string, text: string): void => {
    const element = card.querySelector<HTMLElement>(`[data-part="${part}"]`);
    if (element === null) return;
    element.textContent = text;
    element.hidden = text === "";
  };
  const badge = card.querySelector<HTMLElement>('[data-part="state"]');
  if (badge !== null) badge.className = `badge badge-${image.state}`;
  put("state", stateWords(image, card.dataset["ready"] ?? "ready"));
  put("message", image.state === "ready" ? "" : image.message);
  if (image.size_bytes !== null) put("size", size(image.size_bytes));
  updateProgress(card, image);
  const button = card.querySelector<HTMLElement>('[data-part="start"]');
  if (button === null) return;
  button.textContent = image.state === "ready" ? "Start" : "Start when ready";
  button.classList.toggle("primary", image.state === "ready");
}

function updateProgress(card: HTMLElement, image: ImageInfo): void {
  const bar = card.querySelector<HTMLProgressElement>("progress");
  if (bar === null) return;
  bar.hidden = image.state !== "preparing";
  if (image.progress === null) bar.removeAttribute("value");
  else bar.value = image.progress;
}
