import type { TerminalInfo } from "../api/types.js";

/** How long a list may be older than what was done here, in milliseconds. */
const STALE = 5000;

/**
 * What was opened and closed in this window, against lists that the server wrote before it knew: they would take a new
 * terminal out of its place, and bring a closed one back. Pure but for what it remembers.
 */
export class TerminalList {
  readonly #opened = new Map<string, { info: TerminalInfo; at: number }>();
  readonly #closed = new Set<string>();

  opened(info: TerminalInfo, now: number): void {
    this.#opened.set(info.id, { info, at: now });
  }

  closed(id: string): void {
    this.#closed.add(id);
    this.#opened.delete(id);
  }

  /** This list as it has to be. */
  correct(there: readonly TerminalInfo[], now: number): readonly TerminalInfo[] {
    const known = new Set(there.map((terminal) => terminal.id));
    // Once the server has told of it, a list without it means that it was closed.
    for (const [id, { at }] of this.#opened) if (known.has(id) || now - at > STALE) this.#opened.delete(id);
    const missing = [...this.#opened.values()].map(({ info }) => info);
    const kept = there.filter((terminal) => !this.#closed.has(terminal.id));
    return missing.length === 0 && kept.length === there.length ? there : [...kept, ...missing];
  }
}
