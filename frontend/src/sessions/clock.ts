/** The server's time, as far as this page can tell. */
export class ServerClock {
  readonly #skew: number;

  constructor(serverNow: string, browserNow = Date.now()) {
    this.#skew = Date.parse(serverNow) - browserNow;
  }

  now(): number {
    return Date.now() + this.#skew;
  }

  /** Seconds from now until `time`, never negative. */
  until(time: string): number {
    return Math.max(0, (Date.parse(time) - this.now()) / 1000);
  }
}
