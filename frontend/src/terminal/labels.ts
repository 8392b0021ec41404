import type { TerminalInfo } from "../api/types.js";

/** The longest title of a program that is looked at, in characters. */
const LONGEST_TITLE = 80;

/**
 * What the tabs say: the name that somebody chose, else the title that the program gave, else the command. The same words twice are
 * numbered; with several machines, each says which is its. Pure.
 */
export function labels(
  terminals: readonly TerminalInfo[],
  titles: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const machines = new Set(terminals.map((terminal) => terminal.machine));
  const used = new Map<string, number>();
  const result = new Map<string, string>();
  for (const terminal of terminals) {
    const title = titles.get(terminal.id) ?? "";
    const word = (terminal.is_named ? terminal.name : title || terminal.name) || terminal.machine;
    const label = machines.size > 1 ? `${terminal.machine}: ${word}` : word;
    const number = (used.get(label) ?? 0) + 1;
    used.set(label, number);
    result.set(terminal.id, number === 1 ? label : `${label} ${number}`);
  }
  return result;
}

/** A title as a program in the machine sends it: cut, and without what is not seen or turns the direction of text. */
export function cleanTitle(title: string): string {
  const seen = title.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu, "").trim();
  const characters = [...seen];
  return characters.length > LONGEST_TITLE ? `${characters.slice(0, LONGEST_TITLE - 1).join("")}…` : seen;
}
