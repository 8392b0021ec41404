import { api, ApiError } from "../api/client.js";
import type { SessionStats } from "../api/stats.js";

/** Milliseconds between two readings; the site samples as often. */
const EVERY = 3000;

/** Reads what a session uses, again and again while somebody can see it. */
export class UsageReader {
  readonly #session: string;
  readonly #read: (stats: SessionStats | null) => void;
  #timer = 0;
  #asking = false;

  /** `read` gets each reading; null: there was none this time. */
  constructor(session: string, read: (stats: SessionStats | null) => void) {
    this.#session = session;
    this.#read = read;
  }

  start(): void {
    if (this.#timer !== 0) return;
    this.#timer = window.setInterval(() => void this.once(), EVERY);
    void this.once();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = 0;
  }

  async once(): Promise<void> {
    if (this.#asking || document.visibilityState !== "visible") return;
    this.#asking = true;
    try {
      this.#read(await api.stats(this.#session));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#read(null);
    } finally {
      this.#asking = false;
    }
  }
}
