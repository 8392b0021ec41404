import { html, type TemplateResult } from "lit";
import { toolButton } from "../terminal/tool-button.js";
import type { MenuItem } from "../ui/pop-menu.js";
import { alongToolbar } from "../ui/toolbar.js";

/** What a guest can do with the terminal in front. */
export interface GuestTools {
  readonly mayType: boolean;
  copy(): void;
  paste(): void;
  search(): void;
  download(): void;
  /** Opens a menu with the same. */
  menu(items: readonly MenuItem[], opener: HTMLElement): void;
}

function items(tools: GuestTools): readonly MenuItem[] {
  const paste: MenuItem = { label: "Paste", icon: "clipboard-paste", keys: "Ctrl+Shift+V", run: () => tools.paste() };
  return [
    { label: "Copy", icon: "copy", keys: "Ctrl+Shift+C", run: () => tools.copy() },
    ...(tools.mayType ? [paste] : []),
    { label: "Search the output", icon: "search", keys: "Ctrl+Shift+F", run: () => tools.search() },
    { label: "Download scrollback", icon: "download", run: () => tools.download() },
  ];
}

/** A button for each; on a phone one menu with all. */
export function guestToolsView(tools: GuestTools): TemplateResult {
  const all = items(tools);
  return html`<div class="tabs-tools watch-tools" role="toolbar" aria-label="Tools of the terminal" @keydown=${alongToolbar}>
    ${all.map(({ icon, label, keys, run }) => toolButton("wide", icon, keys === undefined ? label : `${label} (${keys})`, run))}
    ${toolButton("more", "ellipsis", "More", (button) => tools.menu(all, button))}
  </div>`;
}
