import { describe, expect, it } from "vitest";
import { verdict } from "../src/terminal/close-codes.js";
import { connectionBar } from "../src/terminal/sentences.js";
import { heard, stillTrue, type Warning } from "../src/sessions/warnings.js";

const AT = "2026-01-01T12:00:00.000Z";
const END = { type: "expiring", reason: "expired", at: AT, seconds: 300, message: "It ends in 5 minutes." };
const IDLE = { type: "expiring", reason: "idle", at: AT, seconds: 120, message: "Press a key." };

function after(...told: Record<string, unknown>[]): string[] {
  return told.reduce<readonly Warning[]>(heard, []).map((warning) => warning.about);
}

describe("warnings", () => {
  it("stand once, however many terminals tell of them", () => {
    expect(after(END, END, IDLE, END)).toEqual(["expired", "idle"]);
    const once = heard([], END);
    expect(heard(once, END)).toBe(once);
  });

  it("go when what they tell of does not happen", () => {
    expect(after(END, IDLE, { type: "kept", reason: "idle" })).toEqual(["expired"]);
    expect(after(END, { type: "kept", reason: "expired", at: "later" })).toEqual([]);
    expect(after(END, IDLE, { type: "paused", message: "" })).toEqual(["expired"]);
  });

  it("are replaced by later words about the same", () => {
    const [warning, ...others] = heard(heard([], END), { ...END, message: "It ends in 1 minute." });
    expect(others).toEqual([]);
    expect(warning?.message).toBe("It ends in 1 minute.");
  });

  it("tell of limits too", () => {
    const [disk, other] = ["main", "db"].map((machine) => ({ type: "warning", subject: "disk", machine, message: `${machine} is 83 % full.` }));
    const day = { type: "warning", subject: "cpu_day", message: "83 % is used." };
    expect(after(day, disk!, other!, disk!)).toEqual(["cpu_day", "disk main", "disk db"]);
    expect(after(day, disk!, other!, { type: "kept", subject: "disk", machine: "main" })).toEqual(["cpu_day", "disk db"]);
    expect(after(day, disk!, { type: "kept", subject: "cpu_day" })).toEqual(["disk main"]);
  });

  it("of another end are not true any more", () => {
    const standing = heard(heard([], END), IDLE);
    expect(stillTrue(standing, AT)).toBe(standing);
    expect(stillTrue(standing, "later").map((warning) => warning.about)).toEqual(["idle"]);
  });

  it.each([{ type: "resumed" }, { type: "news of tomorrow" }, {}])("ignore %j", (told) => {
    expect(after(END, told)).toEqual(["expired"]);
  });
});

describe("a terminal of a paused session", () => {
  it("waits without saying that the connection was cut", () => {
    expect(verdict(4409)).toEqual({ next: "retry", base: 1000, held: true });
    expect(connectionBar({ state: "waiting", attempt: 1, delay: 1, held: true }, 0)).toBeNull();
  });
});
