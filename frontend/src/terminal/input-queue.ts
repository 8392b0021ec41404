import { MAX_INPUT } from "./protocol.js";

/** The most that is kept of what was typed or pasted and not yet accepted, in bytes. */
export const MAX_PENDING = 1 << 20;

/**
 * What was typed, until the server says that it accepted it. Every byte has an offset that counts from this client's
 * first one, so what is repeated after a cut is neither lost nor doubled. Pure.
 */
export class InputQueue {
  #base = 0;
  #sent = 0;
  #pending = new Uint8Array(0);

  /** Offset up to which the server has accepted. */
  get accepted(): number {
    return this.#base;
  }

  /** Bytes that were typed and not accepted so far. */
  get size(): number {
    return this.#pending.length;
  }

  /** Bytes that are on their way. */
  get inFlight(): number {
    return this.#sent - this.#base;
  }

  /** Takes all of `bytes` or, when there is no room for them, nothing. */
  push(bytes: Uint8Array): boolean {
    if (this.#pending.length + bytes.length > MAX_PENDING) return false;
    const joined = new Uint8Array(this.#pending.length + bytes.length);
    joined.set(this.#pending);
    joined.set(bytes, this.#pending.length);
    this.#pending = joined;
    return true;
  }

  /** The next piece to send, of at most `window` bytes in flight; null when there is none. */
  take(window: number): { offset: number; bytes: Uint8Array } | null {
    const start = this.#sent - this.#base;
    const length = Math.min(MAX_INPUT, this.#pending.length - start, window - start);
    if (length <= 0) return null;
    const offset = this.#sent;
    this.#sent += length;
    return { offset, bytes: this.#pending.slice(start, start + length) };
  }

  /** The server has everything before `offset`. False when that can't be: it is older or newer than what was sent. */
  accept(offset: number): boolean {
    if (offset < this.#base || offset > this.#sent) return false;
    this.#pending = this.#pending.slice(offset - this.#base);
    this.#base = offset;
    return true;
  }

  /** A new connection, on which the server has everything before `accepted`: the rest will be sent again. */
  rewind(accepted: number): boolean {
    if (!this.accept(accepted)) return false;
    this.#sent = this.#base;
    return true;
  }

  /** A new client: nothing is numbered yet, nothing is kept. */
  reset(): void {
    this.#base = 0;
    this.#sent = 0;
    this.#pending = new Uint8Array(0);
  }
}
