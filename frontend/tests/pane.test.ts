import { Terminal } from "@xterm/headless";
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Remark } from "../src/terminal/remark.js";
import { scrollbackOf } from "../src/terminal/scrollback.js";
import { TerminalLine, type LineListener, type LineScreen } from "../src/terminal/terminal-line.js";
import { FakeWorld } from "./fake-world.js";

/** What a component is to its parts: it counts how often it is to be drawn again, and can leave the page. */
class Host implements ReactiveControllerHost {
  readonly #parts: ReactiveController[] = [];
  readonly updateComplete = Promise.resolve(true);
  updates = 0;

  addController(part: ReactiveController): void {
    this.#parts.push(part);
  }

  removeController(): void {}

  requestUpdate(): void {
    this.updates += 1;
  }

  leave(): void {
    for (const part of this.#parts) part.hostDisconnected?.();
  }
}

class Page implements LineListener, LineScreen {
  readonly heard: string[] = [];
  readonly said: string[] = [];
  readonly states: string[] = [];
  readonly restored: string[] = [];
  shown = "";
  size = "";
  exits = 0;

  status(state: string): void {
    this.states.push(state);
  }

  hello(): void {}

  notice(): void {}

  sized(cols: number, rows: number): void {
    this.size = `${cols}x${rows}`;
  }

  exit(): void {
    this.exits += 1;
  }

  say(text: string): void {
    this.said.push(text);
  }

  announce(text: string): void {
    this.heard.push(text);
  }

  write(bytes: Uint8Array, _replay: boolean, done: () => void): void {
    this.shown += new TextDecoder().decode(bytes);
    done();
  }

  restore(_state: Uint8Array, remark: string): void {
    this.restored.push(remark);
  }
}

describe("a terminal's line", () => {
  let world: FakeWorld;
  let host: Host;
  let page: Page;

  beforeEach(() => {
    world = new FakeWorld();
    host = new Host();
    page = new Page();
  });

  const opened = (options = {}): TerminalLine => {
    const line = new TerminalLine(host, world, page, options);
    line.open("ws://host/ws", 80, 24, page);
    return line;
  };

  it("is opening until something is drawn, and never again", () => {
    const line = opened();
    expect(line.isOpening).toBe(true);
    world.last.hello();
    world.last.output(0, "$ ");
    expect([line.isOpening, page.shown]).toEqual([false, "$ "]);
    world.last.end(1006);
    world.pass(10_000);
    expect(line.isOpening).toBe(false);
  });

  it("says once that it was cut, and that it is back", () => {
    const line = opened();
    world.last.hello();
    world.last.end(1006);
    expect(line.bar?.waits).toBe(true);
    world.pass(60_000);
    world.last.end(1006);
    expect(line.bar?.waits).toBe(true);
    expect(page.heard).toEqual(["The connection was cut. Reconnecting."]);
    world.pass(60_000);
    world.last.hello();
    expect(line.bar).toBeNull();
    expect(page.heard.slice(1)).toEqual(["Connected again."]);
    expect(page.states).toEqual(["connecting", "open", "waiting", "waiting", "open"]);
  });

  it("keeps quiet about as many attempts as it is told", () => {
    const line = opened({ patience: 1 });
    world.last.hello();
    world.last.end(1012);
    expect(line.bar).toBeNull();
    world.pass(60_000);
    world.last.hello();
    expect(page.heard).toEqual([]);
    world.last.end(1006);
    world.pass(60_000);
    world.last.end(1006);
    expect([line.bar?.waits, page.heard.length]).toEqual([true, 1]);
  });

  it("tells of a server that is away only while its own line is cut", () => {
    const line = opened({ patience: 1 });
    const told = (): [boolean, string | undefined] => [line.tellsOfServer, page.states.at(-1)];
    expect(told()).toEqual([true, "connecting"]);
    world.last.hello();
    expect(told()).toEqual([false, "open"]);
    world.last.end(1012);
    expect(told()).toEqual([true, "waiting"]);
    world.pass(60_000);
    // Paused: that says nothing of the server.
    world.last.end(4409);
    expect(told()).toEqual([false, "waiting"]);
    world.pass(60_000);
    world.last.end(4404);
    expect(told()).toEqual([false, "closed"]);
  });

  it("says that what is typed meanwhile is kept", () => {
    const line = opened();
    world.last.hello();
    world.last.end(1006);
    const before = host.updates;
    line.type(new Uint8Array([0x61]));
    expect(host.updates).toBeGreaterThan(before);
    expect(line.bar?.text).toContain("What you type is kept.");
  });

  it("remarks on a gap where what follows begins, once", () => {
    opened();
    world.last.hello({ offset: 0 });
    world.last.notice({ type: "gap", from: 0, to: 2_097_152 });
    world.last.restore(2_097_152, "modes");
    expect(page.restored).toEqual([expect.stringContaining("2 MiB of output are missing here")]);
  });

  it("tells of the size that somebody else gave, and of the end", () => {
    const line = opened();
    world.last.hello();
    world.last.notice({ type: "resized", cols: 100, rows: 30 });
    world.last.json(0x82, { exit_code: 3, signal: null, reason: "" });
    expect([page.size, page.exits, line.ended?.exitCode]).toEqual(["100x30", 1, 3]);
    expect(page.heard).toEqual(["The shell has ended with exit code 3."]);
  });

  it("is closed with its page", () => {
    opened();
    world.last.hello();
    host.leave();
    expect(world.last.closed).toBe(1000);
  });
});

describe("a remark", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("is heard and goes away, the last one after its own time", () => {
    const heard: string[] = [];
    const remark = new Remark(new Host(), (text) => heard.push(text));
    remark.say("one");
    vi.advanceTimersByTime(3000);
    remark.say("two");
    vi.advanceTimersByTime(3000);
    expect([remark.text, heard]).toEqual(["two", ["one", "two"]]);
    vi.advanceTimersByTime(1000);
    expect(remark.text).toBe("");
  });

  it("ends with its page", () => {
    const host = new Host();
    const remark = new Remark(host, () => undefined);
    remark.say("one");
    host.leave();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the scrollback as text", () => {
  it("has wrapped lines whole and no empty end", async () => {
    const terminal = new Terminal({ cols: 10, rows: 4, allowProposedApi: true });
    await new Promise<void>((done) => terminal.write("0123456789abcdef\r\n\r\nlast  \r\n", done));
    expect(scrollbackOf(terminal)).toBe("0123456789abcdef\n\nlast\n");
  });
});
