import { groupOf, type Layout, type Side } from "./layout.js";
import { insert, maximise, show, split, turn } from "./layout-changes.js";
import { neighbour } from "./layout-geometry.js";
import type { PageKey } from "./keys.js";

/** What people do to a layout by dragging, menus and keys. Pure. */

/** Where a dragged tab would go: before the `index`-th tab of a group, or into a split at its side. */
export type DropTarget =
  | { readonly kind: "tab"; readonly group: number; readonly index: number }
  | { readonly kind: "split"; readonly group: number; readonly side: Side };

export function dropped(layout: Layout, id: string, target: DropTarget): Layout {
  return target.kind === "tab" ? insert(layout, id, target.group, target.index) : split(layout, id, target.group, target.side);
}

/** The group on that side of this terminal's takes it; where there is none, it gets a split of its own. */
export function sent(layout: Layout, id: string, side: Side): Layout {
  const own = groupOf(layout, id);
  // It may have been closed since the menu was opened.
  if (own === undefined) return layout;
  const there = neighbour(show(layout, id), side);
  const target = there === null ? undefined : groupOf(layout, there);
  return target === undefined ? split(layout, id, own.id, side) : insert(layout, id, target.id, Infinity);
}

/** One place along in its row of tabs, where there is one. */
export function stepped(layout: Layout, id: string, step: 1 | -1): Layout {
  const group = groupOf(layout, id);
  if (group === undefined) return layout;
  const at = group.tabs.indexOf(id) + (step > 0 ? 2 : -1);
  return at >= 0 && at <= group.tabs.length ? insert(layout, id, group.id, at) : layout;
}

/** What a key of the page makes of it: itself when there is nothing to do; null: that key arranges nothing. */
export function arrangedBy(layout: Layout, key: PageKey): Layout | null {
  switch (key) {
    case "maximise":
      return maximise(layout, !layout.maximised);
    case "next-tab":
      return turn(layout, 1);
    case "previous-tab":
      return turn(layout, -1);
    case "go-left":
    case "go-right":
    case "go-top":
    case "go-bottom": {
      const there = neighbour(layout, key.slice(3) as Side);
      return there === null ? layout : show(layout, there);
    }
    default:
      return null;
  }
}
