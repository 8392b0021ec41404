import type { Terminal } from "@xterm/xterm";
import { canPaste, copyText, pasteText } from "./clipboard.js";
import type { TerminalSettings } from "./settings.js";

export interface MouseListener {
  copy(): Promise<void>;
  copied(done: boolean): void;
  /** null: the browser does not let us read the clipboard. */
  pasted(text: string | null): void;
  files(files: readonly File[]): void;
}

/** What the mouse and the clipboard do in a terminal beside what programs make of the mouse. */
export class Mouse {
  readonly #terminal: Terminal;
  readonly #settings: () => TerminalSettings;
  readonly #listener: MouseListener;
  readonly #abort = new AbortController();

  constructor(host: HTMLElement, terminal: Terminal, settings: () => TerminalSettings, listener: MouseListener) {
    this.#terminal = terminal;
    this.#settings = settings;
    this.#listener = listener;
    const options = { capture: true, signal: this.#abort.signal };
    host.addEventListener("contextmenu", (event) => this.#contextMenu(event), options);
    host.addEventListener("paste", (event) => this.#paste(event), options);
    // The release may come outside of the terminal.
    host.addEventListener("pointerdown", () => addEventListener("pointerup", () => this.#released(), { once: true }), options);
  }

  dispose(): void {
    this.#abort.abort();
  }

  /** Right-click copies what is selected, else pastes; with Shift, or where we can't, the browser's own menu comes. */
  #contextMenu(event: MouseEvent): void {
    if (event.shiftKey || !this.#settings().rightClick) return;
    if (this.#terminal.hasSelection()) {
      event.preventDefault();
      void this.#listener.copy();
    } else if (canPaste()) {
      event.preventDefault();
      void pasteText().then((text) => this.#listener.pasted(text));
    }
  }

  /** Ours instead of xterm.js's, so that it can be looked at before it is typed. */
  #paste(event: ClipboardEvent): void {
    const data = event.clipboardData;
    if (data === null) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const text = data.getData("text/plain");
    if (text === "" && data.files.length > 0) this.#listener.files([...data.files]);
    else this.#listener.pasted(text);
  }

  /** xterm.js settles the selection with the same release. */
  #released(): void {
    if (!this.#settings().copyOnSelect) return;
    setTimeout(() => {
      const text = this.#terminal.getSelection();
      if (text !== "") void copyText(text).then((done) => this.#listener.copied(done));
    }, 0);
  }
}
