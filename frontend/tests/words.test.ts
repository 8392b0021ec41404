import { describe, expect, it } from "vitest";
import { stateWords } from "../src/images/card.js";
import { matches } from "../src/images/filter.js";
import { steps, waiting } from "../src/sessions/progress.js";
import type { ImageInfo, SessionInfo } from "../src/api/types.js";
import { control, pageKey } from "../src/terminal/keys.js";
import { connectionBar, exitSentence } from "../src/terminal/sentences.js";
import { fileName } from "../src/ui/download.js";
import { clock, duration, ordinal, percent, size } from "../src/ui/words.js";

describe("numbers in words", () => {
  it.each([
    [0, "0:00"],
    [59.9, "0:59"],
    [2467, "41:07"],
    [3600, "1:00:00"],
    [-5, "0:00"],
  ])("%d s is %s on a clock", (seconds, words) => expect(clock(seconds)).toBe(words));

  it.each([
    [0, "0 seconds"],
    [61, "1 minute 1 second"],
    [3600, "1 hour"],
    [7384, "2 hours 3 minutes"],
  ])("%d s lasts %s", (seconds, words) => expect(duration(seconds)).toBe(words));

  it.each([
    [512, "512 B"],
    [1023, "1023 B"],
    [1024, "1 KiB"],
    [1900, "1.9 KiB"],
    [117_000_000, "112 MiB"],
    [2 ** 30 - 1, "1 GiB"],
    [1_610_612_736, "1.5 GiB"],
    [2 ** 31, "2 GiB"],
  ])("%d bytes are %s", (bytes, words) => expect(size(bytes)).toBe(words));

  it("counts places", () => {
    expect([1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal).join(" ")).toBe("1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 111th");
  });

  it("never says 100 % too early, nor more", () => expect([percent(0.999), percent(2)]).toEqual(["99 %", "100 %"]));
});

const image: ImageInfo = { id: "debian", title: "Debian", state: "ready", progress: null, message: "", size_bytes: 1 };
const session = { state: "pending", message: "", queue: null } as SessionInfo;

describe("states in words", () => {
  it("says how far an image is", () => {
    expect(stateWords(image, "ready now")).toBe("ready now");
    expect(stateWords({ ...image, state: "preparing", progress: 0.431 }, "")).toBe("being prepared, 43 %");
    expect(stateWords({ ...image, state: "failed" }, "")).toBe("could not be prepared");
  });

  it("names the step of a start that is under way", () => {
    const now = (state: SessionInfo["state"], of: ImageInfo): string | undefined =>
      steps({ ...session, state }, of).find((step) => step.state === "now")?.words;
    expect(now("pending", image)).toBe("Waiting for a free place");
    expect(now("pending", { ...image, state: "preparing", progress: 0.5 })).toBe("Preparing the image 50 %");
    expect(now("starting", image)).toBe("Creating the machine");
  });

  it("says where in the queue a session stands", () => {
    expect(waiting(null)).toBe("Waiting for a free place");
    expect(waiting({ position: 1, estimate_seconds: 1 })).toBe("Next in the queue, about 1 s");
    expect(waiting({ position: 3, estimate_seconds: 4 })).toBe("3rd in the queue, about 4 s");
    expect(waiting({ position: 50, estimate_seconds: 150 })).toBe("50th in the queue, about 3 min");
    expect(waiting({ position: 2, estimate_seconds: null })).toContain("all places are taken");
  });

  it("filters by all words, in any case and order", () => {
    expect(matches("Python 3.11 CPython and pip", "PIP python")).toBe(true);
    expect(matches("Python 3.11", "ruby")).toBe(false);
    expect(matches("anything", "")).toBe(true);
  });

  it("says what a cut means for the typed", () => {
    expect(connectionBar({ state: "open" }, 0)).toBeNull();
    expect(connectionBar({ state: "waiting", attempt: 1, delay: 1, held: false }, 3)?.text).toContain("What you type is kept");
  });

  it("says how a shell ended", () => {
    expect(exitSentence({ type: "exit", exitCode: 3, signal: null, reason: "" })).toContain("exit code 3");
    expect(exitSentence({ type: "exit", exitCode: null, signal: "9", reason: "" })).toContain("signal 9");
  });

  it("names files so that every system takes them", () => {
    expect(fileName("../my: session?")).toBe("my-session.txt");
    expect(fileName("///")).toBe("terminal.txt");
  });
});

describe("keys", () => {
  const press = { key: "c", ctrlKey: true, shiftKey: false, altKey: false, metaKey: false };

  it("copies with Ctrl+C only while something is selected", () => {
    expect(pageKey(press, true)).toBe("copy");
    expect(pageKey(press, false)).toBeNull();
    expect(pageKey({ ...press, key: "C", shiftKey: true }, false)).toBe("copy");
  });

  it("leaves everything else to the program", () => {
    expect(pageKey({ ...press, altKey: true }, true)).toBeNull();
    expect(pageKey({ ...press, key: "v" }, false)).toBeNull();
    expect(pageKey({ ...press, ctrlKey: false }, true)).toBeNull();
  });

  it.each([
    ["c", "\x03"],
    ["[", "\x1b"],
    [" ", "\0"],
    ["é", "é"],
  ])("Ctrl and %j", (character, sent) => expect(control(character)).toBe(sent));
});
