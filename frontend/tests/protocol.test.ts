import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  decode,
  encodeAck,
  encodeInput,
  encodeInputAt,
  encodeResize,
  ProtocolError,
  type ServerMessage,
} from "../src/terminal/protocol.js";

interface Golden {
  readonly name: string;
  readonly hex: string;
  readonly type: number;
  readonly offset?: number;
  readonly cols?: number;
  readonly rows?: number;
  readonly data_hex?: string;
  readonly json?: Readonly<Record<string, unknown>>;
}

type Part = "to_server" | "to_client" | "refused_from_server";

/** The server's tests read the same file. */
const golden = JSON.parse(
  readFileSync(new URL("../../runtime/terminal/golden/messages.json", import.meta.url), "utf-8"),
) as Readonly<Record<Part, readonly Golden[]>>;

const bytes = (hex: string): Uint8Array<ArrayBuffer> => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (data: Uint8Array): string => Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");

function encoded({ type, offset = 0, cols = 0, rows = 0, data_hex = "" }: Golden): Uint8Array {
  switch (type) {
    case 0x00:
      return encodeInput(bytes(data_hex));
    case 0x01:
      return encodeResize(cols, rows);
    case 0x02:
      return encodeAck(offset);
    default:
      return encodeInputAt(offset, bytes(data_hex));
  }
}

function check(message: ServerMessage, expected: Golden): void {
  const json = expected.json ?? {};
  switch (message.type) {
    case "output":
      expect([message.offset, hex(message.bytes)]).toEqual([expected.offset, expected.data_hex]);
      return;
    case "restore":
      expect([message.offset, hex(message.bytes)]).toEqual([expected.offset, expected.data_hex]);
      return;
    case "input_ack":
      expect(message.offset).toBe(expected.offset);
      return;
    case "notice":
      expect([message.kind, message.data]).toEqual([json["type"], json]);
      return;
    case "exit":
      expect([message.exitCode, message.reason]).toEqual([json["exit_code"], json["reason"]]);
      expect(message.signal).toBe(json["signal"] === null ? null : String(json["signal"]));
      return;
    case "hello": {
      const { type: _, ...fields } = message;
      expect(fields).toEqual(json);
    }
  }
}

describe("playground.terminal.v1", () => {
  it.each(golden.to_server)("encodes $name", (expected) => {
    expect(hex(encoded(expected))).toBe(expected.hex);
  });

  it.each(golden.to_client)("decodes $name", (expected) => {
    check(decode(bytes(expected.hex).buffer), expected);
  });

  it.each(golden.refused_from_server)("refuses $name", ({ hex: text }) => {
    expect(() => decode(bytes(text).buffer)).toThrow(ProtocolError);
  });
});
