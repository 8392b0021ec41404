import { readFileSync, readdirSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CastDriver } from "../src/recordings/cast-driver.js";
import { CastReader, NoRecording } from "../src/recordings/cast-reader.js";
import { fill, TakenBack } from "../src/recordings/cast-source.js";
import { Timeline } from "../src/recordings/timeline.js";

/** The server's tests write and read the same files. */
const file = (name: string): Uint8Array => readFileSync(new URL(`../../runtime/recording/golden/${name}`, import.meta.url));
const CAST = file("recording.cast");
const TEXT = new TextDecoder().decode(CAST);
const OUTPUT = new TextDecoder("utf-8", { ignoreBOM: true }).decode(file("output.txt"));
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function outputOf(reader: CastReader): string {
  return reader.data.filter((_, event) => reader.codes[event] === "o").join("");
}

function readAll(content: Uint8Array): CastReader {
  const reader = new CastReader();
  reader.push(content);
  return reader;
}

describe("reading", () => {
  it("gives the same wherever pieces end", () => {
    const whole = readAll(CAST);
    expect(outputOf(whole)).toBe(OUTPUT);
    expect(whole.times).toEqual([250, 300, 60300, 60400, 60500, 60500, 61000, 61500]);
    expect(whole.markers).toEqual([[4, "Gap: 1000 bytes are missing here"]]);
    expect([whole.cols, whole.rows, whole.end, whole.bytes]).toEqual([80, 24, "complete", CAST.length]);
    for (let step = 1; step < 60; step += 7) {
      const reader = new CastReader();
      for (let at = 0; at < CAST.length; at += step) reader.push(CAST.subarray(at, at + step));
      expect({ ...reader }).toEqual({ ...whole });
    }
  });

  it("goes on behind the last whole line, wherever it was cut", () => {
    for (let cut = 0; cut <= CAST.length; cut++) {
      const reader = new CastReader();
      reader.push(CAST.subarray(0, cut));
      reader.forgetRest();
      reader.push(CAST.subarray(reader.bytes));
      expect(outputOf(reader)).toBe(OUTPUT);
    }
  });

  it("refuses what is none", () => {
    for (const text of ["<html>\n", "[]\n", '{"version": 2, "width": 80, "height": 24}\n', '{"version": 3, "term": {"cols": 80, "rows": 24}}\n[1]\n'])
      expect(() => readAll(encode(text)), text).toThrow(NoRecording);
  });
});

describe("the timeline", () => {
  const times = [500, 2500, 62500, 62500, 63000];

  it("cuts pauses as the server does", () => {
    expect(new Timeline(times, 2000).at).toEqual([500, 2500, 4500, 4500, 5000]);
    expect(new Timeline(times, Infinity).at).toEqual(times);
  });

  it("takes in what comes later", () => {
    const growing = times.slice(0, 2);
    const timeline = new Timeline(growing, 2000);
    growing.push(...times.slice(2));
    timeline.extend();
    expect(timeline.at).toEqual(new Timeline(times, 2000).at);
  });

  it("knows what has been played, and the same moment with other pauses", () => {
    const [cut, whole] = [new Timeline(times, 2000), new Timeline(times, Infinity)];
    expect([0, 499, 500, 4499, 4500, 9000].map((moment) => cut.playedAt(moment))).toEqual([0, 0, 1, 2, 4, 5]);
    expect([0, 700, 3000, 4800].map((moment) => cut.translated(moment, whole))).toEqual([0, 700, 3000, 62800]);
    // Deep in a pause is its end where it is cut.
    expect(whole.translated(40_000, cut)).toBe(4500);
  });
});

describe("the driver", () => {
  let reader: CastReader;
  let told: [string, unknown][];
  let driver: CastDriver;
  const header = `${TEXT.split("\n")[0]}\n`;

  const screen = (): string => {
    const since = names().lastIndexOf("reset");
    return told.slice(since).flatMap(([event, data]) => (event === "output" ? (data as string[]) : [])).join("");
  };
  const last = (event: string): unknown => told.filter(([name]) => name === event).at(-1)?.[1];
  const names = (): string[] => told.map(([event]) => event);
  const event = (seconds: number, text: string): Uint8Array => encode(`${JSON.stringify([seconds, "o", text])}\n`);
  const come = (content: Uint8Array): void => {
    reader.push(content);
    driver.more();
  };

  beforeEach(() => {
    vi.useFakeTimers();
    reader = new CastReader();
    told = [];
    driver = new CastDriver(reader, (name, data) => told.push([name, data]), { longest: 2000, speed: 1, total: 3500 });
  });
  afterEach(() => vi.useRealTimers());

  it("plays to the end, with pauses cut", async () => {
    come(CAST);
    driver.finish();
    await driver.init();
    expect(last("metadata")).toEqual({ duration: 3.5, markers: [[2.5, "Gap: 1000 bytes are missing here"]] });
    driver.play();
    await vi.advanceTimersByTimeAsync(2200);
    expect(screen()).not.toContain("€\r\n");
    await vi.advanceTimersByTimeAsync(1400);
    expect(screen()).toBe(OUTPUT);
    expect(last("resize")).toEqual({ cols: 100, rows: 30 });
    expect(names().at(-1)).toBe("ended");
    expect(driver.getTiming()).toMatchObject({ time: 3.5, rate: 0 });
    driver.play();
    await vi.advanceTimersByTimeAsync(10);
    expect(screen()).toBe("");
  });

  it("begins before all of it is there, waits for more, and goes on", async () => {
    come(encode(header));
    come(event(0.1, "one "));
    await driver.init();
    expect(driver.getDuration()).toBe(3.5);
    driver.play();
    await vi.advanceTimersByTimeAsync(5000);
    expect(screen()).toBe("one ");
    expect(names().at(-1)).toBe("loading");
    expect(driver.getTiming()).toMatchObject({ time: 0.1, rate: 0 });
    come(event(0.5, "two "));
    expect(names()).toContain("playing");
    await vi.advanceTimersByTimeAsync(510);
    expect(screen()).toBe("one two ");
  });

  it("moves to what is not there yet when that has come", async () => {
    come(encode(header));
    come(event(0.1, "one "));
    driver.seek("90%");
    await vi.advanceTimersByTimeAsync(1000);
    expect(names().at(-1)).toBe("loading");
    expect(driver.getTiming().time).toBeCloseTo(3.15);
    for (let second = 1; second < 5; second++) come(event(1, `${second} `));
    await vi.advanceTimersByTimeAsync(1);
    expect(screen()).toBe("one 1 2 3 ");
    expect(names()).toContain("seeked");
    expect(driver.getTiming()).toMatchObject({ time: 3.15, rate: 0 });
  });

  it("moves back and forth", async () => {
    come(CAST);
    driver.finish();
    for (const [where, shown] of [["100%", OUTPUT], [0.26, OUTPUT.split("split")[0]], [">>", OUTPUT], [0, ""], [{ marker: "next" }, `${OUTPUT.split("last")[0]}`]] as const) {
      driver.seek(where);
      await vi.advanceTimersByTimeAsync(1);
      expect(screen(), JSON.stringify(where)).toBe(shown);
    }
    driver.step(-1);
    expect(screen()).toBe(OUTPUT.split("\x1b[H")[0]);
    driver.step();
    expect(screen()).toBe(OUTPUT.split("last")[0]);
  });

  it("says nothing while a recording that grows has nothing new", async () => {
    come(encode(header));
    come(event(0.1, "one "));
    driver.caughtUp();
    driver.cut(2000, 0);
    driver.play();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(names()).not.toContain("loading");
    expect(names()).not.toContain("ended");
    come(event(60, "two "));
    await vi.advanceTimersByTimeAsync(2000);
    expect(screen()).toBe("one two ");
    expect(driver.getDuration()).toBe(2.1);
    driver.finish();
    expect(names().at(-1)).toBe("ended");
  });

  it("keeps its place when pauses or the speed change", async () => {
    come(CAST);
    driver.finish();
    driver.play();
    await vi.advanceTimersByTimeAsync(300);
    driver.cut(Infinity, 61_500);
    expect(driver.getDuration()).toBe(61.5);
    expect(driver.getTiming().time).toBeCloseTo(0.3, 1);
    driver.speed = 8;
    expect(driver.getTiming().rate).toBe(8);
    await vi.advanceTimersByTimeAsync(61_500 / 8);
    expect(screen()).toBe(OUTPUT);
    expect(names().at(-1)).toBe("ended");
  });

  it("shows a great deal in pieces, of which a later move makes an end", async () => {
    come(encode(header));
    const much = "x".repeat(1 << 20);
    for (let piece = 0; piece < 5; piece++) come(event(0.1, much));
    driver.finish();
    driver.seek("100%");
    expect(screen().length).toBeLessThan(3 << 20);
    driver.seek(0.15);
    await vi.advanceTimersByTimeAsync(100);
    expect(screen().length).toBe(1 << 20);
  });

  it("says what went wrong", async () => {
    const began = driver.init();
    driver.fail(new NoRecording());
    await expect(began).rejects.toThrow(NoRecording);
    expect(names()).toEqual(["error"]);
  });
});

describe("the source", () => {
  let server: Server;
  let url: string;
  let answers: ((request: IncomingMessage, response: ServerResponse) => void)[];
  let ranges: (string | undefined)[];
  const listener = { more: () => undefined, caughtUp: () => undefined, isWatched: () => true };

  const part = (end: number, status?: number) => (request: IncomingMessage, response: ServerResponse): void => {
    const begin = status === 200 ? 0 : Number(/bytes=(\d+)-/u.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.writeHead(status ?? (begin > 0 ? 206 : 200), { "Content-Length": CAST.length - begin });
    if (end >= CAST.length) response.end(CAST.subarray(begin));
    else response.write(CAST.subarray(begin, end), () => response.destroy());
  };

  beforeEach(async () => {
    answers = [];
    ranges = [];
    server = createServer((request, response) => {
      ranges.push(request.headers.range);
      (answers.shift() ?? part(CAST.length))(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterEach(() => new Promise<void>((resolve) => server.close(() => resolve())));

  it("goes on at the byte after every cut, also where it is answered with the whole", async () => {
    answers = [part(200), part(300), part(450, 200)];
    const reader = new CastReader();
    await fill(reader, url, false, listener, new AbortController().signal);
    expect(outputOf(reader)).toBe(OUTPUT);
    expect(ranges[0]).toBeUndefined();
    expect(ranges.slice(1)).toHaveLength(3);
    expect(ranges.slice(1).every((range) => /^bytes=\d+-$/u.test(range ?? ""))).toBe(true);
  }, 10_000);

  it("looks again at what grows, until its end", async () => {
    const until = (lines: number): number => Buffer.from(CAST).toString("latin1").split("\n").slice(0, lines).join("\n").length + 1;
    answers = [
      (_, response) => void response.end(CAST.subarray(0, until(5))),
      (_, response) => void response.writeHead(206).end(CAST.subarray(until(5) - 64, until(5))),
    ];
    const reader = new CastReader();
    let caughtUp = 0;
    await fill(reader, url, true, { ...listener, caughtUp: () => caughtUp++ }, new AbortController().signal);
    expect(outputOf(reader)).toBe(OUTPUT);
    expect(reader.end).toBe("complete");
    expect(caughtUp).toBe(3);
  }, 10_000);

  it("says when what it has read was taken back", async () => {
    const first = CAST.subarray(0, CAST.length - 100);
    const whole = first.subarray(0, first.lastIndexOf(10) + 1);
    const answered: ((response: ServerResponse) => void)[] = [
      (response) => void response.writeHead(416).end("{}"),
      (response) => void response.writeHead(206).end(CAST.subarray(50)),
      (response) => void response.writeHead(206).end(whole.subarray(-64, -1)),
      (response) => void response.writeHead(200).end(Buffer.concat([Buffer.from("x".repeat(whole.length)), CAST])),
    ];
    for (const second of answered) {
      const reader = new CastReader();
      reader.push(whole);
      answers = [(_, response) => second(response)];
      await expect(fill(reader, url, true, listener, new AbortController().signal)).rejects.toThrow(TakenBack);
    }
  });

  it("says what the server refuses, and asks no more", async () => {
    const refuse = (_: IncomingMessage, response: ServerResponse): void =>
      void response.writeHead(404).end('{"code": "recording_unknown", "detail": "There is no such recording."}');
    answers = [refuse];
    await expect(fill(new CastReader(), url, true, listener, new AbortController().signal)).rejects.toThrow("There is no such recording.");
    expect(ranges).toHaveLength(1);
  });
});

describe("asciinema-player's own reading", () => {
  interface Core {
    init(): Promise<void>;
    terminalReady(): void;
    play(): Promise<void>;
    seek(where: string): Promise<void>;
    stop(): Promise<void>;
    getDuration(): number;
    addEventListener(name: string, handler: (data: unknown) => void): void;
  }

  it("plays our files to the same", async () => {
    const dist = new URL("../node_modules/asciinema-player/dist/", import.meta.url);
    const name = readdirSync(dist).find((entry) => entry.startsWith("core-")) ?? "";
    const { C } = (await import(new URL(name, dist).href)) as { C: new (source: object, options: object) => Core };
    const logger = new Proxy({}, { get: () => () => undefined });
    const core = new C({ data: TEXT }, { logger, speed: 1000, preload: true });
    const seen: string[] = [];
    core.addEventListener("output", (data) => void seen.push(...[data].flat().map(String)));
    core.terminalReady();
    await core.init();
    expect(core.getDuration()).toBe(3.5);
    await core.seek("100%");
    expect(seen.join("").replace(/^\x1bc/u, "")).toBe(OUTPUT);
    await core.stop();
  });
});
