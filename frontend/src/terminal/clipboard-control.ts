import type { Terminal } from "@xterm/xterm";
import type { ReactiveControllerHost } from "lit";
import { canPaste, copySelection, copyText, pasteText } from "./clipboard.js";
import { allowedPaste } from "./pasting.js";

const COPIED = "Copied.";
const CANT_COPY = "The browser does not let this page copy. Select it and use the browser’s own menu.";
const CANT_PASTE = "The browser does not let this page read the clipboard: press Ctrl+Shift+V or Shift+Insert.";
const NOTHING_SELECTED = "Nothing is selected. Drag over the text, or hold Shift while you do where a program uses the mouse.";

/** What goes between a terminal and the clipboard, and what is said about it. */
export class ClipboardControl {
  readonly #host: ReactiveControllerHost;
  readonly #terminal: () => Terminal | undefined;
  readonly #say: (text: string) => void;
  #offer: string | null = null;

  constructor(host: ReactiveControllerHost, terminal: () => Terminal | undefined, say: (text: string) => void) {
    this.#host = host;
    this.#terminal = terminal;
    this.#say = say;
  }

  /** What a program wants to put on the clipboard; null: nothing. */
  get offer(): string | null {
    return this.#offer;
  }

  /** Copies what is selected and takes the selection away. */
  async copy(): Promise<void> {
    const terminal = this.#terminal();
    if (terminal === undefined) return;
    const done = await copySelection(terminal);
    if (done === null) this.#say(NOTHING_SELECTED);
    else this.copied(done);
    terminal.focus();
  }

  copied(done: boolean): void {
    this.#say(done ? COPIED : CANT_COPY);
  }

  /** Pastes what is on the clipboard, where the browser lets the page read it. */
  async paste(): Promise<void> {
    await this.pasted(canPaste() ? await pasteText() : null);
  }

  /** Somebody pastes this, and is asked first where it matters; null: the browser does not let us read it. */
  async pasted(given: string | null): Promise<void> {
    const terminal = this.#terminal();
    if (terminal === undefined) return;
    if (given === null) {
      this.#say(CANT_PASTE);
    } else if (given !== "") {
      const text = await allowedPaste(given, terminal.modes.bracketedPasteMode);
      if (text !== null && text !== "") terminal.paste(text);
    }
    terminal.focus();
  }

  selectAll(): void {
    this.#terminal()?.selectAll();
    this.#terminal()?.focus();
  }

  /** A program asks to put this on the clipboard. */
  offered(text: string | null): void {
    this.#offer = text;
    this.#host.requestUpdate();
  }

  accept(text: string): void {
    this.offered(null);
    void copyText(text).then((done) => this.copied(done));
    this.#terminal()?.focus();
  }
}
