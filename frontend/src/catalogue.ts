import { EventFeed } from "./api/events.js";
import type { SiteEvent } from "./api/types.js";
import { updateCard } from "./images/card.js";
import { installFilter } from "./images/filter.js";
import { offerRecording } from "./recordings/offer.js";
import { SessionStrip } from "./sessions/strip.js";

installFilter();

for (const form of document.querySelectorAll<HTMLFormElement>("form.card-start")) {
  offerRecording(form);
  form.addEventListener("submit", () => {
    const button = form.querySelector("button");
    if (button === null) return;
    // After the form has gone: a disabled button is not sent. Coming back by the browser's button finds it enabled again.
    setTimeout(() => {
      button.disabled = true;
      button.textContent = "Starting…";
    });
  });
}
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

const host = document.getElementById("my-sessions");
if (host !== null) {
  const strip = new SessionStrip(host);
  const hear = (event: SiteEvent): void => {
    if (event.type === "snapshot") {
      strip.replace(event.sessions);
      event.images.forEach(updateCard);
    } else if (event.type === "image.changed") updateCard(event.image);
    else strip.change(event.session);
  };
  new EventFeed(hear).open();
}
