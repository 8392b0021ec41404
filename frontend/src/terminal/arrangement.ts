import type { TerminalInfo } from "../api/types.js";
import { cleanTitle, labels } from "./labels.js";
import { single, type Layout } from "./layout.js";
import { reconcile, remove } from "./layout-changes.js";

/** Which terminals there are, how they lie, and what is said of them. Pure; never changed, only replaced. */
export interface Arrangement {
  readonly terminals: readonly TerminalInfo[];
  readonly layout: Layout;
  /** What the programs call themselves, by terminal. */
  readonly titles: ReadonlyMap<string, string>;
  /** Terminals in the back that rang. */
  readonly calls: ReadonlySet<string>;
}

export const EMPTY: Arrangement = { terminals: [], layout: single([]), titles: new Map(), calls: new Set() };

/** With exactly these terminals: what vanished goes, what is new comes behind the tabs of the current group. */
export function withTerminals(before: Arrangement, terminals: readonly TerminalInfo[], layout: Layout = before.layout): Arrangement {
  return { ...before, terminals, layout: reconcile(layout, terminals.map((terminal) => terminal.id)) };
}

/** Lying otherwise; whoever looks at a terminal has heard its bell. */
export function withLayout(before: Arrangement, layout: Layout): Arrangement {
  const { current } = layout;
  const heard = current !== null && before.calls.has(current);
  return { ...before, layout, calls: heard ? new Set([...before.calls].filter((id) => id !== current)) : before.calls };
}

/** With one more, unless the server has told of it meanwhile, where `layout` has it. */
export function withOpened(before: Arrangement, terminal: TerminalInfo, layout: Layout): Arrangement {
  const terminals = infoOf(before, terminal.id) === undefined ? [...before.terminals, terminal] : before.terminals;
  const there = terminals.map(({ id }) => id);
  return withLayout({ ...before, terminals }, reconcile(layout, there));
}

export function withoutTerminal(before: Arrangement, id: string): Arrangement {
  const terminals = before.terminals.filter((terminal) => terminal.id !== id);
  return withLayout({ ...before, terminals }, remove(before.layout, id));
}

/** With other words of the server about one of them. */
export function withInfo(before: Arrangement, info: TerminalInfo): Arrangement {
  return { ...before, terminals: before.terminals.map((terminal) => (terminal.id === info.id ? info : terminal)) };
}

/** `title` as the program sent it. */
export function withTitle(before: Arrangement, id: string, title: string): Arrangement {
  return { ...before, titles: new Map([...before.titles, [id, cleanTitle(title)]]) };
}

export function withCall(before: Arrangement, id: string): Arrangement {
  return { ...before, calls: new Set([...before.calls, id]) };
}

export function infoOf({ terminals }: Arrangement, id: string | null): TerminalInfo | undefined {
  return terminals.find((terminal) => terminal.id === id);
}

/** It is no part of the session itself, so a person may close it. */
export function closable(arrangement: Arrangement, id: string | null): boolean {
  return infoOf(arrangement, id)?.is_main === false;
}

/** What the tabs say. */
export function namesOf({ terminals, titles }: Arrangement): ReadonlyMap<string, string> {
  return labels(terminals, titles);
}

/** What the program in front calls itself; empty: nothing. */
export function titleInFront({ layout, titles }: Arrangement): string {
  return titles.get(layout.current ?? "") ?? "";
}
