import type { MenuItem } from "../ui/pop-menu.js";
import type { PageKey } from "./keys.js";
import { groupOf, groups, type Side } from "./layout.js";
import { show } from "./layout-changes.js";
import { neighbour } from "./layout-geometry.js";
import type { Desk, TabCommands } from "./tab-commands.js";
import { stepped } from "./tab-moves.js";

/** All that can be done with the terminal in which the person works. */
export function terminalMenu(desk: Desk, commands: TabCommands): readonly MenuItem[] {
  const { layout } = desk.arrangement;
  const id = layout.current;
  const pane = desk.pane();
  const none = pane === undefined;
  const act = (key: PageKey): void => commands.act(key);
  const splitting: MenuItem[] = desk.narrow
    ? []
    : [
        { label: "Split right", icon: "columns-2", keys: "Ctrl+Shift+E", apart: true, disabled: none, run: () => act("split-right") },
        { label: "Split down", icon: "rows-2", keys: "Ctrl+Shift+O", disabled: none, run: () => act("split-bottom") },
      ];
  if (groups(layout.root).length > 1 && !desk.narrow) {
    splitting.push({ label: "Make all splits the same size", icon: "scaling", run: () => commands.even() });
  }
  return [
    { label: "Copy", icon: "copy", keys: "Ctrl+Shift+C", disabled: none, run: () => void pane?.copy() },
    { label: "Paste", icon: "clipboard-paste", keys: "Ctrl+Shift+V", disabled: none, run: () => void pane?.paste() },
    { label: "Select all", icon: "text-select", disabled: none, run: () => pane?.selectAll() },
    { label: "Search the output", icon: "search", keys: "Ctrl+Shift+F", disabled: none, run: () => act("search") },
    ...splitting,
    { label: "Rename", icon: "pencil", keys: "F2", apart: true, disabled: none, run: () => commands.startRenaming(id) },
    { label: "Clear", icon: "eraser", keys: "Ctrl+Shift+K", disabled: none, run: () => act("clear") },
    { label: "Upload files", icon: "upload", disabled: none, run: () => pane?.chooseFiles() },
    { label: "Download scrollback", icon: "download", disabled: none, run: () => pane?.download() },
    { label: "Terminal settings", icon: "settings-2", keys: "Ctrl+,", apart: true, run: () => act("settings") },
    { label: "Keyboard shortcuts", icon: "keyboard", keys: "?", run: () => void document.dispatchEvent(new CustomEvent("show-shortcuts")) },
    { label: "Close terminal", icon: "x", apart: true, disabled: none || !commands.closable(id), run: () => void commands.close(id ?? "") },
  ];
}

const SIDES: readonly (readonly [Side, string, string])[] = [
  ["left", "on the left", "arrow-left"],
  ["right", "on the right", "arrow-right"],
  ["top", "above", "arrow-up"],
  ["bottom", "below", "arrow-down"],
];

/** What can be done with a tab: the same as by dragging it, for everybody who does not. */
export function tabMenu(desk: Desk, commands: TabCommands, id: string): readonly MenuItem[] {
  return [
    { label: "Rename", icon: "pencil", keys: "F2", run: () => commands.startRenaming(id) },
    ...(desk.narrow ? [] : moving(desk, commands, id)),
    { label: "Close terminal", icon: "x", keys: "Delete", apart: true, disabled: !commands.closable(id), run: () => void commands.close(id) },
  ];
}

function moving(desk: Desk, commands: TabCommands, id: string): readonly MenuItem[] {
  const { layout } = desk.arrangement;
  const alone = groupOf(layout, id)?.tabs.length === 1;
  const items: MenuItem[] = [];
  if (!alone) {
    const ends = (step: 1 | -1): boolean => stepped(layout, id, step) === layout;
    items.push({ label: "Move left", icon: "chevron-left", keys: "Ctrl+←", apart: true, disabled: ends(-1), run: () => commands.step(id, -1) });
    items.push({ label: "Move right", icon: "chevron-right", keys: "Ctrl+→", disabled: ends(1), run: () => commands.step(id, 1) });
  }
  for (const [side, words, icon] of SIDES) {
    const there = neighbour(show(layout, id), side) !== null;
    if (!there && alone) continue;
    const label = there ? `Move to the split ${words}` : `Move to a new split ${words}`;
    items.push({ label, icon, apart: items.length === 0 || side === "left", run: () => commands.send(id, side) });
  }
  return items;
}
