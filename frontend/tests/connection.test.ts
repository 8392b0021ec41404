import { beforeEach, describe, expect, it } from "vitest";
import { TerminalConnection } from "../src/terminal/connection.js";
import { MAX_PENDING } from "../src/terminal/input-queue.js";
import { FakeWorld, Recorder } from "./fake-world.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("TerminalConnection", () => {
  let world: FakeWorld;
  let seen: Recorder;
  let connection: TerminalConnection;

  beforeEach(() => {
    world = new FakeWorld();
    seen = new Recorder();
    connection = new TerminalConnection("ws://host/ws/v1/terminals/1", { cols: 80, rows: 24 }, world, seen);
    connection.open();
  });

  it("asks for the oldest byte at first, and says who it is and how large", () => {
    const query = world.last.url.searchParams;
    expect(query.has("offset")).toBe(false);
    expect([query.get("client"), query.get("cols"), query.get("rows")]).toEqual(["1", "80", "24"]);
  });

  it("makes the terminal ready for output from the middle", () => {
    world.last.hello({ offset: 0, next: 0 });
    world.last.output(0, "old");
    world.last.end(1006);
    world.pass(10_000);
    world.last.hello({ offset: 2_000, next: 3_000 });
    world.last.notice({ type: "gap", from: 3, to: 2_000 });
    world.last.restore(2_000, "modes");
    world.last.output(2_000, "new");
    expect([seen.notices, seen.restored, seen.shown]).toEqual([["gap"], ["modes"], "oldnew"]);
  });

  it("refuses a state of another place", () => {
    world.last.hello();
    world.last.restore(7, "modes");
    expect(seen.state).toBe("closed");
  });

  it("comes back where output stopped, under the same name", () => {
    world.last.hello();
    world.last.output(0, "hello");
    world.last.end(1006);
    world.pass(10_000);
    expect(world.sockets).toHaveLength(2);
    expect(world.last.url.searchParams.get("offset")).toBe("5");
    expect(world.last.url.searchParams.get("client")).toBe("1");
    world.last.hello({ offset: 5 });
    world.last.output(3, "lo, world");
    expect(seen.shown).toBe("hello, world");
  });

  it("types again what was not acknowledged, and what was typed during the cut", () => {
    world.last.hello();
    connection.type(bytes("abc"));
    world.last.inputAck(1);
    world.last.end(1012);
    connection.type(bytes("de"));
    expect(connection.pending).toBe(4);
    world.pass(10_000);
    world.last.hello({ input: 2 });
    expect(world.last.typed).toEqual([[2, "cde"]]);
    world.last.inputAck(5);
    expect(connection.pending).toBe(0);
  });

  it("sends nothing before the server has greeted", () => {
    connection.type(bytes("early"));
    connection.resize(100, 30);
    expect(world.last.sent).toEqual([]);
    world.last.hello();
    expect(world.last.typed).toEqual([[0, "early"]]);
    expect(world.last.sent[0]?.[0]).toBe(0x01);
  });

  it("types nothing twice when the server has forgotten it", () => {
    world.last.hello();
    connection.type(bytes("rm -rf x"));
    world.last.inputAck(4);
    world.last.end(1006);
    world.pass(10_000);
    world.last.hello({ input: 0 });
    expect(seen.doubts).toEqual([4]);
    expect(world.last.url.searchParams.get("client")).toBe("2");
    world.last.hello();
    expect(world.last.typed).toEqual([]);
    connection.type(bytes("x"));
    expect(world.last.typed).toEqual([[0, "x"]]);
  });

  it("refuses a paste that is too large, whole", () => {
    connection.type(new Uint8Array(MAX_PENDING + 1));
    expect(seen.refusals).toEqual([MAX_PENDING + 1]);
    expect(connection.pending).toBe(0);
  });

  it("acknowledges what was drawn, not what has come", () => {
    seen.quick = false;
    world.last.hello();
    world.last.output(0, "abc");
    expect(world.last.acknowledged).toEqual([]);
    seen.drawing.shift()?.();
    expect(world.last.acknowledged).toEqual([3]);
  });

  it("acknowledges what nobody sees when it comes, as far as memory goes", () => {
    seen.quick = false;
    world.isHidden = true;
    world.last.hello();
    const piece = "x".repeat(1024 * 1024);
    for (let number = 0; number < 8; number += 1) world.last.output(number * piece.length, piece);
    expect(world.last.acknowledged.at(-1)).toBe(4 * piece.length);
    world.isHidden = false;
    for (const draw of seen.drawing) draw();
    expect(world.last.acknowledged.at(-1)).toBe(8 * piece.length);
  });

  it("acknowledges nothing on a connection that began later", () => {
    seen.quick = false;
    world.last.hello();
    world.last.output(0, "abc");
    world.last.end(1006);
    world.pass(10_000);
    world.last.hello({ offset: 3 });
    seen.drawing.shift()?.();
    expect(world.last.acknowledged).toEqual([]);
  });

  it("goes over an announced gap", () => {
    world.last.hello();
    world.last.output(0, "a");
    world.last.json(0x83, { type: "gap", from: 1, to: 100 });
    world.last.output(100, "b");
    expect([seen.shown, seen.notices]).toEqual(["ab", ["gap"]]);
  });

  it("takes an unannounced gap for a broken protocol", () => {
    world.last.hello();
    world.last.output(7, "a");
    expect(seen.state).toBe("closed");
    world.pass(60_000);
    expect(world.sockets).toHaveLength(1);
  });

  it("waits longer after each failure, and not at all when the network is back", () => {
    const delays: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      world.last.end(1006);
      const status = seen.statuses.at(-1);
      if (status?.state === "waiting") delays.push(status.delay);
      connection.wake();
    }
    expect(world.sockets).toHaveLength(9);
    expect(delays).toEqual([50, 500, 1000, 2000, 4000, 5000, 5000, 5000]);
  });

  it("takes silence after typing for a cut, once", () => {
    world.last.hello();
    connection.type(bytes("a"));
    world.pass(20_000);
    expect(world.sockets).toHaveLength(2);
    // The program reads nothing: the connection is fine.
    world.last.hello({ input: 0 });
    world.pass(60_000);
    expect(world.sockets).toHaveLength(2);
  });

  it.each([
    [4400, false],
    [4401, true],
    [4403, false],
    [4404, false],
    [4410, false],
  ])("stops at close code %i", (code, signIn) => {
    world.last.end(code);
    expect(seen.statuses.at(-1)).toMatchObject({ state: "closed", signIn });
    world.pass(60_000);
    expect(world.sockets).toHaveLength(1);
  });

  it.each([1001, 1006, 1011, 1012, 4409, 4429])("comes back after close code %i", (code) => {
    world.last.end(code);
    world.pass(20_000);
    expect(world.sockets).toHaveLength(2);
  });

  it("stays away after the terminal's end, and after leaving", () => {
    world.last.hello();
    world.last.json(0x82, { exit_code: 0, signal: null, reason: "exited" });
    world.last.end(1000);
    world.pass(60_000);
    expect([seen.exits, world.sockets.length]).toEqual([1, 1]);
  });

  it("does not listen to a connection that it has left", () => {
    const old = world.last;
    old.hello();
    connection.cut();
    world.pass(10_000);
    old.output(0, "ghost");
    old.end(4404);
    expect(seen.shown).toBe("");
    expect(seen.state).not.toBe("closed");
  });

  it("takes the size back that another window changed", () => {
    world.last.hello();
    connection.resizedElsewhere(40, 10);
    connection.resize(80, 24);
    expect(world.last.sent).toEqual([new Uint8Array([1, 0, 80, 0, 24])]);
  });

  it("sends its size when the server has another", () => {
    world.last.hello({ cols: 120 });
    expect(world.last.sent[0]).toEqual(new Uint8Array([1, 0, 80, 0, 24]));
  });
});
