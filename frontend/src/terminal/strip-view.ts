import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { alongToolbar } from "../ui/toolbar.js";
import type { Group } from "./layout.js";
import { toolButton } from "./tool-button.js";

export interface TabModel {
  readonly id: string;
  readonly label: string;
  /** What the program calls itself, beside the label. */
  readonly title: string;
  readonly closable: boolean;
  readonly rang: boolean;
}

export interface StripModel {
  readonly group: Group;
  readonly tabs: readonly TabModel[];
  /** The person works in this group: it shows the tools. */
  readonly current: boolean;
  /** There is room for one terminal alone. */
  readonly narrow: boolean;
  /** There are other groups, shown or hidden by this one. */
  readonly splits: boolean;
  readonly maximised: boolean;
  readonly opening: boolean;
  show(id: string): void;
  open(): void;
  close(id: string): void;
  rename(id: string): void;
  press(event: PointerEvent, id: string): void;
  key(event: KeyboardEvent, id: string): void;
  menu(event: MouseEvent, id: string): void;
  tool(name: Tool, button: HTMLElement): void;
}

export type Tool = "copy" | "paste" | "search" | "split-right" | "split-bottom" | "maximise" | "settings" | "more";

interface ToolModel {
  readonly name: Tool;
  readonly icon: string;
  readonly label: string;
}

const TOOLS: readonly ToolModel[] = [
  { name: "copy", icon: "copy", label: "Copy (Ctrl+Shift+C)" },
  { name: "paste", icon: "clipboard-paste", label: "Paste (Ctrl+Shift+V)" },
  { name: "search", icon: "search", label: "Search the output (Ctrl+Shift+F)" },
  { name: "split-right", icon: "columns-2", label: "Split right (Ctrl+Shift+E)" },
  { name: "split-bottom", icon: "rows-2", label: "Split down (Ctrl+Shift+O)" },
  { name: "settings", icon: "settings-2", label: "Terminal settings (Ctrl+,)" },
  { name: "more", icon: "ellipsis", label: "More" },
];

/** On a phone, the others are in the menu. */
const NARROW_TOOLS: ReadonlySet<Tool> = new Set(["paste", "more"]);

/** Where no terminal is open, there is nothing for the others to work on. */
const TOOLS_OF_NONE: ReadonlySet<Tool> = new Set(["settings", "more"]);

/** The row of tabs over a group, and the tools. */
export function stripView(model: StripModel): TemplateResult {
  const { group } = model;
  return html`<div class="tabs ${model.current ? "tabs-current" : ""}" data-group=${group.id}>
    <div role="tablist" aria-label="Terminals" class="tab-list" @wheel=${scrollAlong}>
      ${repeat(model.tabs, (tab) => tab.id, (tab) => tabView(model, tab))}
    </div>
    <button type="button" class="icon-button" aria-label="New terminal" title="New terminal (Ctrl+Shift+Enter)" ?disabled=${model.opening} @click=${() => model.open()}>
      <span class="icon icon-plus" aria-hidden="true"></span>
    </button>
    ${model.opening && model.current ? html`<span class="tabs-word" role="status">Opening a terminal…</span>` : nothing}
    ${model.current ? tools(model) : nothing}
  </div>`;
}

/** A wheel that turns up and down moves the tabs that don't fit. */
function scrollAlong(event: WheelEvent): void {
  const list = event.currentTarget as HTMLElement;
  if (event.deltaX === 0 && !event.ctrlKey) list.scrollLeft += event.deltaY;
}

function tools(model: StripModel): TemplateResult {
  const button = (name: Tool, icon: string, label: string): TemplateResult =>
    toolButton(name, icon, label, (pressed) => model.tool(name, pressed));
  const none = model.tabs.length === 0;
  const maximise: ToolModel = model.maximised
    ? { name: "maximise", icon: "minimize-2", label: "Show all splits (Ctrl+Shift+X)" }
    : { name: "maximise", icon: "maximize-2", label: "Show this split alone (Ctrl+Shift+X)" };
  const all = TOOLS.filter(({ name }) => (!model.narrow || NARROW_TOOLS.has(name)) && (!none || TOOLS_OF_NONE.has(name)));
  return html`<span class="tabs-hint whole-or-none">
      ${none ? nothing : html`<span>Select and <kbd>Ctrl+Shift+C</kbd> copies, <kbd>Ctrl+Shift+V</kbd> pastes</span>`}
    </span>
    <div class="tabs-tools" role="toolbar" aria-label="Tools of the terminal" @keydown=${alongToolbar}>
      ${model.splits ? button(maximise.name, maximise.icon, maximise.label) : nothing}
      ${all.map((tool) => button(tool.name, tool.icon, tool.label))}
    </div>`;
}

function tabView(model: StripModel, tab: TabModel): TemplateResult {
  const selected = tab.id === model.group.active;
  const closeByClick = (event: Event): void => {
    event.stopPropagation();
    model.close(tab.id);
  };
  return html`<button
    type="button"
    role="tab"
    id="tab-${tab.id}"
    class="tab"
    title=${tab.title === "" || tab.title === tab.label ? tab.label : `${tab.label}: ${tab.title}`}
    aria-selected=${selected}
    aria-controls="panel-${tab.id}"
    aria-keyshortcuts=${tab.closable ? "F2 Delete" : "F2"}
    tabindex=${selected ? 0 : -1}
    @pointerdown=${(event: PointerEvent) => model.press(event, tab.id)}
    @click=${() => model.show(tab.id)}
    @auxclick=${(event: MouseEvent) => (event.button === 1 && tab.closable ? model.close(tab.id) : undefined)}
    @dblclick=${() => model.rename(tab.id)}
    @contextmenu=${(event: MouseEvent) => model.menu(event, tab.id)}
    @keydown=${(event: KeyboardEvent) => model.key(event, tab.id)}
  >
    <span class="icon icon-square-terminal" aria-hidden="true"></span>
    <span class="tab-name">${tab.label}</span>
    ${tab.rang ? html`<span class="icon icon-bell" aria-hidden="true"></span><span class="visually-hidden">rang</span>` : nothing}
    ${tab.closable
      ? html`<span class="tab-close" aria-hidden="true" title="Close (Delete)" @pointerdown=${(event: Event) => event.stopPropagation()} @click=${closeByClick}>
          <span class="icon icon-x"></span>
        </span>`
      : nothing}
  </button>`;
}
