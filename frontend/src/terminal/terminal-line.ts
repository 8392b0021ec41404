import type { ReactiveController, ReactiveControllerHost } from "lit";
import { size } from "../ui/words.js";
import { TerminalConnection, type Listener, type Status, type World } from "./connection.js";
import { sizeIn, type Exit, type Hello, type Notice } from "./protocol.js";
import { connectionBar, exitSentence, gapSentence, type Bar } from "./sentences.js";

/** What draws the output. */
export interface LineScreen {
  write(bytes: Uint8Array, replay: boolean, done: () => void): void;
  /** Begins anew with `state`; what was shown goes out of sight, below it `remark` if there is one. */
  restore(state: Uint8Array, remark: string): void;
}

export interface LineListener {
  status(state: Status["state"]): void;
  hello(hello: Hello): void;
  notice(notice: Notice): void;
  /** The terminal has this size now. */
  sized(cols: number, rows: number): void;
  exit(): void;
  /** Something to be read for a moment. */
  say(text: string): void;
  /** Something for people who listen: it is shown by a bar. */
  announce(text: string): void;
}

interface LineOptions {
  /** It takes the size that the terminal has, and gives one only by `resize`. */
  readonly follows?: boolean;
  /** So many attempts to come back are not spoken of. */
  readonly patience?: number;
}

/** A terminal's connection as its page tells of it: how it is, whether the shell has ended, what is missing. */
export class TerminalLine implements Listener, ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #world: World;
  readonly #listener: LineListener;
  readonly #follows: boolean;
  readonly #patience: number;
  #screen: LineScreen | null = null;
  #connection: TerminalConnection | null = null;
  #status: Status = { state: "connecting" };
  #exit: Exit | null = null;
  #fresh = true;
  /** What to say of output that was missed, until the screen is made ready for what follows. */
  #gap = "";

  constructor(host: ReactiveControllerHost, world: World, listener: LineListener, options: LineOptions = {}) {
    this.#host = host;
    this.#world = world;
    this.#listener = listener;
    this.#follows = options.follows ?? false;
    this.#patience = options.patience ?? 0;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.#connection?.close();
    this.#connection = null;
  }

  open(address: string, cols: number, rows: number, screen: LineScreen): void {
    this.#screen = screen;
    this.#connection = new TerminalConnection(address, { cols, rows }, this.#world, this, this.#follows);
    this.#connection.open();
  }

  /** The terminal's process has ended; null: it has not. */
  get ended(): Exit | null {
    return this.#exit;
  }

  /** It connects for the first time, and nothing was drawn yet. */
  get isOpening(): boolean {
    return this.#fresh && this.#status.state === "connecting";
  }

  /** What is wrong with it; null: nothing. */
  get bar(): Bar | null {
    const status = this.#status;
    if (status.state === "waiting" && status.attempt <= this.#patience) return null;
    return connectionBar(status, this.#connection?.pending ?? 0);
  }

  /** Whoever misses the server sees why here: it opens, or was cut off, which the bar says once patience is over. */
  get tellsOfServer(): boolean {
    const status = this.#status;
    return status.state === "connecting" || (status.state === "waiting" && !status.held);
  }

  type(bytes: Uint8Array): void {
    this.#connection?.type(bytes);
    // The bar says whether typed bytes are waiting.
    if (this.#status.state === "waiting") this.#host.requestUpdate();
  }

  resize(cols: number, rows: number): void {
    this.#connection?.resize(cols, rows);
  }

  /** No more waiting. */
  wake(): void {
    this.#connection?.wake();
  }

  /** The network is gone. */
  cut(): void {
    this.#connection?.cut();
  }

  /** For good: no more trying to come back. */
  finish(): void {
    this.#connection?.close();
  }

  status(status: Status): void {
    const before = this.#status;
    const spoken = before.state === "waiting" && before.attempt > this.#patience;
    if (status.state === "open" && spoken) this.#listener.announce("Connected again.");
    if (status.state === "waiting" && status.attempt === this.#patience + 1 && !status.held) {
      this.#listener.announce("The connection was cut. Reconnecting.");
    }
    // Trying again is part of being cut: the bar stays until there is an answer.
    if (status.state === "connecting" && before.state === "waiting") return;
    this.#status = status;
    this.#host.requestUpdate();
    this.#listener.status(status.state);
  }

  output(bytes: Uint8Array, replay: boolean, done: () => void): void {
    this.#screen?.write(bytes, replay, () => {
      this.#drawn();
      done();
    });
  }

  restore(bytes: Uint8Array): void {
    this.#screen?.restore(bytes, this.#gap);
    this.#gap = "";
  }

  hello(hello: Hello): void {
    this.#listener.hello(hello);
  }

  notice(notice: Notice): void {
    if (notice.kind === "gap") this.#gap = gapSentence(notice.data);
    const other = sizeIn(notice);
    if (other !== null) {
      this.#connection?.resizedElsewhere(other.cols, other.rows);
      this.#listener.sized(other.cols, other.rows);
    }
    this.#listener.notice(notice);
  }

  exit(exit: Exit): void {
    this.#exit = exit;
    this.#drawn();
    this.#host.requestUpdate();
    this.#listener.announce(exitSentence(exit));
    this.#listener.exit();
  }

  refused(bytes: number): void {
    this.#listener.say(`${size(bytes)} are too much at once: nothing of it was typed.`);
  }

  uncertain(bytes: number): void {
    if (bytes > 0) this.#listener.say("The last keys you typed may not have arrived.");
  }

  #drawn(): void {
    if (!this.#fresh) return;
    this.#fresh = false;
    this.#host.requestUpdate();
  }
}
