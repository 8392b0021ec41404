/**
 * How a session's terminals are arranged: groups of tabs, beside and below each other. Pure; a layout is never changed,
 * only replaced. What always holds: every terminal is in one group; a split has two parts or more, none of its own axis;
 * its sizes are shares of 1; a group without tabs is the whole layout; `current` is in front in its group.
 */

export type Axis = "row" | "column";
export type Side = "left" | "right" | "top" | "bottom";

export interface Group {
  readonly kind: "group";
  readonly id: number;
  /** Terminals, by id. */
  readonly tabs: readonly string[];
  /** The one in front; null: there is none. */
  readonly active: string | null;
}

export interface Split {
  readonly kind: "split";
  readonly id: number;
  readonly axis: Axis;
  readonly parts: readonly LayoutNode[];
  readonly sizes: readonly number[];
}

export type LayoutNode = Group | Split;

export interface Layout {
  readonly root: LayoutNode;
  /** The terminal that has, or had last, the focus. */
  readonly current: string | null;
  /** Only the group of `current` is shown. */
  readonly maximised: boolean;
}

/** The least share of a split that one part has. */
export const LEAST_SHARE = 0.08;

/** All in one group, the first in front. */
export function single(terminals: readonly string[]): Layout {
  const current = terminals[0] ?? null;
  return { root: { kind: "group", id: 1, tabs: terminals, active: current }, current, maximised: false };
}

/** From left to right and top to bottom. */
export function groups(node: LayoutNode): readonly Group[] {
  return node.kind === "group" ? [node] : node.parts.flatMap(groups);
}

export function terminals(layout: Layout): readonly string[] {
  return groups(layout.root).flatMap((group) => group.tabs);
}

export function groupOf(layout: Layout, terminal: string): Group | undefined {
  return groups(layout.root).find((group) => group.tabs.includes(terminal));
}

/** The group in which the person works; new terminals come there. */
export function currentGroup(layout: Layout): Group {
  const all = groups(layout.root);
  const found = all.find((group) => layout.current !== null && group.tabs.includes(layout.current)) ?? all[0];
  if (found === undefined) throw new Error("a layout has a group");
  return found;
}

/** What a narrow page shows: one group with everything in it. */
export function flattened(layout: Layout): Layout {
  const tabs = terminals(layout);
  const id = groups(layout.root)[0]?.id ?? 1;
  return { root: { kind: "group", id, tabs, active: layout.current }, current: layout.current, maximised: false };
}

/** What is shown: all of it, or the one group that was maximised. */
export function shown(layout: Layout): LayoutNode {
  return layout.maximised ? currentGroup(layout) : layout.root;
}

/** A number that no part of the tree has. */
export function freshId(node: LayoutNode): number {
  return 1 + highestId(node);
}

function highestId(node: LayoutNode): number {
  return node.kind === "group" ? node.id : Math.max(node.id, ...node.parts.map(highestId));
}

/** A split as it has to be: flat, with sizes that sum to 1; with one part it is that part, with none null. */
export function joined(id: number, axis: Axis, parts: readonly LayoutNode[], sizes: readonly number[]): LayoutNode | null {
  const [first] = parts;
  if (first === undefined || parts.length === 1) return first ?? null;
  const flat: { part: LayoutNode; size: number }[] = [];
  const total = sizes.reduce((sum, size) => sum + size, 0);
  parts.forEach((part, index) => {
    const size = (sizes[index] ?? 0) / total;
    if (part.kind !== "split" || part.axis !== axis) flat.push({ part, size });
    else part.parts.forEach((inner, at) => flat.push({ part: inner, size: size * (part.sizes[at] ?? 0) }));
  });
  return { kind: "split", id, axis, parts: flat.map(({ part }) => part), sizes: flat.map(({ size }) => size) };
}

/** The tree with every group replaced by what `change` makes of it; null takes it away. */
export function mapGroups(node: LayoutNode, change: (group: Group) => LayoutNode | null): LayoutNode | null {
  if (node.kind === "group") return change(node);
  const kept = node.parts
    .map((part, index) => ({ part: mapGroups(part, change), size: node.sizes[index] ?? 0 }))
    .filter((entry): entry is { part: LayoutNode; size: number } => entry.part !== null);
  return joined(node.id, node.axis, kept.map(({ part }) => part), kept.map(({ size }) => size));
}
