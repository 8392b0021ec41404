import {
  currentGroup,
  freshId,
  groupOf,
  groups,
  joined,
  LEAST_SHARE,
  mapGroups,
  single,
  terminals,
  type Group,
  type Layout,
  type LayoutNode,
  type Side,
} from "./layout.js";

/** What can be done to a layout. Pure: each answers another layout, or the same when there is nothing to do. */

const EMPTY: Group = { kind: "group", id: 1, tabs: [], active: null };

/** Brings it to the front and makes it the current one. */
export function show(layout: Layout, terminal: string): Layout {
  if (groupOf(layout, terminal) === undefined) return layout;
  const root = mapGroups(layout.root, (group) => (group.tabs.includes(terminal) ? { ...group, active: terminal } : group));
  return { ...layout, root: root ?? EMPTY, current: terminal };
}

/** A new terminal, in the group of the current one and in front of it. */
export function add(layout: Layout, terminal: string): Layout {
  return insert(layout, terminal, currentGroup(layout).id, Infinity);
}

/** Takes a terminal out. What was beside it comes to the front; a group without tabs goes away. */
export function remove(layout: Layout, terminal: string): Layout {
  const group = groupOf(layout, terminal);
  if (group === undefined) return layout;
  const heir = beside(group, terminal) ?? nextGroup(layout, group)?.active ?? null;
  const root = mapGroups(layout.root, (each) => (each === group ? without(group, terminal) : each)) ?? EMPTY;
  const current = layout.current === terminal ? heir : layout.current;
  return { root, current, maximised: layout.maximised && groups(root).length > 1 };
}

/** Puts a terminal, new or from elsewhere, into a group before its `index`-th tab. */
export function insert(layout: Layout, terminal: string, group: number, index: number): Layout {
  const before = groups(layout.root).find((each) => each.id === group);
  if (before === undefined) return layout;
  const from = before.tabs.indexOf(terminal);
  if (from !== -1 && before.tabs.length === 1) return show(layout, terminal);
  // Taken out first, the tabs behind it move up.
  const at = from !== -1 && from < index ? index - 1 : index;
  const rest = remove(layout, terminal);
  const root = mapGroups(rest.root, (each) =>
    each.id === group ? { ...each, tabs: [...each.tabs.slice(0, at), terminal, ...each.tabs.slice(at)] } : each,
  );
  return show({ ...rest, root: root ?? EMPTY }, terminal);
}

/** Puts a terminal, new or from elsewhere, into a group of its own at one side of `group`, which gives it half of its room. */
export function split(layout: Layout, terminal: string, group: number, side: Side): Layout {
  const target = groups(layout.root).find((each) => each.id === group);
  if (target === undefined) return layout;
  if (target.tabs.every((tab) => tab === terminal)) return insert(layout, terminal, group, Infinity);
  const rest = remove(layout, terminal).root;
  const id = freshId(rest);
  const fresh: Group = { kind: "group", id, tabs: [terminal], active: terminal };
  const axis = side === "left" || side === "right" ? "row" : "column";
  const root = mapGroups(rest, (each) => {
    if (each.id !== group) return each;
    const parts = side === "left" || side === "top" ? [fresh, each] : [each, fresh];
    return joined(id + 1, axis, parts, [0.5, 0.5]);
  });
  return { root: root ?? EMPTY, current: terminal, maximised: false };
}

/** Moves the border after the `index`-th part of a split to `share` of the two parts beside it. */
export function resize(layout: Layout, id: number, index: number, share: number): Layout {
  const change = (node: LayoutNode): LayoutNode => {
    if (node.kind === "group") return node;
    if (node.id !== id) return { ...node, parts: node.parts.map(change) };
    const before = node.sizes[index];
    const after = node.sizes[index + 1];
    if (before === undefined || after === undefined || !Number.isFinite(share)) return node;
    const both = before + after;
    const least = Math.min(LEAST_SHARE, both / 2);
    const size = Math.min(both - least, Math.max(least, share * both));
    const sizes = [...node.sizes.slice(0, index), size, both - size, ...node.sizes.slice(index + 2)];
    return { ...node, sizes };
  };
  return { ...layout, root: change(layout.root) };
}

/** All parts of all splits equally large. */
export function evened(layout: Layout): Layout {
  const change = (node: LayoutNode): LayoutNode =>
    node.kind === "group"
      ? node
      : { ...node, parts: node.parts.map(change), sizes: node.parts.map(() => 1 / node.parts.length) };
  return { ...layout, root: change(layout.root) };
}

export function maximise(layout: Layout, on: boolean): Layout {
  return { ...layout, maximised: on && groups(layout.root).length > 1 };
}

/** The tab `step` further in the group of the current one, around the ends. */
export function turn(layout: Layout, step: number): Layout {
  const { tabs, active } = currentGroup(layout);
  const at = tabs.indexOf(active ?? "");
  const next = tabs[(at + step + tabs.length) % tabs.length];
  return next === undefined ? layout : show(layout, next);
}

/** Fits the terminals that there are: what vanished goes; what is new comes behind the tabs of the current group. */
export function reconcile(layout: Layout, there: readonly string[]): Layout {
  const gone = terminals(layout).filter((terminal) => !there.includes(terminal));
  const kept = gone.reduce(remove, layout);
  const known = new Set(terminals(kept));
  const added = there.filter((terminal) => !known.has(terminal));
  if (known.size === 0) return added.length === 0 && terminals(layout).length === 0 ? layout : single(added);
  if (added.length === 0) return kept;
  const target = currentGroup(kept).id;
  const root = mapGroups(kept.root, (group) => (group.id === target ? { ...group, tabs: [...group.tabs, ...added] } : group));
  return { ...kept, root: root ?? EMPTY };
}

function without(group: Group, terminal: string): Group | null {
  const tabs = group.tabs.filter((tab) => tab !== terminal);
  if (tabs.length === 0) return null;
  return { ...group, tabs, active: group.active === terminal ? beside(group, terminal) : group.active };
}

/** The tab that takes the place of this one. */
function beside(group: Group, terminal: string): string | null {
  const at = group.tabs.indexOf(terminal);
  return group.tabs[at + 1] ?? group.tabs[at - 1] ?? null;
}

function nextGroup(layout: Layout, group: Group): Group | undefined {
  const all = groups(layout.root);
  const at = all.findIndex((each) => each.id === group.id);
  return all[at - 1] ?? all[at + 1];
}
