import { backoff } from "../terminal/backoff.js";
import { socketAddress } from "./client.js";
import { siteEvent, type SiteEvent } from "./types.js";

/**
 * Follows what happens to the person's sessions and to images. Each connection begins with a snapshot, so nothing that was
 * missed in between matters.
 */
export class EventFeed {
  readonly #listener: (event: SiteEvent) => void;
  readonly #connected: (connected: boolean) => void;
  #timer: number | null = null;
  #attempt = 0;
  /** The last change heard of each session, and of all when there was a snapshot. */
  #sequences = new Map<string, number>();
  #floor = 0;

  constructor(listener: (event: SiteEvent) => void, connected: (connected: boolean) => void = () => undefined) {
    this.#listener = listener;
    this.#connected = connected;
  }

  open(): void {
    addEventListener("online", () => this.#wake());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#wake();
    });
    this.#connect();
  }

  #wake(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  #connect(): void {
    this.#timer = null;
    const socket = new WebSocket(socketAddress("/ws/v1/events"));
    socket.onmessage = (message: MessageEvent<string>) => this.#receive(message.data);
    socket.onclose = (event) => this.#closed(event.code);
  }

  #receive(text: string): void {
    const event = siteEvent(text);
    if (event === null || this.#isOld(event)) return;
    if (event.type === "snapshot") {
      this.#floor = event.sequence;
      this.#attempt = 0;
      this.#connected(true);
    }
    this.#listener(event);
  }

  /** Two processes may tell of two changes in the wrong order. */
  #isOld(event: SiteEvent): boolean {
    if (event.type !== "session.changed" && event.type !== "session.ended") return false;
    if (event.sequence <= Math.max(this.#floor, this.#sequences.get(event.session.id) ?? 0)) return true;
    this.#sequences.set(event.session.id, event.sequence);
    return false;
  }

  #closed(code: number): void {
    this.#connected(false);
    // Signed out, or not allowed: asking again changes nothing.
    if (code === 4401 || code === 4403) return;
    this.#attempt += 1;
    this.#timer = window.setTimeout(() => this.#connect(), backoff(this.#attempt, Math.random, 500));
  }

}
