import { currentGroup, type Axis, type Group, type Layout, type LayoutNode, type Side } from "./layout.js";

/** Where the parts of a layout are, as shares of the room that they have together. Pure. */

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedGroup {
  readonly group: Group;
  readonly box: Box;
}

/** The border after the `index`-th part of a split. `box` has no width (row) or no height (column). */
export interface Border {
  readonly split: number;
  readonly index: number;
  readonly axis: Axis;
  readonly box: Box;
  /** The room of the two parts beside it: where it starts along the axis, and how long it is. */
  readonly start: number;
  readonly length: number;
  /** What the first of the two has of that room. */
  readonly share: number;
}

export interface Geometry {
  readonly groups: readonly PlacedGroup[];
  readonly borders: readonly Border[];
}

const WHOLE: Box = { x: 0, y: 0, width: 1, height: 1 };

export function place(node: LayoutNode, box: Box = WHOLE): Geometry {
  if (node.kind === "group") return { groups: [{ group: node, box }], borders: [] };
  const groups: PlacedGroup[] = [];
  const borders: Border[] = [];
  let before = 0;
  node.parts.forEach((part, index) => {
    const size = node.sizes[index] ?? 0;
    const inner = place(part, slice(box, node.axis, before, size));
    groups.push(...inner.groups);
    borders.push(...inner.borders);
    const next = node.sizes[index + 1];
    if (next !== undefined) {
      const room = slice(box, node.axis, before, size + next);
      borders.push({
        split: node.id,
        index,
        axis: node.axis,
        box: slice(box, node.axis, before + size, 0),
        start: node.axis === "row" ? room.x : room.y,
        length: node.axis === "row" ? room.width : room.height,
        share: size / (size + next),
      });
    }
    before += size;
  });
  return { groups, borders };
}

function slice(box: Box, axis: Axis, start: number, size: number): Box {
  return axis === "row"
    ? { ...box, x: box.x + start * box.width, width: size * box.width }
    : { ...box, y: box.y + start * box.height, height: size * box.height };
}

/** The terminal in front of the group that lies on that side of the current one; null: there is none. */
export function neighbour(layout: Layout, side: Side): string | null {
  const { groups } = place(layout.root);
  const here = groups.find(({ group }) => group.id === currentGroup(layout).id);
  if (here === undefined) return null;
  const touching = groups
    .filter(({ box }) => Math.abs(edge(box, opposite(side)) - edge(here.box, side)) < 1e-9)
    .map((placed) => ({ placed, overlap: overlap(placed.box, here.box, side) }))
    .filter((candidate) => candidate.overlap > 1e-9)
    .sort((one, other) => other.overlap - one.overlap);
  return touching[0]?.placed.group.active ?? null;
}

/** The groups that touch a border. */
export function bordering(geometry: Geometry, border: Border): readonly Group[] {
  const [before, after] = border.axis === "row" ? (["right", "left"] as const) : (["bottom", "top"] as const);
  const at = border.axis === "row" ? border.box.x : border.box.y;
  const touches = ({ box }: PlacedGroup): boolean =>
    (Math.abs(edge(box, before) - at) < 1e-9 || Math.abs(edge(box, after) - at) < 1e-9) && overlap(box, border.box, before) > 1e-9;
  return geometry.groups.filter(touches).map(({ group }) => group);
}

function edge(box: Box, side: Side): number {
  if (side === "left") return box.x;
  if (side === "right") return box.x + box.width;
  return side === "top" ? box.y : box.y + box.height;
}

function opposite(side: Side): Side {
  return ({ left: "right", right: "left", top: "bottom", bottom: "top" } as const)[side];
}

function overlap(one: Box, other: Box, side: Side): number {
  return side === "left" || side === "right"
    ? Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y)
    : Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x);
}

/** Where a tab that is dropped at (x, y), shares of a group's box, goes: to one of its sides, or among its tabs. */
export function dropZone(x: number, y: number): Side | "middle" {
  const distances: readonly (readonly [Side, number])[] = [
    ["left", x],
    ["right", 1 - x],
    ["top", y],
    ["bottom", 1 - y],
  ];
  const [side, distance] = distances.reduce((best, next) => (next[1] < best[1] ? next : best));
  return distance < 0.25 ? side : "middle";
}
