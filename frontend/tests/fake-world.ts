import type { Listener, Socket, Status, World } from "../src/terminal/connection.js";

/** A server's side of one connection, spoken by the test. */
export class FakeSocket implements Socket {
  binaryType: BinaryType = "blob";
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent<ArrayBuffer>) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  readonly sent: Uint8Array[] = [];
  closed: number | null = null;
  readonly url: URL;

  constructor(url: string) {
    this.url = new URL(url);
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    this.sent.push(data);
  }

  close(code = 1005): void {
    this.closed = code;
  }

  /** The connection ends with this code. */
  end(code: number): void {
    this.onclose?.({ code } as CloseEvent);
  }

  receive(type: number, body: Uint8Array): void {
    const data = new Uint8Array(1 + body.length);
    data[0] = type;
    data.set(body, 1);
    this.onmessage?.({ data: data.buffer } as MessageEvent<ArrayBuffer>);
  }

  json(type: number, value: object): void {
    this.receive(type, new TextEncoder().encode(JSON.stringify(value)));
  }

  hello(fields: { offset?: number; next?: number; input?: number; cols?: number; rows?: number } = {}): void {
    const offset = fields.offset ?? 0;
    this.json(0x80, { terminal: "t", machine: "main", offset, next: offset, input: 0, cols: 80, rows: 24, role: "control", ...fields });
  }

  output(offset: number, text: string): void {
    this.#placed(0x81, offset, text);
  }

  restore(offset: number, text: string): void {
    this.#placed(0x85, offset, text);
  }

  #placed(type: number, offset: number, text: string): void {
    const body = new TextEncoder().encode(text);
    const message = new Uint8Array(8 + body.length);
    new DataView(message.buffer).setBigUint64(0, BigInt(offset));
    message.set(body, 8);
    this.receive(type, message);
  }

  notice(content: object): void {
    this.json(0x83, content);
  }

  inputAck(offset: number): void {
    const message = new Uint8Array(8);
    new DataView(message.buffer).setBigUint64(0, BigInt(offset));
    this.receive(0x84, message);
  }

  /** What was typed on this connection: [offset, text]. */
  get typed(): [number, string][] {
    return this.sent
      .filter((message) => message[0] === 0x03)
      .map((message) => [
        Number(new DataView(message.buffer, message.byteOffset).getBigUint64(1)),
        new TextDecoder().decode(message.subarray(9)),
      ]);
  }

  /** The offsets that were acknowledged on this connection. */
  get acknowledged(): number[] {
    return this.sent
      .filter((message) => message[0] === 0x02)
      .map((message) => Number(new DataView(message.buffer, message.byteOffset).getBigUint64(1)));
  }
}

/** Time and network in the test's hands. */
export class FakeWorld implements World {
  readonly sockets: FakeSocket[] = [];
  #now = 0;
  #next = 1;
  #clients = 0;
  #timers = new Map<number, { at: number; call: () => void }>();

  connect(url: string): FakeSocket {
    const socket = new FakeSocket(url);
    this.sockets.push(socket);
    return socket;
  }

  setTimeout(call: () => void, milliseconds: number): number {
    this.#timers.set(this.#next, { at: this.#now + milliseconds, call });
    return this.#next++;
  }

  clearTimeout(timer: number): void {
    this.#timers.delete(timer);
  }

  isHidden = false;

  hidden(): boolean {
    return this.isHidden;
  }

  random(): number {
    return 0.5;
  }

  clientId(): string {
    this.#clients += 1;
    return String(this.#clients);
  }

  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("nothing has connected");
    return socket;
  }

  /** Lets time pass; timers fire in order. */
  pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.at <= end).sort(([, one], [, other]) => one.at - other.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due[0]);
      this.#now = due[1].at;
      due[1].call();
    }
    this.#now = end;
  }
}

/** Writes down what a connection says. */
export class Recorder implements Listener {
  readonly statuses: Status[] = [];
  readonly notices: string[] = [];
  readonly restored: string[] = [];
  readonly drawing: (() => void)[] = [];
  shown = "";
  exits = 0;
  refusals: number[] = [];
  doubts: number[] = [];
  /** Whether output is drawn at once. */
  quick = true;

  status(status: Status): void {
    this.statuses.push(status);
  }

  output(bytes: Uint8Array, _replay: boolean, done: () => void): void {
    this.shown += new TextDecoder().decode(bytes);
    if (this.quick) done();
    else this.drawing.push(done);
  }

  restore(bytes: Uint8Array): void {
    this.restored.push(new TextDecoder().decode(bytes));
  }

  hello(): void {}

  notice(notice: { kind: string }): void {
    this.notices.push(notice.kind);
  }

  exit(): void {
    this.exits += 1;
  }

  refused(bytes: number): void {
    this.refusals.push(bytes);
  }

  uncertain(bytes: number): void {
    this.doubts.push(bytes);
  }

  get state(): string {
    return this.statuses.at(-1)?.state ?? "";
  }
}
