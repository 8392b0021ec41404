import { ClipboardAddon, Base64 } from "@xterm/addon-clipboard";
import { FitAddon } from "@xterm/addon-fit";
import { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal, type IBufferRange, type IDisposable } from "@xterm/xterm";
import { coloursOf, FONT_FAMILY, onThemeChange } from "./appearance.js";
import { copySelection, GuardedClipboard } from "./clipboard.js";
import { accelerate } from "./graphics.js";
import { pageKey, type PageKey } from "./keys.js";
import { Mouse } from "./mouse.js";
import { MAX_SIZE } from "./protocol.js";
import { muteOldQuestions } from "./questions.js";
import { beginAnew } from "./scrollback.js";
import { ScrollbackSearch } from "./scrollback-search.js";
import type { LineScreen } from "./terminal-line.js";
import { drawnSize, themeOf, type TerminalSettings } from "./settings.js";

export interface ScreenListener {
  /** Typed, pasted, or answered by the terminal itself. */
  input(bytes: Uint8Array): void;
  size(cols: number, rows: number): void;
  title(title: string): void;
  bell(): void;
  /** A key that is the page's. */
  key(key: PageKey): void;
  /** Somebody pastes this; null: the browser does not let us read the clipboard. */
  pasted(text: string | null): void;
  /** Somebody pastes files. */
  files(files: readonly File[]): void;
  /** A program asks to put this on the clipboard. */
  offered(text: string): void;
  copied(done: boolean): void;
  /** The mouse is over a link to this; null: it is not any more. */
  pointsAt(target: string | null): void;
  /** Somebody clicks on a link with these words. */
  follow(target: string, text: string): void;
  /** Where the search is: found so many, and the `index`-th is chosen (-1: none). */
  found(index: number, count: number): void;
}

/** While a border is dragged, the program hears of a new size this often, in milliseconds. */
const FIT_EVERY = 100;

/** xterm.js, set up: what is drawn and what is pressed. Knows no connection. */
export class Screen implements LineScreen {
  readonly terminal: Terminal;
  readonly search: ScrollbackSearch;
  readonly #fit = new FitAddon();
  readonly #host: HTMLElement;
  readonly #listener: ScreenListener;
  readonly #undo: (() => void)[] = [];
  #settings: TerminalSettings;
  #images: IDisposable | null = null;
  #replaying = 0;
  #fitTimer = 0;
  #fitted = 0;

  constructor(host: HTMLElement, listener: ScreenListener, settings: TerminalSettings) {
    this.#host = host;
    this.#listener = listener;
    this.#settings = settings;
    this.terminal = new Terminal({
      allowProposedApi: true,
      fontFamily: FONT_FAMILY,
      lineHeight: 1.15,
      macOptionIsMeta: true,
      scrollback: 20_000,
      linkHandler: {
        // What may be opened is judged where it is opened.
        allowNonHttpProtocols: true,
        activate: (_event, target, range) => listener.follow(target, this.#textIn(range)),
        hover: (_event, target) => listener.pointsAt(target),
        leave: () => listener.pointsAt(null),
      },
      ...this.#options(),
    });
    this.search = new ScrollbackSearch(this.terminal, (index, count) => listener.found(index, count));
    this.#addons();
    this.#wire();
  }

  /** Shows the terminal in its host, which has to be visible. */
  open(): void {
    this.terminal.open(this.#host);
    accelerate(this.terminal);
    this.fit();
    const observer = new ResizeObserver(() => this.#fitSoon());
    observer.observe(this.#host);
    const mouse = new Mouse(this.#host, this.terminal, () => this.#settings, {
      copy: () => this.copy(),
      copied: (done) => this.#listener.copied(done),
      pasted: (text) => this.#listener.pasted(text),
      files: (files) => this.#listener.files(files),
    });
    this.#undo.push(
      () => observer.disconnect(),
      () => clearTimeout(this.#fitTimer),
      onThemeChange(() => (this.terminal.options.theme = coloursOf(this.#host))),
      () => mouse.dispose(),
    );
    this.apply(this.#settings);
  }

  /** Takes on other settings, at once. */
  apply(settings: TerminalSettings): void {
    this.#settings = settings;
    Object.assign(this.terminal.options, this.#options());
    void this.#showImages(settings.images);
    this.fit();
  }

  #options(): object {
    const settings = this.#settings;
    return {
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      cursorStyle: settings.cursor,
      fontSize: drawnSize(settings),
      minimumContrastRatio: themeOf(settings).contrast,
      screenReaderMode: settings.screenReader,
      theme: coloursOf(this.#host),
    };
  }

  /** Takes all the room there is; a hidden terminal keeps its size. */
  fit(): void {
    const size = this.#fit.proposeDimensions();
    if (size === undefined || !(size.cols > 1 && size.rows > 0) || this.#host.offsetParent === null) return;
    this.#fitted = performance.now();
    this.terminal.resize(Math.min(size.cols, MAX_SIZE), Math.min(size.rows, MAX_SIZE));
    this.#listener.size(this.terminal.cols, this.terminal.rows);
  }

  #fitSoon(): void {
    clearTimeout(this.#fitTimer);
    const wait = this.#fitted + FIT_EVERY - performance.now();
    if (wait <= 0) this.fit();
    else this.#fitTimer = window.setTimeout(() => this.fit(), wait);
  }

  write(bytes: Uint8Array, replay: boolean, done: () => void): void {
    if (!replay) return this.terminal.write(bytes, done);
    // An empty write before it: bytes still waiting to be drawn are not part of the replay.
    this.terminal.write("", () => (this.#replaying += 1));
    this.terminal.write(bytes, () => {
      this.#replaying -= 1;
      done();
    });
  }

  restore(state: Uint8Array, remark: string): void {
    beginAnew(this.terminal, state, remark);
  }

  /** Copies what is selected, if anything is. */
  async copy(): Promise<void> {
    const done = await copySelection(this.terminal);
    if (done !== null) this.#listener.copied(done);
  }

  dispose(): void {
    for (const undo of this.#undo) undo();
    this.terminal.dispose();
  }

  #addons(): void {
    const terminal = this.terminal;
    const { follow, pointsAt } = this.#listener;
    terminal.loadAddon(this.#fit);
    terminal.loadAddon(new UnicodeGraphemesAddon());
    terminal.loadAddon(new ClipboardAddon(new Base64(), new GuardedClipboard((text) => this.#listener.offered(text))));
    terminal.loadAddon(
      new WebLinksAddon((_event, address) => follow(address, address), {
        hover: (_event, address) => pointsAt(address),
        leave: () => pointsAt(null),
      }),
    );
  }

  /** Pictures that programs send. Fetched when it is first wanted: it is large, and few want it. */
  async #showImages(on: boolean): Promise<void> {
    if (!on) {
      this.#images?.dispose();
      this.#images = null;
    } else if (this.#images === null) {
      const { ImageAddon } = await import("@xterm/addon-image");
      if (!this.#settings.images || this.#images !== null) return;
      const addon = new ImageAddon({ pixelLimit: 4_194_304, storageLimit: 32, sixelSizeLimit: 8_000_000, iipSizeLimit: 8_000_000 });
      this.terminal.loadAddon(addon);
      // It answers questions too, and who registers last is asked first.
      const mute = muteOldQuestions(this.terminal, () => this.#replaying > 0);
      this.#images = { dispose: () => [mute, addon].forEach((part) => part.dispose()) };
    }
  }

  #wire(): void {
    const encoder = new TextEncoder();
    const terminal = this.terminal;
    terminal.onData((data) => this.#listener.input(encoder.encode(data)));
    // Mouse reports of the oldest kind are bytes, not text.
    terminal.onBinary((data) => this.#listener.input(Uint8Array.from(data, (character) => character.charCodeAt(0))));
    terminal.onTitleChange((title) => this.#listener.title(title));
    terminal.onBell(() => {
      if (this.#replaying === 0) this.#listener.bell();
    });
    terminal.attachCustomKeyEventHandler((event) => this.#key(event));
    muteOldQuestions(terminal, () => this.#replaying > 0);
  }

  #key(event: KeyboardEvent): boolean {
    const key = pageKey(event, this.terminal.hasSelection());
    if (key === null) return true;
    // The browser pastes by itself, and asks nobody.
    if (key === "paste") return false;
    event.preventDefault();
    if (event.type !== "keydown") return false;
    if (key === "copy") void this.copy();
    else this.#listener.key(key);
    return false;
  }

  #textIn(range: IBufferRange): string {
    const buffer = this.terminal.buffer.active;
    let text = "";
    for (let row = range.start.y; row <= range.end.y; row += 1) {
      const from = row === range.start.y ? range.start.x - 1 : 0;
      const to = row === range.end.y ? range.end.x : undefined;
      text += buffer.getLine(row - 1)?.translateToString(true, from, to) ?? "";
    }
    return text;
  }
}
