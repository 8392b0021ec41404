import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { socketAddress } from "../api/client.js";
import { LightElement } from "../ui/light-element.js";
import { fontReady } from "../terminal/appearance.js";
import { browserWorld } from "../terminal/browser-world.js";
import { TerminalConnection, type Listener, type Status } from "../terminal/connection.js";
import { watchNetwork } from "../terminal/network.js";
import { allowedPaste } from "../terminal/pasting.js";
import { sizeIn, type Exit, type Hello, type Notice } from "../terminal/protocol.js";
import { scrollAway } from "../terminal/scroll-away.js";
import { exitSentence, gapSentence } from "../terminal/sentences.js";
import { GuestScreen } from "./guest-screen.js";

/** One terminal of somebody else's session. It has the owner's size until a guest who may type does so. */
export class WatchTerminal extends LightElement {
  static override properties = {
    terminal: { attribute: false },
    readable: { type: Boolean },
    status: { state: true },
    exit: { state: true },
  };
  /** Its id; another one is another element. */
  declare terminal: string;
  /** Letters are large enough to be read, whether all of it fits or not. */
  declare readable: boolean;
  declare private status: Status;
  declare private exit: Exit | null;
  #screen: GuestScreen | null = null;
  #connection: TerminalConnection | null = null;
  #gap = "";
  #stopNetwork: (() => void) | null = null;

  constructor() {
    super();
    this.terminal = "";
    this.readable = false;
    this.status = { state: "connecting" };
    this.exit = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stopNetwork = watchNetwork(() => this.wake(), () => this.#connection?.cut());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopNetwork?.();
    this.#connection?.close();
    this.#screen?.dispose();
    this.#connection = null;
    this.#screen = null;
  }

  override focus(): void {
    this.#screen?.terminal.focus();
  }

  /** What the guest may do has changed, or the session goes on: no more waiting. */
  wake(): void {
    this.#connection?.wake();
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
    const screen = new GuestScreen(host, {
      input: (bytes) => this.#type(bytes),
      leave: () => this.dispatchEvent(new CustomEvent("watch-leave-terminal", { bubbles: true })),
      pasted: (text) => void this.#paste(text),
    });
    this.#screen = screen;
    screen.open();
    screen.readable = this.readable;
    const address = socketAddress(`/ws/v1/guest/terminals/${this.terminal}`);
    const { cols, rows } = screen.terminal;
    this.#connection = new TerminalConnection(address, { cols, rows }, browserWorld, this.#listener(screen), true);
    this.#connection.open();
  }

  #listener(screen: GuestScreen): Listener {
    return {
      status: (status) => this.#status(status),
      output: (bytes, _replay, done) => screen.terminal.write(bytes, done),
      restore: (bytes) => {
        if (this.#gap !== "") screen.terminal.write(scrollAway(this.#gap, screen.terminal.rows));
        this.#gap = "";
        screen.terminal.write(bytes);
      },
      hello: (hello) => this.#hello(hello, screen),
      notice: (notice) => this.#notice(notice, screen),
      exit: (exit) => (this.exit = exit),
      refused: () => undefined,
      uncertain: () => undefined,
    };
  }

  #hello(hello: Hello, screen: GuestScreen): void {
    screen.mayType = hello.role === "control";
    screen.follow(hello.cols, hello.rows);
    this.dataset["role"] = hello.role;
  }

  #notice(notice: Notice, screen: GuestScreen): void {
    if (notice.kind === "gap") this.#gap = gapSentence(notice.data);
    const size = sizeIn(notice);
    if (size === null) return;
    const { cols, rows } = size;
    this.#connection?.resizedElsewhere(cols, rows);
    // Also the answer to a size of our own.
    if (cols !== screen.terminal.cols || rows !== screen.terminal.rows) screen.follow(cols, rows);
  }

  /** Whoever types last decides the size: now it is us. */
  #type(bytes: Uint8Array): void {
    const screen = this.#screen;
    if (screen === null || screen.terminal.options.disableStdin === true) return;
    if (!screen.leads) {
      const { cols, rows } = screen.lead();
      this.#connection?.resize(cols, rows);
    }
    this.#connection?.type(bytes);
  }

  async #paste(given: string): Promise<void> {
    const terminal = this.#screen?.terminal;
    if (terminal === undefined) return;
    const text = await allowedPaste(given, terminal.modes.bracketedPasteMode);
    if (text !== null && text !== "") terminal.paste(text);
    this.focus();
  }

  #status(status: Status): void {
    if (status.state === "connecting" && this.status.state === "waiting") return;
    this.status = status;
    this.#tell("watch-status", status.state);
  }

  #tell(name: string, detail: string): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }

  protected override render(): TemplateResult {
    return html`${this.#bar()}
      <div class="watch-screen" tabindex="-1"></div>
      ${this.status.state === "connecting" ? html`<p class="terminal-words" role="status">Opening the terminal…</p>` : nothing}`;
  }

  #bar(): TemplateResult | typeof nothing {
    if (this.exit !== null) return html`<p class="bar bar-quiet" role="status">${exitSentence(this.exit)}</p>`;
    if (this.status.state !== "waiting" || this.status.held || this.status.attempt < 2) return nothing;
    return html`<p class="bar bar-warn" role="status">
      <span>The connection was cut. Reconnecting…</span>
      <button type="button" class="link" @click=${() => this.#connection?.wake()}>Try now</button>
    </p>`;
  }
}

customElements.define("pg-watch-terminal", WatchTerminal);
