/** How often the server hears how far output was processed: it stops feeding 512 KiB beyond the last word. */
export const ACK_EVERY = 64 * 1024;

export interface Piece {
  readonly bytes: Uint8Array;
  /** It was there before we came: its questions to the terminal were answered, or not, long ago. */
  readonly replay: boolean;
}

/**
 * Where output stands: every byte once and in order, however connections come and go. Pure.
 *
 * `received` was handed to the terminal, `processed` was drawn by it; the server hears of the second.
 */
export class OutputCursor {
  #received: number | null = null;
  #processed = 0;
  #drawn = 0;
  #acknowledged = 0;
  #replayEnd = 0;

  /** Where the next connection continues; null: nothing was seen, so with the oldest byte there is. */
  get received(): number | null {
    return this.#received;
  }

  /** A connection begins, with output from `offset` on and `next` bytes there already. */
  begin(offset: number, next: number): void {
    // What was missed during a cut is no replay: nobody has answered the questions in it.
    if (this.#received === null) {
      this.#replayEnd = next;
      this.#received = offset;
      this.#processed = offset;
      this.#drawn = offset;
    }
    this.#acknowledged = Math.max(offset, this.#processed);
  }

  /** Bytes up to `to` have left the ring. */
  skip(to: number): void {
    this.#received = Math.max(this.#received ?? 0, to);
  }

  /** What of this message is new; null: it leaves a hole, which the protocol does not allow. */
  take(offset: number, bytes: Uint8Array): readonly Piece[] | null {
    const received = this.#received ?? 0;
    if (offset > received) return null;
    const fresh = bytes.subarray(Math.min(bytes.length, received - offset));
    const replayed = Math.max(0, Math.min(fresh.length, this.#replayEnd - received));
    this.#received = received + fresh.length;
    return [
      { bytes: fresh.subarray(0, replayed), replay: true },
      { bytes: fresh.subarray(replayed), replay: false },
    ].filter((piece) => piece.bytes.length > 0);
  }

  /** The terminal has drawn everything up to `offset`. */
  processed(offset: number): void {
    this.#drawn = Math.max(this.#drawn, offset);
    this.#processed = Math.max(this.#processed, offset);
  }

  /**
   * Nobody looks, so the terminal draws once a second or less: bytes count as processed when it has them, as long as it
   * keeps no more than `most`. Otherwise a program would wait for somebody to look.
   */
  trust(most: number): void {
    const received = this.#received ?? 0;
    if (received - this.#drawn <= most) this.#processed = Math.max(this.#processed, received);
  }

  /** The offset to acknowledge now, or null: too little is new. `idle`: the terminal has nothing left to draw. */
  acknowledge(idle: boolean): number | null {
    const owed = this.#processed - this.#acknowledged;
    if (owed <= 0 || (!idle && owed < ACK_EVERY)) return null;
    this.#acknowledged = this.#processed;
    return this.#processed;
  }

  /** Nothing is left to draw. */
  get idle(): boolean {
    return this.#processed >= (this.#received ?? 0);
  }
}
