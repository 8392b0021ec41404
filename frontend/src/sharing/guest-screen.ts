import { FitAddon } from "@xterm/addon-fit";
import { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
import { Terminal } from "@xterm/xterm";
import { coloursOf, FONT_FAMILY, onThemeChange } from "../terminal/appearance.js";
import { copySelection } from "../terminal/clipboard.js";
import { accelerate } from "../terminal/graphics.js";
import { pageKey, type PageKey } from "../terminal/keys.js";
import { MAX_SIZE } from "../terminal/protocol.js";
import { muteOldQuestions } from "../terminal/questions.js";
import { beginAnew } from "../terminal/scrollback.js";
import { ScrollbackSearch } from "../terminal/scrollback-search.js";
import { drawnSize, themeOf } from "../terminal/settings.js";
import { settings } from "../terminal/settings-store.js";
import type { LineScreen } from "../terminal/terminal-line.js";
import { fittingSize, READABLE, SMALLEST, STEP } from "./fitting.js";

export interface GuestScreenListener {
  input(bytes: Uint8Array): void;
  /** A key that is the page's. */
  key(key: PageKey): void;
  copied(done: boolean): void;
  pasted(text: string): void;
  /** Where the search is: found so many, and the `index`-th is chosen (-1: none). */
  found(index: number, count: number): void;
}

/** What guests have of the page's keys; the others are the program's, as in a terminal of nobody. */
const KEYS: ReadonlySet<PageKey> = new Set(["copy", "search", "leave"]);

/** Tries to make the letters fit, each when the one before was drawn: cells are whole pixels, so the first may miss a little. */
const TRIES = 8;

/** To the other screen and back: xterm.js draws no cursor before that, or before somebody was in the terminal, and who only watches never is. */
const CURSOR_SEEN = "\x1b[?1049h\x1b[?1049l";

const screenOf = (terminal: HTMLElement): HTMLElement => terminal.querySelector<HTMLElement>(".xterm-screen") ?? terminal;

/**
 * A terminal of somebody else's size, as large as fits. What programs write here can neither be answered nor reach the
 * clipboard: this is another person's machine.
 */
export class GuestScreen implements LineScreen {
  readonly terminal: Terminal;
  readonly search: ScrollbackSearch;
  readonly #host: HTMLElement;
  readonly #fit = new FitAddon();
  readonly #undo: (() => void)[] = [];
  readonly #listener: GuestScreenListener;
  /** The size is ours: letters are as the person has set them. */
  #leads = false;
  #readable = false;
  #tries = 0;
  /** Letters of this size were too large for the room: without that two sizes could follow each other for ever. */
  #tooLarge = Infinity;

  constructor(host: HTMLElement, listener: GuestScreenListener) {
    this.#host = host;
    this.#listener = listener;
    const own = settings();
    this.terminal = new Terminal({
      allowProposedApi: true,
      fontFamily: FONT_FAMILY,
      fontSize: drawnSize(own),
      lineHeight: 1.15,
      macOptionIsMeta: true,
      scrollback: 5000,
      disableStdin: true,
      cursorStyle: own.cursor,
      screenReaderMode: own.screenReader,
      minimumContrastRatio: themeOf(own).contrast,
      theme: coloursOf(host),
      linkHandler: { activate: () => undefined },
    });
    this.search = new ScrollbackSearch(this.terminal, (index, count) => listener.found(index, count));
  }

  open(): void {
    const { terminal } = this;
    terminal.loadAddon(this.#fit);
    terminal.loadAddon(new UnicodeGraphemesAddon());
    terminal.open(this.#host);
    terminal.write(CURSOR_SEEN);
    accelerate(terminal);
    muteOldQuestions(terminal, () => true);
    const encoder = new TextEncoder();
    terminal.onData((data) => this.#listener.input(encoder.encode(data)));
    terminal.onBinary((data) => this.#listener.input(Uint8Array.from(data, (character) => character.charCodeAt(0))));
    terminal.attachCustomKeyEventHandler((event) => this.#key(event));
    const room = new ResizeObserver(() => this.scale());
    // Scrollbars come and go with the letters: without them the room stays the same.
    room.observe(this.#host, { box: "border-box" });
    // A new size is drawn when the terminal is in sight: later than anything that we could wait for.
    const drawn = new ResizeObserver(() => this.#fitSoon());
    if (terminal.element !== undefined) drawn.observe(screenOf(terminal.element));
    const abort = new AbortController();
    this.#host.addEventListener("paste", (event) => this.#paste(event), { capture: true, signal: abort.signal });
    this.#undo.push(
      () => room.disconnect(),
      () => drawn.disconnect(),
      () => abort.abort(),
      onThemeChange(() => (terminal.options.theme = coloursOf(this.#host))),
    );
  }

  write(bytes: Uint8Array, _replay: boolean, done: () => void): void {
    this.terminal.write(bytes, done);
  }

  restore(state: Uint8Array, remark: string): void {
    beginAnew(this.terminal, state, remark);
  }

  get mayType(): boolean {
    return this.terminal.options.disableStdin !== true;
  }

  set mayType(may: boolean) {
    this.terminal.options.disableStdin = !may;
    this.terminal.options.cursorBlink = may;
  }

  /** Letters that can be read, though not everything is seen at once. */
  set readable(on: boolean) {
    this.#readable = on;
    this.scale();
  }

  /** The terminal has this size now; everything of it is shown, in letters as large as that allows. */
  follow(cols: number, rows: number): void {
    this.#leads = false;
    this.terminal.resize(Math.min(cols, MAX_SIZE), Math.min(rows, MAX_SIZE));
    this.scale();
  }

  /** Takes all the room in letters of the usual size. Answers the size that the terminal is to have. */
  lead(): { cols: number; rows: number } {
    this.#leads = true;
    this.terminal.options.fontSize = drawnSize(settings());
    const size = this.#fit.proposeDimensions();
    if (size !== undefined && size.cols > 1 && size.rows > 0) {
      this.terminal.resize(Math.min(size.cols, MAX_SIZE), Math.min(size.rows, MAX_SIZE));
    }
    return { cols: this.terminal.cols, rows: this.terminal.rows };
  }

  get leads(): boolean {
    return this.#leads;
  }

  scale(): void {
    this.#tries = TRIES;
    this.#tooLarge = Infinity;
    this.#fitSoon();
  }

  dispose(): void {
    for (const undo of this.#undo) undo();
    this.terminal.dispose();
  }

  #fitSoon(): void {
    requestAnimationFrame(() => this.#fitLetters());
  }

  /** Other letters are drawn in another size, which is looked at again. */
  #fitLetters(): void {
    const { element, options } = this.terminal;
    if (this.#leads || this.#tries === 0 || this.#host.offsetParent === null || element === undefined) return;
    const drawn = screenOf(element);
    const before = options.fontSize ?? 14;
    // Around it there is room for its frame.
    const frame = 2 * parseFloat(getComputedStyle(this.#host).paddingLeft);
    const room = { width: this.#host.offsetWidth - frame, height: this.#host.offsetHeight - frame };
    let size = fittingSize({ width: drawn.offsetWidth, height: drawn.offsetHeight }, before, room, this.#readable ? READABLE : SMALLEST);
    if (size < before) this.#tooLarge = before;
    else size = Math.min(size, this.#tooLarge - STEP);
    if (size === before) return;
    this.#tries -= 1;
    options.fontSize = size;
  }

  #key(event: KeyboardEvent): boolean {
    const key = pageKey(event, this.terminal.hasSelection());
    if (key === null || !KEYS.has(key)) return key !== "paste";
    event.preventDefault();
    if (event.type !== "keydown") return false;
    if (key === "copy") void this.#copy();
    else this.#listener.key(key);
    return false;
  }

  async #copy(): Promise<void> {
    const done = await copySelection(this.terminal);
    if (done !== null) this.#listener.copied(done);
  }

  /** Ours instead of xterm.js's, so that it can be looked at before it is typed. */
  #paste(event: ClipboardEvent): void {
    event.preventDefault();
    event.stopImmediatePropagation();
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (text !== "" && this.mayType) this.#listener.pasted(text);
  }
}
