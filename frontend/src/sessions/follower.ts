import { api, ApiError } from "../api/client.js";
import { EventFeed } from "../api/events.js";
import type { ImageInfo, SessionInfo, SiteEvent } from "../api/types.js";

/** How often to ask while events may be missing, in milliseconds. */
const ASK_EVERY = 2000;

const UNSETTLED = new Set(["pending", "starting", "stopping"]);

/**
 * Keeps one session up to date: by the events socket, and by asking while that is cut, while the session is on its way from one
 * state to another, or while a terminal behaves as if it had ended. A lost event so never leaves the page behind.
 */
export class SessionFollower {
  #session: SessionInfo;
  #image: ImageInfo;
  readonly #changed: (session: SessionInfo, image: ImageInfo) => void;
  readonly #news: (told: Readonly<Record<string, unknown>>) => void;
  readonly #feed: EventFeed;
  #connected = false;
  #doubts = 0;
  #asking = false;

  /** `news`: what open terminals are told by notices too; without an open terminal it comes by the events alone. */
  constructor(
    session: SessionInfo,
    image: ImageInfo,
    changed: (session: SessionInfo, image: ImageInfo) => void,
    news: (told: Readonly<Record<string, unknown>>) => void,
  ) {
    this.#session = session;
    this.#image = image;
    this.#changed = changed;
    this.#news = news;
    this.#feed = new EventFeed(
      (event) => this.#hear(event),
      (connected) => (this.#connected = connected),
    );
  }

  start(): void {
    if (this.#session.state === "ended") return;
    this.#feed.open();
    setInterval(() => void this.#ask(), ASK_EVERY);
  }

  /** A terminal's line is cut, or its shell has ended, and so may have the session: ask that many times. */
  doubt(times: number): void {
    this.#doubts = times;
  }

  async rename(name: string): Promise<void> {
    this.#take(await api.rename(this.#session.id, name));
  }

  async extend(seconds: number): Promise<void> {
    this.#take(await api.extend(this.#session.id, seconds));
  }

  async pause(): Promise<void> {
    this.#take(await api.pause(this.#session.id));
  }

  async resume(): Promise<void> {
    this.#take(await api.resume(this.#session.id));
  }

  async stopRecording(): Promise<void> {
    this.#take(await api.stopRecording(this.#session.id));
  }

  async end(): Promise<void> {
    await api.end(this.#session.id);
    this.#take(await api.session(this.#session.id));
  }

  async #ask(): Promise<void> {
    const needed = !this.#connected || this.#doubts > 0 || UNSETTLED.has(this.#session.state);
    if (this.#session.state === "ended" || this.#asking || !needed) return;
    this.#asking = true;
    this.#doubts = Math.max(0, this.#doubts - 1);
    const before = this.#session;
    try {
      const answered = await api.session(before.id);
      // What was heard meanwhile may be newer than this.
      if (this.#session === before) this.#take(answered);
    } catch (error) {
      // The page says elsewhere that the line is cut; the next round may do better.
      if (!(error instanceof ApiError)) throw error;
    } finally {
      this.#asking = false;
    }
  }

  #hear(event: SiteEvent): void {
    if (event.type === "snapshot") {
      const session = event.sessions.find((other) => other.id === this.#session.id);
      if (session !== undefined) this.#take(session);
      this.#takeImage(event.images.find((image) => image.id === this.#image.id));
    } else if (event.type === "image.changed") {
      if (event.image.id === this.#image.id) this.#takeImage(event.image);
    } else if (event.session.id === this.#session.id) {
      this.#take(event.session);
      this.#news({ ...event.data, type: event.kind });
    }
  }

  #takeImage(image: ImageInfo | undefined): void {
    if (image === undefined) return;
    this.#image = image;
    this.#changed(this.#session, image);
  }

  #take(session: SessionInfo): void {
    // An end is final, whatever an older answer says.
    if (this.#session.state === "ended") return;
    this.#session = session;
    this.#changed(session, this.#image);
  }
}
