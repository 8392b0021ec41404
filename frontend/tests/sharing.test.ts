import { beforeEach, describe, expect, it } from "vitest";
import { fittingSize, LARGEST, SMALLEST } from "../src/sharing/fitting.js";
import { presence } from "../src/sharing/words.js";
import { TerminalConnection } from "../src/terminal/connection.js";
import { FakeWorld, Recorder } from "./fake-world.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("a guest's line", () => {
  let world: FakeWorld;
  let connection: TerminalConnection;

  beforeEach(() => {
    world = new FakeWorld();
    connection = new TerminalConnection("ws://host/ws", { cols: 80, rows: 24 }, world, new Recorder(), true);
    connection.open();
  });

  const sizes = (): number[][] => world.last.sent.filter((message) => message[0] === 0x01).map((message) => [...message.slice(1)]);

  it("says no size by coming, and none because the terminal has another", () => {
    expect(world.last.url.searchParams.has("cols")).toBe(false);
    world.last.json(0x80, { terminal: "t", machine: "m", offset: 0, next: 0, input: 0, cols: 111, rows: 33, role: "control" });
    expect(sizes()).toEqual([]);
  });

  it("says its size once whoever may type does", () => {
    world.last.hello({ cols: 111, rows: 33 });
    connection.resize(70, 20);
    connection.resize(70, 20);
    expect(sizes()).toEqual([[0, 70, 0, 20]]);
  });

  it("types nothing while it watches, and keeps nothing for later", () => {
    world.last.json(0x80, { terminal: "t", machine: "m", offset: 0, next: 0, input: 0, cols: 80, rows: 24, role: "observe" });
    connection.type(bytes("rm -rf /\n"));
    expect(connection.pending).toBe(0);
    world.last.end(1012);
    world.pass(10_000);
    world.last.hello();
    expect(world.last.typed).toEqual([]);
    connection.type(bytes("ls\n"));
    expect(world.last.typed).toEqual([[0, "ls\n"]]);
  });

  it("drops what was typed and not taken when the right to type ends", () => {
    world.last.hello();
    connection.type(bytes("half a line"));
    world.last.end(1012);
    world.pass(10_000);
    world.last.json(0x80, { terminal: "t", machine: "m", offset: 0, next: 0, input: 0, cols: 80, rows: 24, role: "observe" });
    expect([world.last.typed, connection.pending]).toEqual([[], 0]);
  });
});

describe("fittingSize", () => {
  it("is as large as the room allows", () => {
    expect(fittingSize({ width: 1000, height: 400 }, 14, { width: 500, height: 400 })).toBe(7);
    expect(fittingSize({ width: 500, height: 400 }, 14, { width: 1000, height: 600 })).toBe(21);
  });

  it("has its ends", () => {
    expect(fittingSize({ width: 9000, height: 400 }, 14, { width: 300, height: 400 })).toBe(SMALLEST);
    expect(fittingSize({ width: 10, height: 10 }, 14, { width: 3000, height: 4000 })).toBe(LARGEST);
  });

  it("is never smaller than was asked for", () => {
    expect(fittingSize({ width: 1000, height: 400 }, 14, { width: 500, height: 400 }, 12)).toBe(12);
  });

  it("leaves what is not drawn as it is", () => {
    expect(fittingSize({ width: 0, height: 0 }, 14, { width: 500, height: 400 })).toBe(14);
    expect(fittingSize({ width: 500, height: 400 }, 14, { width: 0, height: 0 })).toBe(14);
  });
});

describe("presence", () => {
  it.each([
    [0, 0, "Nobody else is here"],
    [1, 0, "1 other person watches"],
    [1, 1, "1 other person watches and may type"],
    [3, 0, "3 other people watch"],
    [3, 2, "3 other people watch, 2 of them may type"],
  ])("%i there, %i typing", (here, typing, words) => {
    expect(presence(here, typing)).toBe(words);
  });
});
