import { currentGroup, groups, joined, type Group, type Layout, type LayoutNode } from "./layout.js";

/** Layouts as they are kept in the browser, where anybody may have changed them. Pure. */

/** More groups than a screen has room for. */
const MOST_GROUPS = 64;
const MOST_TABS = 256;
const MOST_DEPTH = 16;
/** Layouts that are kept; those of the sessions that were left longest ago go first. */
const MOST_KEPT = 40;

type Fields = Readonly<Record<string, unknown>>;

/** The layout in this text, or null when there is none in it. Ids are given anew. */
export function parseLayout(text: string | null): Layout | null {
  const value = json(text);
  if (!isFields(value)) return null;
  const reader = new Reader();
  const root = reader.node(value["root"], 0);
  if (root === null || reader.failed) return null;
  const current = typeof value["current"] === "string" ? value["current"] : null;
  const layout: Layout = { root, current: null, maximised: false };
  const focus = groups(root).find((group) => group.active !== null && group.active === current)?.active;
  const settled = { ...layout, current: focus ?? currentGroup(layout).active };
  return { ...settled, maximised: value["maximised"] === true && groups(root).length > 1 };
}

class Reader {
  failed = false;
  #ids = 0;
  #groups = 0;
  readonly #seen = new Set<string>();

  node(value: unknown, depth: number): LayoutNode | null {
    if (!isFields(value) || depth > MOST_DEPTH) return this.#fail();
    return value["kind"] === "split" ? this.#split(value, depth) : this.#group(value);
  }

  #group(value: Fields): Group | null {
    const given = value["tabs"];
    this.#groups += 1;
    if (!Array.isArray(given) || this.#groups > MOST_GROUPS) return this.#fail();
    const tabs = given.filter((tab): tab is string => typeof tab === "string" && !this.#seen.has(tab));
    for (const tab of tabs) this.#seen.add(tab);
    if (this.#seen.size > MOST_TABS || new Set(tabs).size !== tabs.length) return this.#fail();
    if (tabs.length === 0) return null;
    const active = tabs.find((tab) => tab === value["active"]) ?? tabs[0] ?? null;
    return { kind: "group", id: (this.#ids += 1), tabs, active };
  }

  #split(value: Fields, depth: number): LayoutNode | null {
    const { parts, sizes, axis } = value;
    if (!Array.isArray(parts) || !Array.isArray(sizes) || parts.length !== sizes.length) return this.#fail();
    if ((axis !== "row" && axis !== "column") || parts.length > MOST_GROUPS || !sizes.every(isShare)) return this.#fail();
    const kept: { part: LayoutNode; size: number }[] = [];
    parts.forEach((part, index) => {
      const node = this.node(part, depth + 1);
      if (node !== null) kept.push({ part: node, size: sizes[index] as number });
    });
    return joined((this.#ids += 1), axis, kept.map(({ part }) => part), kept.map(({ size }) => size));
  }

  #fail(): null {
    this.failed = true;
    return null;
  }
}

/** What is kept of all sessions, with this one's layout in it. `now` in milliseconds. */
export function keepLayout(kept: string | null, session: string, layout: Layout, now: number): string {
  const all = entries(kept).filter(([id]) => id !== session);
  all.push([session, { at: now, layout }]);
  const newest = all.sort(([, one], [, other]) => other.at - one.at).slice(0, MOST_KEPT);
  return JSON.stringify(Object.fromEntries(newest));
}

export function keptLayout(kept: string | null, session: string): Layout | null {
  const found = entries(kept).find(([id]) => id === session);
  return found === undefined ? null : parseLayout(JSON.stringify(found[1].layout));
}

function entries(kept: string | null): [string, { at: number; layout: unknown }][] {
  const value = json(kept);
  if (!isFields(value)) return [];
  return Object.entries(value).filter((entry): entry is [string, { at: number; layout: unknown }] => {
    const [, saved] = entry;
    return isFields(saved) && typeof saved["at"] === "number";
  });
}

function json(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isShare(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value) && value > 0 && value <= 1;
}
