import { size } from "../ui/words.js";
import type { Status } from "./connection.js";
import type { Exit } from "./protocol.js";

/** What the terminal says about itself. Pure. */

export interface Bar {
  readonly tone: "warn" | "danger";
  readonly text: string;
  /** The person has to sign in again. */
  readonly signIn: boolean;
  /** It tries again by itself, and could do so now. */
  readonly waits: boolean;
}

/** The bar over the terminal; null: nothing is wrong. `pending`: bytes typed that have not arrived. */
export function connectionBar(status: Status, pending: number): Bar | null {
  if (status.state === "closed") return { tone: "danger", text: status.sentence, signIn: status.signIn, waits: false };
  if (status.state !== "waiting" || status.held) return null;
  const kept = pending > 0 ? "What you type is kept." : "The shell goes on meanwhile.";
  return { tone: "warn", text: `The connection was cut. Reconnecting… ${kept}`, signIn: false, waits: true };
}

export function exitSentence(exit: Exit): string {
  if (exit.signal !== null) return `The shell was ended by signal ${exit.signal}.`;
  if (exit.exitCode === null) return "The shell has ended.";
  return `The shell has ended with exit code ${exit.exitCode}.`;
}

export function gapSentence(data: Readonly<Record<string, unknown>>): string {
  const { from, to } = data;
  const bytes = typeof from === "number" && typeof to === "number" ? size(to - from) : "some";
  return `${bytes} of output are missing here: they were no longer kept`;
}

/** How many there are, and which is chosen: "3 of 12". */
export function countWords(index: number, count: number): string {
  if (count === 0) return "Not found";
  return index < 0 ? `${count} found` : `${index + 1} of ${count}`;
}
