import { describe, expect, it } from "vitest";
import { ACK_EVERY, OutputCursor } from "../src/terminal/output-cursor.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (cursor: OutputCursor, offset: number, data: string): string =>
  (cursor.take(offset, bytes(data)) ?? []).map((piece) => new TextDecoder().decode(piece.bytes)).join("");

describe("OutputCursor", () => {
  it("asks for nothing before it has seen anything, then for what follows", () => {
    const cursor = new OutputCursor();
    expect(cursor.received).toBeNull();
    cursor.begin(10, 10);
    text(cursor, 10, "abc");
    expect(cursor.received).toBe(13);
  });

  it("drops an overlap, wholly or in part", () => {
    const cursor = new OutputCursor();
    cursor.begin(0, 0);
    expect(text(cursor, 0, "abcd")).toBe("abcd");
    expect(text(cursor, 1, "bc")).toBe("");
    expect(text(cursor, 2, "cdef")).toBe("ef");
  });

  it("refuses a hole, and takes one that was announced", () => {
    const cursor = new OutputCursor();
    cursor.begin(0, 0);
    expect(cursor.take(5, bytes("x"))).toBeNull();
    cursor.skip(5);
    expect(text(cursor, 5, "x")).toBe("x");
  });

  it("tells old output from new on the first connection alone", () => {
    const cursor = new OutputCursor();
    cursor.begin(0, 3);
    expect(cursor.take(0, bytes("oldnew"))).toEqual([
      { bytes: bytes("old"), replay: true },
      { bytes: bytes("new"), replay: false },
    ]);
    cursor.begin(6, 9);
    expect(cursor.take(6, bytes("cut"))).toEqual([{ bytes: bytes("cut"), replay: false }]);
  });

  it("acknowledges what was drawn: in big steps, or at rest", () => {
    const cursor = new OutputCursor();
    cursor.begin(0, 0);
    cursor.take(0, new Uint8Array(ACK_EVERY * 2));
    cursor.processed(100);
    expect(cursor.acknowledge(cursor.idle)).toBeNull();
    cursor.processed(ACK_EVERY);
    expect(cursor.acknowledge(cursor.idle)).toBe(ACK_EVERY);
    cursor.processed(ACK_EVERY * 2);
    expect(cursor.idle).toBe(true);
    expect(cursor.acknowledge(cursor.idle)).toBe(ACK_EVERY * 2);
    expect(cursor.acknowledge(true)).toBeNull();
  });

  it("acknowledges nothing that lies before the connection began", () => {
    const cursor = new OutputCursor();
    cursor.begin(0, 0);
    cursor.take(0, bytes("abcdef"));
    cursor.begin(6, 6);
    cursor.processed(4);
    expect(cursor.acknowledge(true)).toBeNull();
    cursor.take(6, bytes("g"));
    cursor.processed(7);
    expect(cursor.acknowledge(true)).toBe(7);
  });
});
