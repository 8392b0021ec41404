import { EventFeed } from "./api/events.js";
import type { SiteEvent } from "./api/types.js";
import { updateCard } from "./images/card.js";
import { installFilter } from "./images/filter.js";
import { offerRecording } from "./recordings/offer.js";
import { SessionStrip } from "./sessions/strip.js";

installFilter();

document.querySelectorAll<HTMLFormElement>("form.card-start").forEach(offerRecording);

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
