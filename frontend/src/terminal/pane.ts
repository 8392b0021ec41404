import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { socketAddress } from "../api/client.js";
import type { TerminalInfo } from "../api/types.js";
import { announce } from "../ui/announce.js";
import { keyboardHere } from "../ui/keyboard.js";
import { LightElement } from "../ui/light-element.js";
import { fontReady } from "./appearance.js";
import { barsView } from "./bars-view.js";
import { ring } from "./bell.js";
import { browserWorld } from "./browser-world.js";
import { ClipboardControl } from "./clipboard-control.js";
import { acceptDrops } from "./file-drop.js";
import type { PageKey } from "./keys.js";
import { openLink } from "./link-opener.js";
import { shownTarget } from "./links.js";
import { watchNetwork } from "./network.js";
import type { Notice } from "./protocol.js";
import { Remark } from "./remark.js";
import { Screen, type ScreenListener } from "./screen.js";
import { downloadScrollback, scrollbackOf } from "./scrollback.js";
import { SearchControl } from "./search-control.js";
import { fontSize, USUAL } from "./settings.js";
import { changeSettings, onSettings, settings } from "./settings-store.js";
import { TerminalLine } from "./terminal-line.js";
import "./touch-row.js";
import type { TouchRow } from "./touch-row.js";
import "./upload-panel.js";
import type { UploadPanel } from "./upload-panel.js";

const SESSION_NOTICES = new Set(["paused", "resumed", "expiring", "kept", "warning", "watchers"]);

/** One terminal: what is drawn, its line to the machine, and the thin bars that say what is going on. */
export class TerminalPane extends LightElement {
  static override properties = {
    info: { attribute: false },
    session: { attribute: false },
    active: { type: Boolean },
    target: { state: true },
    dropping: { state: true },
  };
  declare info: TerminalInfo;
  declare session: string;
  /** It is in front of its group. */
  declare active: boolean;
  /** Of the link under the mouse. */
  declare private target: string | null;
  /** Files are held over it. */
  declare private dropping: boolean;
  #screen: Screen | null = null;
  #opening = false;
  /** The size is another window's. */
  #following = false;
  #stopSettings: (() => void) | null = null;
  #stopNetwork: (() => void) | null = null;
  readonly #remark = new Remark(this, announce);
  readonly #search = new SearchControl(this, () => this.#screen?.search);
  readonly #clipboard = new ClipboardControl(this, () => this.#screen?.terminal, (text) => this.#remark.say(text));
  readonly #line = new TerminalLine(this, browserWorld, {
    status: (state) => this.#tell("terminal-status", state),
    hello: () => undefined,
    notice: (notice) => this.#notice(notice),
    sized: (cols, rows) => this.#sized(cols, rows),
    exit: () => this.#tell("terminal-exit", ""),
    say: (text) => this.#remark.say(text),
    announce,
  });

  constructor() {
    super();
    this.session = "";
    this.active = false;
    this.target = null;
    this.dropping = false;
    acceptDrops(this, {
      hover: (over) => (this.dropping = over),
      files: (files, directories) => this.upload(files, directories),
      text: (text) => void this.#clipboard.pasted(text),
    });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stopNetwork = watchNetwork(() => this.wake(), () => this.#line.cut());
    addEventListener("focus", this.#lead);
    this.#stopSettings = onSettings((changed) => this.#screen?.apply(changed));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopNetwork?.();
    removeEventListener("focus", this.#lead);
    this.#stopSettings?.();
    this.#screen?.dispose();
    this.#screen = null;
  }

  override focus(): void {
    this.#screen?.terminal.focus();
  }

  /** All that was shown, as text; null: it was never opened here. */
  text(): string | null {
    return this.#screen === null ? null : scrollbackOf(this.#screen.terminal);
  }

  /** Columns and rows, once it was opened here. */
  get size(): { cols: number; rows: number } | null {
    const terminal = this.#screen?.terminal;
    return terminal === undefined ? null : { cols: terminal.cols, rows: terminal.rows };
  }

  /** Its process has ended. */
  get exited(): boolean {
    return this.#line.ended !== null;
  }

  /** The session goes on: no more waiting. */
  wake(): void {
    this.#line.wake();
  }

  /** The session has ended: no more trying to come back. */
  finish(): void {
    this.#line.finish();
  }

  copy(): Promise<void> {
    return this.#clipboard.copy();
  }

  paste(): Promise<void> {
    return this.#clipboard.paste();
  }

  selectAll(): void {
    this.#clipboard.selectAll();
  }

  /** Hands all that was shown to the browser as a file. */
  download(): void {
    if (this.#screen !== null) downloadScrollback(this.info.name, this.#screen.terminal);
  }

  chooseFiles(): void {
    this.#uploads?.choose();
  }

  upload(files: readonly File[], directories?: ReadonlySet<number>): void {
    void this.#uploads?.begin(files, directories);
  }

  get #uploads(): UploadPanel | null {
    return this.querySelector<UploadPanel>("pg-upload");
  }

  /** Does what a key of the page says about this terminal; other keys are its owner's. */
  act(key: PageKey): void {
    const size = settings().fontSize;
    if (key === "search") this.#search.start();
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
    this.#line.open(socketAddress(`/ws/v1/terminals/${this.info.id}`), cols, rows, screen);
    if (this.classList.contains("current") && stayed()) screen.terminal.focus();
  }

  #screenListener(): ScreenListener {
    return {
      input: (bytes) => this.#typed(bytes),
      size: (cols, rows) => this.#line.resize(cols, rows),
      title: (title) => this.#tell("terminal-title", title),
      bell: () => this.#bell(),
      key: (key) => this.act(key),
      pasted: (text) => void this.#clipboard.pasted(text),
      files: (files) => this.upload(files),
      offered: (text) => this.#clipboard.offered(text),
      copied: (done) => this.#clipboard.copied(done),
      pointsAt: (target) => (this.target = target === null ? null : shownTarget(target)),
      follow: (target, text) => void this.#follow(target, text),
      found: (index, count) => this.#search.found(index, count),
    };
  }

  #notice(notice: Notice): void {
    // About the whole session: its page says it once, over all terminals.
    if (SESSION_NOTICES.has(notice.kind)) {
      this.dispatchEvent(new CustomEvent("terminal-notice", { detail: notice.data, bubbles: true }));
      return;
    }
    const message = notice.data["message"];
    if (typeof message === "string" && message !== "") this.#remark.say(message);
  }

  /** Another window of this terminal has another size: draw what it draws, until somebody types or looks here again. */
  #sized(cols: number, rows: number): void {
    const terminal = this.#screen?.terminal;
    if (terminal === undefined) return;
    this.#following = terminal.cols !== cols || terminal.rows !== rows;
    if (this.#following) terminal.resize(cols, rows);
  }

  readonly #lead = (): void => {
    if (!this.#following) return;
    this.#following = false;
    this.#screen?.fit();
  };

  #typed(bytes: Uint8Array): void {
    this.#type(this.querySelector<TouchRow>("pg-touch-row")?.modify(bytes) ?? bytes);
  }

  #type(bytes: Uint8Array): void {
    this.#lead();
    this.#line.type(bytes);
  }

  async #follow(target: string, text: string): Promise<void> {
    const refusal = await openLink(target, text);
    if (refusal !== null) this.#remark.say(refusal);
  }

  #clear(): void {
    this.#screen?.terminal.clear();
    this.focus();
  }

  #bell(): void {
    if (ring(this, settings())) this.#tell("terminal-bell", "");
  }

  #tell(name: string, detail: string): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }

  protected override render(): TemplateResult {
    const clipboard = this.#clipboard;
    return html`
      <div class="terminal-bars">
        ${barsView({
          line: this.#line.bar,
          exit: this.#line.ended,
          offer: clipboard.offer,
          remark: this.#remark.text,
          retry: () => this.wake(),
          accept: (text) => clipboard.accept(text),
          refuse: () => clipboard.offered(null),
        })}
      </div>
      ${this.#search.view()}
      <div class="terminal-screen"></div>
      ${this.#line.isOpening ? html`<p class="terminal-words" role="status">Opening the shell…</p>` : nothing}
      ${this.target === null ? nothing : html`<p class="terminal-target">${this.target}</p>`}
      ${this.dropping ? html`<p class="terminal-drop">Drop to upload into the machine</p>` : nothing}
      <pg-upload
        .session=${this.session}
        .terminal=${this.info.id}
        .machine=${this.info.machine}
        @close=${() => this.focus()}
      ></pg-upload>
      <pg-touch-row
        .send=${(bytes: Uint8Array) => this.#type(bytes)}
        .application=${() => this.#screen?.terminal.modes.applicationCursorKeysMode ?? false}
      ></pg-touch-row>
    `;
  }
}

customElements.define("pg-terminal", TerminalPane);
