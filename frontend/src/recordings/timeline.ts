/** When each event of a recording is played, where pauses longer than `longest` are cut to it. Milliseconds. Pure. */
export class Timeline {
  /** By the number of the event. */
  readonly at: number[] = [];
  readonly #times: readonly number[];
  readonly #longest: number;

  /** `times`: when the events were; more may come at its end. */
  constructor(times: readonly number[], longest: number) {
    this.#times = times;
    this.#longest = longest;
    this.extend();
  }

  /** Takes in what `times` has more. */
  extend(): void {
    for (let event = this.at.length; event < this.#times.length; event++) {
      const waited = (this.#times[event] ?? 0) - (this.#times[event - 1] ?? 0);
      this.at.push((this.at[event - 1] ?? 0) + Math.min(waited, this.#longest));
    }
  }

  /** When the last event is played. */
  get last(): number {
    return this.at.at(-1) ?? 0;
  }

  /** How many events have been played at that moment. */
  playedAt(moment: number): number {
    let low = 0;
    let high = this.at.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.at[middle] ?? 0) <= moment) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The same moment on another one of the same events. */
  translated(moment: number, other: Timeline): number {
    const played = this.playedAt(moment);
    const since = moment - (this.at[played - 1] ?? 0);
    const begin = other.at[played - 1] ?? 0;
    return Math.min(begin + since, other.at[played] ?? begin);
  }
}
