/**
 * The subprotocol `playground.terminal.v1`: binary messages, the first byte is the type, integers are big-endian.
 * Pure: bytes in, values out. Offsets are u64 on the wire and numbers here; one beyond 2^53 is refused.
 */

export const SUBPROTOCOL = "playground.terminal.v1";
export const MAX_INPUT = 64 * 1024;
export const MAX_SIZE = 1000;

const INPUT = 0x00;
const RESIZE = 0x01;
const ACK = 0x02;
const INPUT_AT = 0x03;
const HELLO = 0x80;
const OUTPUT = 0x81;
const EXIT = 0x82;
const NOTICE = 0x83;
const INPUT_ACK = 0x84;
const RESTORE = 0x85;

export interface Hello {
  readonly type: "hello";
  readonly terminal: string;
  readonly machine: string;
  /** Where output will continue. */
  readonly offset: number;
  /** The end of what is already there: bytes before it are a replay. */
  readonly next: number;
  /** Input bytes of this client that were accepted so far. */
  readonly input: number;
  readonly cols: number;
  readonly rows: number;
  readonly role: string;
}

export interface Output {
  readonly type: "output";
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export interface Exit {
  readonly type: "exit";
  /** Absent when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly reason: string;
}

export interface Notice {
  readonly type: "notice";
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface InputAck {
  readonly type: "input_ack";
  readonly offset: number;
}

/** What makes a terminal ready for the output from `offset` on, whatever it shows. */
export interface Restore {
  readonly type: "restore";
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export type ServerMessage = Hello | Output | Exit | Notice | InputAck | Restore;

export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

export function encodeInput(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  checkInput(bytes);
  const message = new Uint8Array(1 + bytes.length);
  message[0] = INPUT;
  message.set(bytes, 1);
  return message;
}

/** Input whose first byte is the `offset`-th of this client: a server that has it already drops it. */
export function encodeInputAt(offset: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  checkInput(bytes);
  const message = new Uint8Array(9 + bytes.length);
  message[0] = INPUT_AT;
  writeOffset(message, offset);
  message.set(bytes, 9);
  return message;
}

export function encodeResize(cols: number, rows: number): Uint8Array<ArrayBuffer> {
  if (!isSize(cols) || !isSize(rows)) throw new ProtocolError(`no terminal is ${cols} by ${rows}`);
  const message = new Uint8Array(5);
  const view = new DataView(message.buffer);
  view.setUint8(0, RESIZE);
  view.setUint16(1, cols);
  view.setUint16(3, rows);
  return message;
}

export function encodeAck(offset: number): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(9);
  message[0] = ACK;
  writeOffset(message, offset);
  return message;
}

function isSize(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_SIZE;
}

/** The size that a terminal has now, by a notice of that; null for any other, and for what is none. */
export function sizeIn({ kind, data: { cols, rows } }: Notice): { cols: number; rows: number } | null {
  if (kind !== "resized" || typeof cols !== "number" || typeof rows !== "number") return null;
  return isSize(cols) && isSize(rows) ? { cols, rows } : null;
}

/** What the server sent. Throws ProtocolError for anything that this version does not know. */
export function decode(data: ArrayBuffer): ServerMessage {
  const message = new Uint8Array(data);
  const type = message[0];
  switch (type) {
    case HELLO:
      return hello(json(message));
    case OUTPUT:
      return { type: "output", offset: readOffset(message), bytes: message.subarray(9) };
    case EXIT:
      return exit(json(message));
    case NOTICE:
      return notice(json(message));
    case INPUT_ACK:
      if (message.length !== 9) throw new ProtocolError("INPUT_ACK is not 9 bytes");
      return { type: "input_ack", offset: readOffset(message) };
    case RESTORE:
      return { type: "restore", offset: readOffset(message), bytes: message.subarray(9) };
    default:
      throw new ProtocolError(type === undefined ? "an empty message" : `unknown type 0x${type.toString(16)}`);
  }
}

function checkInput(bytes: Uint8Array): void {
  if (bytes.length < 1 || bytes.length > MAX_INPUT) throw new ProtocolError(`input of ${bytes.length} bytes`);
}

function writeOffset(message: Uint8Array<ArrayBuffer>, offset: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0) throw new ProtocolError(`no offset: ${offset}`);
  new DataView(message.buffer).setBigUint64(1, BigInt(offset));
}

function readOffset(message: Uint8Array): number {
  if (message.length < 9) throw new ProtocolError("a message without its offset");
  const offset = new DataView(message.buffer, message.byteOffset).getBigUint64(1);
  if (offset > BigInt(Number.MAX_SAFE_INTEGER)) throw new ProtocolError("an offset beyond 2^53");
  return Number(offset);
}

type Fields = Readonly<Record<string, unknown>>;

function json(message: Uint8Array): Fields {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(message.subarray(1)));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  } catch {
    // Reported below, with the ones that are JSON but no object.
  }
  throw new ProtocolError("a message that is no JSON object");
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== "string") throw new ProtocolError(`${name} is no text`);
  return value;
}

function count(fields: Fields, name: string, fallback?: number): number {
  const value = fields[name] ?? fallback;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw new ProtocolError(`${name} is no count`);
  }
  return value;
}

function hello(fields: Fields): Hello {
  const offset = count(fields, "offset");
  return {
    type: "hello",
    terminal: text(fields, "terminal"),
    machine: text(fields, "machine"),
    offset,
    next: count(fields, "next", offset),
    input: count(fields, "input", 0),
    cols: count(fields, "cols"),
    rows: count(fields, "rows"),
    role: text(fields, "role"),
  };
}

function exit(fields: Fields): Exit {
  const code = fields["exit_code"];
  const signal = fields["signal"];
  return {
    type: "exit",
    exitCode: typeof code === "number" ? code : null,
    signal: typeof signal === "string" || (typeof signal === "number" && signal !== 0) ? String(signal) : null,
    reason: typeof fields["reason"] === "string" ? fields["reason"] : "",
  };
}

function notice(fields: Fields): Notice {
  return { type: "notice", kind: text(fields, "type"), data: fields };
}
