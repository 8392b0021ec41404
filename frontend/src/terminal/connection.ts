import { backoff } from "./backoff.js";
import { verdict } from "./close-codes.js";
import { InputQueue } from "./input-queue.js";
import { OutputCursor } from "./output-cursor.js";
import {
  decode,
  encodeAck,
  encodeInputAt,
  encodeResize,
  ProtocolError,
  SUBPROTOCOL,
  type Exit,
  type Hello,
  type Notice,
  type ServerMessage,
} from "./protocol.js";

/** The most input that may be under way: Ctrl-C behind a paste waits for no more than this. */
const INPUT_WINDOW = 128 * 1024;
/** So many bytes a page that nobody sees takes without having drawn them. */
const HIDDEN_BACKLOG = 4 * 1024 * 1024;
/** A connection on which typed input stays unanswered for so long is taken for dead, in milliseconds. */
const INPUT_PATIENCE = 8000;

export type Status =
  | { readonly state: "connecting" }
  | { readonly state: "open" }
  /** Cut off; it tries again after `delay` milliseconds, and what is typed is kept. */
  | { readonly state: "waiting"; readonly attempt: number; readonly delay: number; readonly held: boolean }
  /** For good. */
  | { readonly state: "closed"; readonly sentence: string; readonly signIn: boolean };

/** The part of WebSocket that is used. */
export interface Socket {
  binaryType: BinaryType;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent<ArrayBuffer>) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
}

/** The outside world, so that tests can be it. */
export interface World {
  connect(url: string, protocol: string): Socket;
  setTimeout(call: () => void, milliseconds: number): number;
  clearTimeout(timer: number): void;
  random(): number;
  /** Nobody sees the page: browsers then let it draw once a second at most. */
  hidden(): boolean;
  /** A new random u64 in decimal. */
  clientId(): string;
}

export interface Listener {
  status(status: Status): void;
  /** Draw these bytes, then call `done`. */
  output(bytes: Uint8Array, replay: boolean, done: () => void): void;
  /** Output begins anew behind bytes that are gone: draw these, which make the terminal ready for it. */
  restore(bytes: Uint8Array): void;
  hello(hello: Hello): void;
  notice(notice: Notice): void;
  exit(exit: Exit): void;
  /** Input was not taken: too much waits already. */
  refused(bytes: number): void;
  /** The server forgot this client: so many typed bytes may or may not have arrived, and are not repeated. */
  uncertain(bytes: number): void;
}

/** One terminal's line to its machine. It survives every cut until the terminal ends or `close` is called. */
export class TerminalConnection {
  readonly #url: string;
  readonly #world: World;
  readonly #listener: Listener;
  readonly #output = new OutputCursor();
  readonly #input = new InputQueue();
  #client: string;
  #socket: Socket | null = null;
  #greeted = false;
  #frozen = false;
  #finished = false;
  #attempt = 0;
  #retryTimer: number | null = null;
  #patienceTimer: number | null = null;
  /** The accepted offset at which patience ran out last: a program that reads nothing is no dead connection. */
  #stuckAt = -1;
  #cols: number;
  #rows: number;
  /** Takes the size that the terminal has, and changes it by `resize` alone. */
  readonly #follows: boolean;
  /** The server takes input of us. */
  #mayType = true;

  constructor(url: string, size: { cols: number; rows: number }, world: World, listener: Listener, follows = false) {
    this.#url = url;
    this.#world = world;
    this.#listener = listener;
    this.#client = world.clientId();
    this.#cols = size.cols;
    this.#rows = size.rows;
    this.#follows = follows;
  }

  /** Bytes that were typed and have not arrived. */
  get pending(): number {
    return this.#input.size;
  }

  open(): void {
    if (this.#finished || this.#socket !== null) return;
    this.#clearRetry();
    this.#greeted = false;
    this.#frozen = false;
    this.#listener.status({ state: "connecting" });
    const socket = this.#world.connect(this.#address(), SUBPROTOCOL);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => this.#receive(socket, event.data);
    socket.onclose = (event) => this.#closed(socket, event.code);
    this.#socket = socket;
  }

  /** The network or the person is back: no more waiting. */
  wake(): void {
    if (this.#retryTimer !== null) this.open();
    else if (this.#greeted && this.#input.inFlight > 0) {
      this.#clearPatience();
      this.#beImpatient(1500);
    }
  }

  /** The network is known to be gone; without this, it would take minutes to notice. */
  cut(): void {
    const socket = this.#socket;
    if (socket === null || this.#finished) return;
    socket.close();
    this.#closed(socket, 1006);
  }

  type(bytes: Uint8Array): void {
    if (this.#finished || !this.#mayType) return;
    if (!this.#input.push(bytes)) this.#listener.refused(bytes.length);
    this.#flush();
  }

  resize(cols: number, rows: number): void {
    if (cols === this.#cols && rows === this.#rows) return;
    this.#cols = cols;
    this.#rows = rows;
    if (this.#greeted) this.#socket?.send(encodeResize(cols, rows));
  }

  /** Somebody else gave the terminal this size: ours, if it differs, is news again. */
  resizedElsewhere(cols: number, rows: number): void {
    this.#cols = cols;
    this.#rows = rows;
  }

  /** Leaves the terminal, which goes on without us. */
  close(): void {
    this.#finished = true;
    this.#clearRetry();
    this.#clearPatience();
    this.#socket?.close(1000);
    this.#socket = null;
  }

  #address(): string {
    const query = new URLSearchParams({ client: this.#client });
    if (!this.#follows) {
      query.set("cols", String(this.#cols));
      query.set("rows", String(this.#rows));
    }
    if (this.#output.received !== null) query.set("offset", String(this.#output.received));
    return `${this.#url}${this.#url.includes("?") ? "&" : "?"}${query.toString()}`;
  }

  #receive(socket: Socket, data: ArrayBuffer): void {
    if (socket !== this.#socket) return;
    try {
      this.#handle(decode(data));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#stop("This page and the server do not understand each other. Reload the page.", false);
    }
  }

  #handle(message: ServerMessage): void {
    switch (message.type) {
      case "hello":
        return this.#hello(message);
      case "output":
        return this.#draw(message.offset, message.bytes);
      case "restore":
        if (message.offset !== this.#output.received) throw new ProtocolError("a state of another place");
        return this.#listener.restore(message.bytes);
      case "input_ack":
        if (!this.#input.accept(message.offset)) throw new ProtocolError("an acknowledgement of nothing");
        this.#clearPatience();
        return this.#flush();
      case "notice":
        if (message.kind === "gap") this.#skip(message);
        if (message.kind === "paused") this.#freeze();
        if (message.kind === "resumed") this.#thaw();
        return this.#listener.notice(message);
      case "exit":
        // The socket is closed by the server after this; there is nothing to come back to.
        this.#finished = true;
        this.#clearPatience();
        return this.#listener.exit(message);
    }
  }

  #hello(hello: Hello): void {
    this.#attempt = 0;
    this.#output.begin(hello.offset, hello.next);
    this.#mayType = hello.role !== "observe";
    // What was typed before the right to type was taken away is not kept for when it comes back.
    if (!this.#mayType) this.#input.reset();
    if (!this.#input.rewind(hello.input)) return this.#startOver();
    this.#greeted = true;
    if (this.#follows) this.resizedElsewhere(hello.cols, hello.rows);
    else if (hello.cols !== this.#cols || hello.rows !== this.#rows) {
      this.#socket?.send(encodeResize(this.#cols, this.#rows));
    }
    this.#listener.hello(hello);
    this.#listener.status({ state: "open" });
    this.#flush();
  }

  /** The server does not know how far our input got: go on under a new name rather than type anything twice. */
  #startOver(): void {
    this.#listener.uncertain(this.#input.size);
    this.#input.reset();
    this.#client = this.#world.clientId();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
    this.open();
  }

  /** A paused machine answers nothing: that is no dead connection. */
  #freeze(): void {
    this.#frozen = true;
    this.#clearPatience();
  }

  #thaw(): void {
    this.#frozen = false;
    this.#flush();
  }

  #skip(notice: Notice): void {
    const to = notice.data["to"];
    if (typeof to !== "number" || !Number.isSafeInteger(to)) throw new ProtocolError("a gap without its end");
    this.#output.skip(to);
  }

  #draw(offset: number, bytes: Uint8Array): void {
    const pieces = this.#output.take(offset, bytes);
    if (pieces === null) throw new ProtocolError("output with a hole in it");
    let end = offset + bytes.length - pieces.reduce((sum, piece) => sum + piece.bytes.length, 0);
    for (const piece of pieces) {
      end += piece.bytes.length;
      const drawn = end;
      this.#listener.output(piece.bytes, piece.replay, () => this.#drawn(drawn));
    }
    if (this.#world.hidden()) {
      this.#output.trust(HIDDEN_BACKLOG);
      this.#acknowledge();
    }
  }

  #drawn(offset: number): void {
    this.#output.processed(offset);
    this.#acknowledge();
  }

  #acknowledge(): void {
    if (!this.#greeted) return;
    const acknowledged = this.#output.acknowledge(this.#output.idle);
    if (acknowledged !== null) this.#socket?.send(encodeAck(acknowledged));
  }

  #flush(): void {
    if (!this.#greeted || this.#socket === null) return;
    for (let piece = this.#input.take(INPUT_WINDOW); piece !== null; piece = this.#input.take(INPUT_WINDOW)) {
      this.#socket.send(encodeInputAt(piece.offset, piece.bytes));
    }
    if (this.#input.inFlight > 0) this.#beImpatient(INPUT_PATIENCE);
  }

  #beImpatient(milliseconds: number): void {
    if (this.#frozen || this.#patienceTimer !== null || this.#stuckAt === this.#input.accepted) return;
    this.#patienceTimer = this.#world.setTimeout(() => {
      this.#patienceTimer = null;
      this.#stuckAt = this.#input.accepted;
      this.cut();
    }, milliseconds);
  }

  #closed(socket: Socket, code: number): void {
    if (socket !== this.#socket) return;
    this.#socket = null;
    this.#greeted = false;
    this.#clearPatience();
    if (this.#finished) return;
    const next = verdict(code);
    if (next.next === "stop") return this.#stop(next.sentence, next.signIn ?? false);
    this.#attempt += 1;
    const delay = backoff(this.#attempt, () => this.#world.random(), next.base);
    this.#listener.status({ state: "waiting", attempt: this.#attempt, delay, held: next.held ?? false });
    this.#retryTimer = this.#world.setTimeout(() => this.open(), delay);
  }

  #stop(sentence: string, signIn: boolean): void {
    this.close();
    this.#listener.status({ state: "closed", sentence, signIn });
  }

  #clearRetry(): void {
    if (this.#retryTimer !== null) this.#world.clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
  }

  #clearPatience(): void {
    if (this.#patienceTimer !== null) this.#world.clearTimeout(this.#patienceTimer);
    this.#patienceTimer = null;
  }
}
