import type { MenuItem } from "../ui/pop-menu.js";
import type { PageKey } from "./keys.js";
import type { Side } from "./layout.js";
import type { TerminalPane } from "./pane.js";

export interface TerminalMenuModel {
  readonly pane: TerminalPane | undefined;
  readonly closable: boolean;
  readonly narrow: boolean;
  /** There is more than one group. */
  readonly splits: boolean;
  act(key: PageKey): void;
  rename(): void;
  close(): void;
  even(): void;
}

/** All that can be done with the terminal in which the person works. */
export function terminalMenu(model: TerminalMenuModel): readonly MenuItem[] {
  const { pane, act } = model;
  const none = pane === undefined;
  const splitting: MenuItem[] = model.narrow
    ? []
    : [
        { label: "Split right", icon: "columns-2", keys: "Ctrl+Shift+E", apart: true, disabled: none, run: () => act("split-right") },
        { label: "Split down", icon: "rows-2", keys: "Ctrl+Shift+O", disabled: none, run: () => act("split-bottom") },
      ];
  if (model.splits && !model.narrow) {
    splitting.push({ label: "Make all splits the same size", icon: "scaling", run: () => model.even() });
  }
  return [
    { label: "Copy", icon: "copy", keys: "Ctrl+Shift+C", disabled: none, run: () => void pane?.copy() },
    { label: "Paste", icon: "clipboard-paste", keys: "Ctrl+Shift+V", disabled: none, run: () => void pane?.paste() },
    { label: "Select all", icon: "text-select", disabled: none, run: () => pane?.selectAll() },
    { label: "Search the output", icon: "search", keys: "Ctrl+Shift+F", disabled: none, run: () => act("search") },
    ...splitting,
    { label: "Rename", icon: "pencil", keys: "F2", apart: true, disabled: none, run: () => model.rename() },
    { label: "Clear", icon: "eraser", keys: "Ctrl+Shift+K", disabled: none, run: () => act("clear") },
    { label: "Upload files", icon: "upload", disabled: none, run: () => pane?.chooseFiles() },
    { label: "Download scrollback", icon: "download", disabled: none, run: () => pane?.download() },
    { label: "Terminal settings", icon: "settings-2", keys: "Ctrl+,", apart: true, run: () => act("settings") },
    { label: "Keyboard shortcuts", icon: "keyboard", keys: "?", run: () => void document.dispatchEvent(new CustomEvent("show-shortcuts")) },
    { label: "Close terminal", icon: "x", apart: true, disabled: none || !model.closable, run: () => model.close() },
  ];
}

export interface TabMenuModel {
  /** It is the only one of its group. */
  readonly alone: boolean;
  readonly narrow: boolean;
  readonly closable: boolean;
  /** There is a group on that side. */
  there(side: Side): boolean;
  rename(): void;
  step(step: number): void;
  send(side: Side): void;
  close(): void;
}

const SIDES: readonly (readonly [Side, string, string])[] = [
  ["left", "on the left", "arrow-left"],
  ["right", "on the right", "arrow-right"],
  ["top", "above", "arrow-up"],
  ["bottom", "below", "arrow-down"],
];

/** What can be done with a tab: the same as by dragging it, for everybody who does not. */
export function tabMenu(model: TabMenuModel): readonly MenuItem[] {
  const moving: MenuItem[] = [];
  if (!model.narrow) {
    if (!model.alone) {
      moving.push({ label: "Move left", icon: "chevron-left", keys: "Ctrl+←", apart: true, run: () => model.step(-1) });
      moving.push({ label: "Move right", icon: "chevron-right", keys: "Ctrl+→", run: () => model.step(1) });
    }
    for (const [side, words, icon] of SIDES) {
      const there = model.there(side);
      if (!there && model.alone) continue;
      const label = there ? `Move to the split ${words}` : `Move to a new split ${words}`;
      moving.push({ label, icon, apart: moving.length === 0 || side === "left", run: () => model.send(side) });
    }
  }
  return [
    { label: "Rename", icon: "pencil", keys: "F2", run: () => model.rename() },
    ...moving,
    { label: "Close terminal", icon: "x", keys: "Delete", apart: true, disabled: !model.closable, run: () => model.close() },
  ];
}
