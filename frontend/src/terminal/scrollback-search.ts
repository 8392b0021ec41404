import { SearchAddon } from "@xterm/addon-search";
import type { Terminal } from "@xterm/xterm";
import type { Search } from "./search-bar.js";

/** Of what is found: in the overview at the side, and around the one that is chosen. */
const COLOURS = { matchOverviewRuler: "#888888", activeMatchColorOverviewRuler: "#19b3a6", activeMatchBorder: "#19b3a6" };

/** Finds words in all that a terminal has shown. */
export class ScrollbackSearch {
  readonly #terminal: Terminal;
  readonly #addon = new SearchAddon();
  /** How the last search read its text. */
  #kind = "";

  /** `found` hears how many there are, and which of them is chosen (-1: none). */
  constructor(terminal: Terminal, found: (index: number, count: number) => void) {
    this.#terminal = terminal;
    terminal.loadAddon(this.#addon);
    this.#addon.onDidChangeResults(({ resultIndex, resultCount }) => found(resultIndex, resultCount));
  }

  find(search: Search): void {
    const { text, forward, typing, regex, caseSensitive } = search;
    const options = { incremental: typing, regex, caseSensitive, decorations: COLOURS };
    const kind = `${String(regex)} ${String(caseSensitive)}`;
    // The addon keeps what it found for these letters, also when they now mean something else.
    if (kind !== this.#kind) this.#addon.clearDecorations();
    this.#kind = kind;
    if (forward) this.#addon.findNext(text, options);
    else this.#addon.findPrevious(text, options);
  }

  /** Marks nothing any more, and gives the keyboard back to the terminal. */
  end(): void {
    this.#addon.clearDecorations();
    this.#terminal.focus();
  }
}
