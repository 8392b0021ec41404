import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { socketAddress } from "../api/client.js";
import { announce } from "../ui/announce.js";
import { LightElement } from "../ui/light-element.js";
import { fontReady } from "../terminal/appearance.js";
import { barsView } from "../terminal/bars-view.js";
import { browserWorld } from "../terminal/browser-world.js";
import { ClipboardControl } from "../terminal/clipboard-control.js";
import type { PageKey } from "../terminal/keys.js";
import { watchNetwork } from "../terminal/network.js";
import type { Hello } from "../terminal/protocol.js";
import { Remark } from "../terminal/remark.js";
import { downloadScrollback } from "../terminal/scrollback.js";
import { SearchControl } from "../terminal/search-control.js";
import { TerminalLine } from "../terminal/terminal-line.js";
import "../terminal/touch-row.js";
import type { TouchRow } from "../terminal/touch-row.js";
import { GuestScreen, type GuestScreenListener } from "./guest-screen.js";

/** One terminal of somebody else's session. It has the owner's size until a guest who may type does so. */
export class WatchTerminal extends LightElement {
  static override properties = {
    terminal: { attribute: false },
    readable: { type: Boolean },
  };
  /** Its id; another one is another element. */
  declare terminal: string;
  /** Letters are large enough to be read, whether all of it fits or not. */
  declare readable: boolean;
  #screen: GuestScreen | null = null;
  #stopNetwork: (() => void) | null = null;
  readonly #remark = new Remark(this, announce);
  readonly #search = new SearchControl(this, () => this.#screen?.search);
  readonly #clipboard = new ClipboardControl(this, () => this.#screen?.terminal, (text) => this.#remark.say(text));
  readonly #line = new TerminalLine(
    this,
    browserWorld,
    {
      status: (state) => this.#tell("watch-status", state),
      hello: (hello) => this.#hello(hello),
      notice: () => undefined,
      sized: (cols, rows) => this.#sized(cols, rows),
      exit: () => undefined,
      say: (text) => this.#remark.say(text),
      announce,
    },
    // The first cut may be another role, with which the server lets us in at once.
    { follows: true, patience: 1 },
  );

  constructor() {
    super();
    this.terminal = "";
    this.readable = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stopNetwork = watchNetwork(() => this.wake(), () => this.#line.cut());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopNetwork?.();
    this.#screen?.dispose();
    this.#screen = null;
  }

  override focus(): void {
    this.#screen?.terminal.focus();
  }

  /** What the guest may do has changed, or the session goes on: no more waiting. */
  wake(): void {
    this.#line.wake();
  }

  /** It says itself that there is no server just now. */
  get tellsOfServer(): boolean {
    return this.#line.tellsOfServer;
  }

  copy(): Promise<void> {
    return this.#clipboard.copy();
  }

  paste(): Promise<void> {
    return this.#clipboard.paste();
  }

  search(): void {
    this.#search.start();
  }

  /** Hands all that was shown here to the browser as a file named after `name`. */
  download(name: string): void {
    if (this.#screen !== null) downloadScrollback(name, this.#screen.terminal);
  }

  protected override firstUpdated(_changed: PropertyValues): void {
    void this.#open();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("readable") && this.#screen !== null) this.#screen.readable = this.readable;
  }

  async #open(): Promise<void> {
    await fontReady();
    const host = this.querySelector<HTMLElement>(".watch-screen");
    if (!this.isConnected || host === null) return;
    const screen = new GuestScreen(host, this.#screenListener());
    this.#screen = screen;
    screen.open();
    screen.readable = this.readable;
    const { cols, rows } = screen.terminal;
    this.#line.open(socketAddress(`/ws/v1/guest/terminals/${this.terminal}`), cols, rows, screen);
  }

  #screenListener(): GuestScreenListener {
    return {
      input: (bytes) => this.#type(this.querySelector<TouchRow>("pg-touch-row")?.modify(bytes) ?? bytes),
      key: (key) => this.#key(key),
      copied: (done) => this.#clipboard.copied(done),
      pasted: (text) => void this.#clipboard.pasted(text),
      found: (index, count) => this.#search.found(index, count),
    };
  }

  #key(key: PageKey): void {
    if (key === "search") this.search();
    else if (key === "leave") this.#tell("watch-leave-terminal", "");
  }

  #hello(hello: Hello): void {
    const screen = this.#screen;
    if (screen === null) return;
    screen.mayType = hello.role === "control";
    screen.follow(hello.cols, hello.rows);
    this.dataset["role"] = hello.role;
    this.requestUpdate();
  }

  #sized(cols: number, rows: number): void {
    const screen = this.#screen;
    // Also the answer to a size of our own.
    if (screen !== null && (cols !== screen.terminal.cols || rows !== screen.terminal.rows)) screen.follow(cols, rows);
  }

  /** Whoever types last decides the size: now it is us. */
  #type(bytes: Uint8Array): void {
    const screen = this.#screen;
    if (screen === null || !screen.mayType) return;
    if (!screen.leads) {
      const { cols, rows } = screen.lead();
      this.#line.resize(cols, rows);
    }
    this.#line.type(bytes);
  }

  #tell(name: string, detail: string): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }

  protected override render(): TemplateResult {
    const bar = this.#line.bar;
    return html`
      <div class="terminal-bars">
        ${barsView({
          // What ends the visit, the page says better than the line.
          line: bar?.waits === true ? bar : null,
          exit: this.#line.ended,
          offer: null,
          remark: this.#remark.text,
          retry: () => this.wake(),
          accept: () => undefined,
          refuse: () => undefined,
        })}
      </div>
      ${this.#search.view()}
      <div class="watch-screen" tabindex="-1"></div>
      ${this.#line.isOpening ? html`<p class="terminal-words" role="status">Opening the terminal…</p>` : nothing}
      ${this.#screen?.mayType === true
        ? html`<pg-touch-row
            .send=${(bytes: Uint8Array) => this.#type(bytes)}
            .application=${() => this.#screen?.terminal.modes.applicationCursorKeysMode ?? false}
          ></pg-touch-row>`
        : nothing}
    `;
  }
}

customElements.define("pg-watch-terminal", WatchTerminal);
