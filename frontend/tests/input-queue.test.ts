import { describe, expect, it } from "vitest";
import { InputQueue, MAX_PENDING } from "../src/terminal/input-queue.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array | undefined): string => new TextDecoder().decode(data);

describe("InputQueue", () => {
  it("numbers every byte once", () => {
    const queue = new InputQueue();
    queue.push(bytes("ab"));
    expect(queue.take(100)).toEqual({ offset: 0, bytes: bytes("ab") });
    queue.push(bytes("c"));
    expect(queue.take(100)).toEqual({ offset: 2, bytes: bytes("c") });
    expect(queue.take(100)).toBeNull();
  });

  it("sends again what was not accepted, after a cut", () => {
    const queue = new InputQueue();
    queue.push(bytes("hello"));
    queue.take(100);
    queue.accept(2);
    expect(queue.rewind(3)).toBe(true);
    expect(queue.take(100)).toEqual({ offset: 3, bytes: bytes("lo") });
  });

  it("keeps no more in flight than the window", () => {
    const queue = new InputQueue();
    queue.push(bytes("0123456789"));
    expect(text(queue.take(4)?.bytes)).toBe("0123");
    expect(queue.take(4)).toBeNull();
    queue.accept(3);
    expect(text(queue.take(4)?.bytes)).toBe("456");
  });

  it("takes all of a paste or nothing", () => {
    const queue = new InputQueue();
    expect(queue.push(new Uint8Array(MAX_PENDING - 1))).toBe(true);
    expect(queue.push(bytes("ab"))).toBe(false);
    expect(queue.size).toBe(MAX_PENDING - 1);
  });

  it("refuses an acknowledgement of what was never sent or was accepted before", () => {
    const queue = new InputQueue();
    queue.push(bytes("abc"));
    queue.take(2);
    expect(queue.accept(3)).toBe(false);
    expect(queue.accept(2)).toBe(true);
    expect(queue.accept(1)).toBe(false);
  });

  it.each([1, 2, 3, 7])("loses and doubles nothing over cuts, in windows of %i", (window) => {
    const queue = new InputQueue();
    const typed = "the quick brown fox jumps over the lazy dog";
    let arrived = "";
    let accepted = 0;
    for (const [index, character] of [...typed].entries()) {
      queue.push(bytes(character));
      if (index % 5 === 4) queue.rewind(accepted);
      for (let piece = queue.take(window); piece !== null; piece = queue.take(window)) {
        // The server drops what it has: it may have accepted more than it could say before the cut.
        arrived += text(piece.bytes.subarray(Math.max(0, accepted - piece.offset)));
        accepted = Math.max(accepted, piece.offset + piece.bytes.length);
        if (index % 2 === 0) queue.accept(accepted);
      }
    }
    queue.rewind(accepted);
    for (let piece = queue.take(99); piece !== null; piece = queue.take(99)) arrived += text(piece.bytes);
    expect(arrived).toBe(typed);
  });
});
