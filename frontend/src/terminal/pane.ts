import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { socketAddress } from "../api/client.js";
import type { TerminalInfo } from "../api/types.js";
import { announce } from "../ui/announce.js";
import { download, fileName } from "../ui/download.js";
import { keyboardHere } from "../ui/keyboard.js";
import { LightElement } from "../ui/light-element.js";
import { size } from "../ui/words.js";
import { fontReady } from "./appearance.js";
import { barsView } from "./bars-view.js";
import { bellIsDue, playBell } from "./bell.js";
import { browserWorld } from "./browser-world.js";
import { canPaste, copyText, pasteText } from "./clipboard.js";
import { TerminalConnection, type Listener, type Status } from "./connection.js";
import { acceptDrops } from "./file-drop.js";
import type { PageKey } from "./keys.js";
import { openLink } from "./link-opener.js";
import { shownTarget } from "./links.js";
import { allowedPaste } from "./pasting.js";
import { watchNetwork } from "./network.js";
import { sizeIn, type Exit, type Notice } from "./protocol.js";
import { Screen, type ScreenListener } from "./screen.js";
import "./search-bar.js";
import type { Search, SearchBar } from "./search-bar.js";
import { exitSentence, gapSentence } from "./sentences.js";
import { fontSize, USUAL } from "./settings.js";
import { changeSettings, onSettings, settings } from "./settings-store.js";
import "./touch-row.js";
import type { TouchRow } from "./touch-row.js";
import "./upload-panel.js";
import type { UploadPanel } from "./upload-panel.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const SESSION_NOTICES = new Set(["paused", "resumed", "expiring", "kept", "warning", "watchers"]);
const CANT_COPY = "The browser does not let this page copy. Select it and use the browser’s own menu.";
const CANT_PASTE = "The browser does not let this page read the clipboard: press Ctrl+Shift+V or Shift+Insert.";

/** One terminal: what is drawn, its line to the machine, and the thin bars that say what is going on. */
export class TerminalPane extends LightElement {
  static override properties = {
    info: { attribute: false },
    session: { attribute: false },
    active: { type: Boolean },
    status: { state: true },
    fresh: { state: true },
    offer: { state: true },
    remark: { state: true },
    searching: { state: true },
    found: { state: true },
    target: { state: true },
    dropping: { state: true },
    exit: { state: true },
  };
  declare info: TerminalInfo;
  declare session: string;
  /** It is in front of its group. */
  declare active: boolean;
  declare private status: Status;
  /** Nothing has been drawn yet. */
  declare private fresh: boolean;
  declare private offer: string | null;
  declare private remark: string;
  declare private searching: boolean;
  declare private found: { index: number; count: number };
  /** Of the link under the mouse. */
  declare private target: string | null;
  /** Files are held over it. */
  declare private dropping: boolean;
  declare private exit: Exit | null;
  #screen: Screen | null = null;
  #connection: TerminalConnection | null = null;
  #remarkTimer = 0;
  #opening = false;
  /** What to say of output that was missed, until the screen is made ready for what follows. */
  #gap = "";
  /** The size is another window's. */
  #following = false;
  #stopSettings: (() => void) | null = null;
  #stopNetwork: (() => void) | null = null;

  constructor() {
    super();
    this.session = "";
    this.active = false;
    this.status = { state: "connecting" };
    this.fresh = true;
    this.offer = null;
    this.remark = "";
    this.searching = false;
    this.found = { index: -1, count: 0 };
    this.target = null;
    this.dropping = false;
    this.exit = null;
    acceptDrops(this, {
      hover: (over) => (this.dropping = over),
      files: (files, directories) => this.upload(files, directories),
      text: (text) => void this.#paste(text),
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stopNetwork = watchNetwork(() => this.wake(), () => this.#connection?.cut());
    addEventListener("focus", this.#lead);
    this.#stopSettings = onSettings((changed) => this.#screen?.apply(changed));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopNetwork?.();
    removeEventListener("focus", this.#lead);
    this.#stopSettings?.();
    clearTimeout(this.#remarkTimer);
    this.#connection?.close();
    this.#screen?.dispose();
    this.#connection = null;
    this.#screen = null;
  }

  override focus(): void {
    this.#screen?.terminal.focus();
  }

  /** All that was shown, as text; null: it was never opened here. */
  text(): string | null {
    return this.#screen?.text() ?? null;
  }

  /** Columns and rows, once it was opened here. */
  get size(): { cols: number; rows: number } | null {
    const terminal = this.#screen?.terminal;
    return terminal === undefined ? null : { cols: terminal.cols, rows: terminal.rows };
  }

  /** Its process has ended. */
  get exited(): boolean {
    return this.exit !== null;
  }

  /** The session goes on: no more waiting. */
  wake(): void {
    this.#connection?.wake();
  }

  /** The session has ended: no more trying to come back. */
  finish(): void {
    this.#connection?.close();
  }

  async copy(): Promise<void> {
    if (this.#screen?.terminal.hasSelection() === true) await this.#screen.copy();
    else this.#say("Nothing is selected. Drag over the text, or hold Shift while you do where a program uses the mouse.");
    this.focus();
  }

  /** Pastes what is on the clipboard, where the browser lets the page read it. */
  async paste(): Promise<void> {
    await this.#paste(canPaste() ? await pasteText() : null);
  }

  selectAll(): void {
    this.#screen?.terminal.selectAll();
    this.focus();
  }

  /** Hands all that was shown to the browser as a file. */
  download(): void {
    const text = this.text();
    if (text !== null) download(fileName(this.info.name), text);
  }

  /** Lets the person choose files, as an alternative to dropping them. */
  chooseFiles(): void {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    input.addEventListener("change", () => this.upload([...(input.files ?? [])]));
    input.click();
  }

  upload(files: readonly File[], directories?: ReadonlySet<number>): void {
    void this.querySelector<UploadPanel>("pg-upload")?.begin(files, directories);
  }

  /** Does what a key of the page says about this terminal; other keys are its owner's. */
  act(key: PageKey): void {
    const size = settings().fontSize;
    if (key === "search") this.#startSearch();
    else if (key === "clear") this.#clear();
    else if (key === "larger") changeSettings({ fontSize: fontSize(size + 1) });
    else if (key === "smaller") changeSettings({ fontSize: fontSize(size - 1) });
    else if (key === "usual-size") changeSettings({ fontSize: USUAL.fontSize });
    else this.#tell("terminal-key", key);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has("active") || !this.active) return;
    if (this.#screen === null) void this.#open();
    else requestAnimationFrame(() => this.#screen?.fit());
  }

  async #open(): Promise<void> {
    if (this.#opening) return;
    this.#opening = true;
    const stayed = keyboardHere();
    await fontReady();
    const host = this.querySelector<HTMLElement>(".terminal-screen");
    if (!this.isConnected || host === null) return;
    const screen = new Screen(host, this.#screenListener(), settings());
    this.#screen = screen;
    screen.open();
    const { cols, rows } = screen.terminal;
    const address = socketAddress(`/ws/v1/terminals/${this.info.id}`);
    this.#connection = new TerminalConnection(address, { cols, rows }, browserWorld, this.#connectionListener(screen));
    this.#connection.open();
    if (this.classList.contains("current") && stayed()) screen.terminal.focus();
  }

  #screenListener(): ScreenListener {
    return {
      input: (bytes) => this.#typed(bytes),
      size: (cols, rows) => this.#connection?.resize(cols, rows),
      title: (title) => this.#tell("terminal-title", title),
      bell: () => this.#bell(),
      key: (key) => this.act(key),
      pasted: (text) => void this.#paste(text),
      files: (files) => this.upload(files),
      offered: (text) => (this.offer = text),
      copied: (done) => this.#say(done ? "Copied." : CANT_COPY),
      pointsAt: (target) => (this.target = target === null ? null : shownTarget(target)),
      follow: (target, text) => void this.#follow(target, text),
      found: (index, count) => (this.found = { index, count }),
    };
  }

  #connectionListener(screen: Screen): Listener {
    return {
      status: (status) => this.#status(status),
      output: (bytes, replay, done) =>
        screen.write(bytes, replay, () => {
          this.fresh = false;
          done();
        }),
      restore: (bytes) => {
        screen.restore(bytes, this.#gap);
        this.#gap = "";
      },
      hello: () => undefined,
      notice: (notice) => this.#notice(notice),
      exit: (exit) => this.#exit(exit),
      refused: (bytes) => this.#say(`${size(bytes)} are too much at once: nothing of it was typed.`),
      uncertain: (bytes) => {
        if (bytes > 0) this.#say("The last keys you typed may not have arrived.");
      },
    };
  }

  #status(status: Status): void {
    if (status.state === "open" && this.status.state === "waiting") announce("Connected again.");
    if (status.state === "waiting" && status.attempt === 1 && !status.held) announce("The connection was cut. Reconnecting.");
    // Trying again is part of being cut: the bar stays until there is an answer.
    if (status.state === "connecting" && this.status.state === "waiting") return;
    this.status = status;
    this.#tell("terminal-status", status.state);
  }

  #exit(exit: Exit): void {
    this.exit = exit;
    this.fresh = false;
    announce(exitSentence(exit));
    this.#tell("terminal-exit", "");
  }

  #notice(notice: Notice): void {
    // About the whole session: its page says it once, over all terminals.
    if (SESSION_NOTICES.has(notice.kind)) {
      this.dispatchEvent(new CustomEvent("terminal-notice", { detail: notice.data, bubbles: true }));
      return;
    }
    if (notice.kind === "gap") this.#gap = gapSentence(notice.data);
    const size = sizeIn(notice);
    if (size !== null) this.#resizedElsewhere(size.cols, size.rows);
    const message = notice.data["message"];
    if (typeof message === "string" && message !== "") this.#say(message);
  }

  /** Another window of this terminal has another size: draw what it draws, until somebody types or looks here again. */
  #resizedElsewhere(cols: number, rows: number): void {
    const terminal = this.#screen?.terminal;
    if (terminal === undefined) return;
    this.#connection?.resizedElsewhere(cols, rows);
    this.#following = terminal.cols !== cols || terminal.rows !== rows;
    if (this.#following) terminal.resize(cols, rows);
  }

  readonly #lead = (): void => {
    if (!this.#following) return;
    this.#following = false;
    this.#screen?.fit();
  };

  #typed(bytes: Uint8Array): void {
    const row = this.querySelector<TouchRow>("pg-touch-row");
    // Modifiers of the row are for single keys; those are short.
    this.#type(row === null || bytes.length > 4 ? bytes : encoder.encode(row.modify(decoder.decode(bytes))));
  }

  #type(bytes: Uint8Array): void {
    this.#lead();
    if (this.status.state === "waiting") this.requestUpdate();
    this.#connection?.type(bytes);
  }

  async #paste(given: string | null): Promise<void> {
    const terminal = this.#screen?.terminal;
    if (terminal === undefined) return;
    if (given === null) {
      this.#say(CANT_PASTE);
    } else if (given !== "") {
      const text = await allowedPaste(given, terminal.modes.bracketedPasteMode);
      if (text !== null && text !== "") terminal.paste(text);
    }
    this.focus();
  }

  async #follow(target: string, text: string): Promise<void> {
    const refusal = await openLink(target, text);
    if (refusal !== null) this.#say(refusal);
  }

  #clear(): void {
    this.#screen?.terminal.clear();
    this.focus();
  }

  #bell(): void {
    if (!bellIsDue(performance.now())) return;
    const { bellFlash, bellSound } = settings();
    if (bellSound) playBell();
    if (bellFlash) {
      this.classList.remove("rings");
      requestAnimationFrame(() => this.classList.add("rings"));
    }
    this.#tell("terminal-bell", "");
  }

  #say(text: string): void {
    this.remark = text;
    announce(text);
    clearTimeout(this.#remarkTimer);
    this.#remarkTimer = window.setTimeout(() => (this.remark = ""), 4000);
  }

  #tell(name: string, detail: string): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }

  #accept(text: string): void {
    this.offer = null;
    void copyText(text).then((done) => this.#say(done ? "Copied." : CANT_COPY));
    this.focus();
  }

  #startSearch(): void {
    this.searching = true;
    void this.updateComplete.then(() => this.querySelector<SearchBar>("pg-search-bar")?.focus());
  }

  #find(search: Search): void {
    const { text, forward, typing, regex, caseSensitive } = search;
    if (text === "") this.found = { index: -1, count: 0 };
    this.#screen?.find(text, forward, { incremental: typing, regex, caseSensitive });
  }

  #endSearch(): void {
    this.searching = false;
    this.#screen?.endSearch();
  }

  protected override render(): TemplateResult {
    return html`
      <div class="terminal-bars">
        ${barsView({
          status: this.status,
          pending: this.#connection?.pending ?? 0,
          exit: this.exit,
          offer: this.offer,
          remark: this.remark,
          retry: () => this.#connection?.wake(),
          accept: (text) => this.#accept(text),
          refuse: () => (this.offer = null),
        })}
      </div>
      ${this.searching
        ? html`<pg-search-bar
            .find=${(search: Search) => this.#find(search)}
            .index=${this.found.index}
            .count=${this.found.count}
            @close=${() => this.#endSearch()}
          ></pg-search-bar>`
        : nothing}
      <div class="terminal-screen"></div>
      ${this.fresh && this.status.state === "connecting"
        ? html`<p class="terminal-words" role="status">Opening the shell…</p>`
        : nothing}
      ${this.target === null ? nothing : html`<p class="terminal-target">${this.target}</p>`}
      ${this.dropping ? html`<p class="terminal-drop">Drop to upload into the machine</p>` : nothing}
      <pg-upload
        .session=${this.session}
        .terminal=${this.info.id}
        .machine=${this.info.machine}
        @close=${() => this.focus()}
      ></pg-upload>
      <pg-touch-row
        .send=${(text: string) => this.#type(encoder.encode(text))}
        .application=${() => this.#screen?.terminal.modes.applicationCursorKeysMode ?? false}
      ></pg-touch-row>
    `;
  }
}

customElements.define("pg-terminal", TerminalPane);
