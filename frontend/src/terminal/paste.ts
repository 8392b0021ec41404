import type { PasteWarning } from "./settings.js";

/** What is about to be pasted. Pure. */

export interface Paste {
  /** As it will be pasted. */
  readonly text: string;
  readonly lines: number;
  /** Control characters that were in it and are not pasted. */
  readonly removed: number;
  /** The person should look at it first. */
  readonly ask: boolean;
}

/** More than anybody means to paste into a shell, in characters. */
const LARGE = 64 * 1024;
const PREVIEW_LINES = 12;
const PREVIEW_WIDTH = 160;

// All but tab and line ends. An escape character could end a marked paste early, and what follows would run.
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;

/** `marked`: the program has asked for pastes to be marked (bracketed paste), so that it does not run their lines. */
export function inspectPaste(given: string, marked: boolean, warning: PasteWarning): Paste {
  const text = given.replace(/\r\n?/g, "\n").replace(CONTROLS, "");
  const removed = given.length - given.replace(CONTROLS, "").length;
  const lines = text.split("\n").length;
  const several = text.includes("\n");
  const risky = warning === "always" ? several : several && !marked;
  return { text, lines, removed, ask: warning !== "never" && (risky || removed > 0 || text.length > LARGE) };
}

/** All on one line: ends of lines become spaces. */
export function oneLine(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join(" ");
}

/** The beginning of it, and how many lines are left out. */
export function preview(text: string): { shown: string; more: number } {
  const lines = text.split("\n");
  const shown = lines
    .slice(0, PREVIEW_LINES)
    .map((line) => (line.length > PREVIEW_WIDTH ? `${line.slice(0, PREVIEW_WIDTH)}…` : line))
    .join("\n");
  return { shown, more: Math.max(0, lines.length - PREVIEW_LINES) };
}
