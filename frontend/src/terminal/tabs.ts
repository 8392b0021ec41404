import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { TerminalInfo } from "../api/types.js";
import { keyboardHere } from "../ui/keyboard.js";
import { LightElement } from "../ui/light-element.js";
import "../ui/pop-menu.js";
import type { MenuItem, PopMenu } from "../ui/pop-menu.js";
import { EMPTY, infoOf, namesOf, titleInFront, withCall, withTerminals, withTitle, type Arrangement } from "./arrangement.js";
import { borderView } from "./border-view.js";
import { pageKey, type PageKey } from "./keys.js";
import { currentGroup, flattened, groups, shown, type Group } from "./layout.js";
import { insert, resize, show } from "./layout-changes.js";
import { bordering, place, type Border, type Geometry } from "./layout-geometry.js";
import { LayoutStore } from "./layout-store.js";
import { lay } from "./laying.js";
import "./pane.js";
import type { TerminalPane } from "./pane.js";
import "./rename-field.js";
import "./settings-popover.js";
import type { SettingsPopover } from "./settings-popover.js";
import { onSettings, settings } from "./settings-store.js";
import { stripView, type TabModel, type Tool } from "./strip-view.js";
import { TabCommands, type Desk } from "./tab-commands.js";
import { followDrag } from "./tab-drag.js";
import { dropped } from "./tab-moves.js";
import { tabMenu, terminalMenu } from "./terminal-menu.js";
import { TerminalRequests } from "./terminal-requests.js";

/** Below this width, in pixels, there is room for one terminal: splits become tabs. */
const NARROW = 560;

/** The terminals of a session in tabs and splits. Each keeps its connection while another is in front. */
export class TerminalTabs extends LightElement implements Desk {
  static override properties = {
    session: {},
    terminals: { attribute: false },
    arrangement: { state: true },
    narrow: { state: true },
    renaming: { state: true },
    mark: { state: true },
  };
  declare session: string;
  /** As the server tells of them. */
  declare terminals: readonly TerminalInfo[];
  /** With what was done here meanwhile. */
  declare arrangement: Arrangement;
  declare narrow: boolean;
  declare renaming: string | null;
  /** Where the tab that is dragged would go, on the page. */
  declare private mark: DOMRect | null;
  readonly #requests = new TerminalRequests(() => this.requestUpdate());
  readonly #commands = new TabCommands(this, this.#requests);
  #store: LayoutStore | null = null;
  #stopSettings: (() => void) | null = null;
  #geometry: Geometry = { groups: [], borders: [] };
  #observer = new ResizeObserver(([entry]) => {
    if (entry !== undefined && entry.contentRect.width > 0) this.narrow = entry.contentRect.width < NARROW;
  });

  constructor() {
    super();
    this.session = "";
    this.terminals = [];
    this.arrangement = EMPTY;
    this.narrow = false;
    this.renaming = null;
    this.mark = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#observer.observe(this);
    this.addEventListener("keydown", this.#pageKey);
    this.#stopSettings = onSettings(() => this.#wear());
    this.#wear();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer.disconnect();
    this.#stopSettings?.();
    this.removeEventListener("keydown", this.#pageKey);
  }

  /** The colours of the terminals; they are below this element in the style sheet. */
  #wear(): void {
    this.dataset["terminalTheme"] = settings().theme;
  }

  /** What every terminal showed, as one text; null: none was opened in this window. */
  text(): string | null {
    const texts = this.#panes().flatMap((pane) => pane.text() ?? []);
    return texts.length === 0 ? null : texts.join("\n");
  }

  override focus(): void {
    this.pane()?.focus();
  }

  finish(): void {
    for (const pane of this.#panes()) pane.finish();
  }

  /** The session goes on: terminals that wait for that come back now. */
  wake(): void {
    for (const pane of this.#panes()) pane.wake();
  }

  pane(id: string | null = this.arrangement.layout.current): TerminalPane | undefined {
    return this.#panes().find((pane) => pane.info.id === id);
  }

  focusPane(): void {
    const stayed = keyboardHere();
    void this.updateComplete.then(() => requestAnimationFrame(() => stayed() && this.focus()));
  }

  focusTab(id: string | null): void {
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(`#tab-${CSS.escape(id ?? "")}`)?.focus());
  }

  openSettings(): void {
    const button = this.querySelector<HTMLElement>(".tool-settings");
    this.querySelector<SettingsPopover>("pg-terminal-settings")?.show(button?.offsetParent === null ? null : button);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("session")) this.#requests.session = this.session;
    if (changed.has("terminals") || changed.has("session")) {
      const there = this.#requests.correct(this.terminals);
      if (changed.has("session")) this.#store = new LayoutStore(this.session);
      const kept = changed.has("session") ? this.#store?.load(there.map((terminal) => terminal.id)) : undefined;
      this.arrangement = withTerminals(this.arrangement, there, kept);
    }
    const { layout } = this.arrangement;
    this.#geometry = place(shown(this.narrow ? flattened(layout) : layout));
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("arrangement")) this.#rearranged(changed.get("arrangement"));
    lay(this, this.#geometry, this.mark);
    if (!changed.has("arrangement") && !changed.has("narrow")) return;
    for (const tab of this.querySelectorAll("[aria-selected=true]")) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  #rearranged(before: Arrangement | undefined): void {
    const { layout, titles } = this.arrangement;
    if (before?.layout !== layout) this.#store?.save(layout);
    if (before?.layout === layout && before.titles === titles) return;
    this.dispatchEvent(new CustomEvent("terminal-title", { detail: titleInFront(this.arrangement) }));
  }

  #panes(): TerminalPane[] {
    return [...this.querySelectorAll<TerminalPane>("pg-terminal")];
  }

  /** The page's keys work on the tabs and tools too; in a terminal it sorts them out itself. */
  readonly #pageKey = (event: KeyboardEvent): void => {
    const inside = event.target instanceof HTMLElement && event.target.closest(".xterm, input, dialog") !== null;
    const key = inside ? null : pageKey(event, false);
    if (key === null || key === "copy" || key === "paste") return;
    event.preventDefault();
    this.#commands.act(key);
  };

  #tool(tool: Tool, button: HTMLElement): void {
    if (tool === "more") return this.#menu("Terminal", terminalMenu(this, this.#commands), button);
    if (tool === "copy") void this.pane()?.copy();
    else if (tool === "paste") void this.pane()?.paste();
    else this.#commands.act(tool);
  }

  #openTabMenu(event: MouseEvent, id: string): void {
    event.preventDefault();
    const name = namesOf(this.arrangement).get(id) ?? "";
    const pressed = event.clientX > 0 ? { x: event.clientX, y: event.clientY } : undefined;
    this.#menu(name, tabMenu(this, this.#commands, id), event.currentTarget as HTMLElement, pressed);
  }

  #menu(name: string, items: readonly MenuItem[], opener: HTMLElement, at?: { x: number; y: number }): void {
    void this.querySelector<PopMenu>("pg-pop-menu")?.show(name, items, opener, at);
  }

  #press(event: PointerEvent, id: string): void {
    if (this.narrow) return;
    followDrag(event, this, {
      moved: (_target, mark) => (this.mark = mark),
      dropped: (target) => this.#commands.enter(dropped(this.arrangement.layout, id, target)),
      ended: () => (this.mark = null),
    });
  }

  #title(event: CustomEvent<string>, id: string): void {
    event.stopPropagation();
    this.arrangement = withTitle(this.arrangement, id, event.detail);
  }

  #ring(id: string): void {
    const inFront = this.#geometry.groups.some(({ group }) => group.active === id);
    if (!inFront) this.arrangement = withCall(this.arrangement, id);
  }

  #focused(id: string): void {
    const { layout } = this.arrangement;
    if (id !== layout.current) this.#commands.arrange(show(layout, id));
  }

  protected override render(): TemplateResult {
    const names = namesOf(this.arrangement);
    const { terminals } = this.arrangement;
    return html`
      <div class="terminal-room">
        ${repeat(this.#geometry.groups, ({ group }) => group.id, ({ group }) => this.#strip(group, names))}
        ${repeat(terminals, (terminal) => terminal.id, (terminal) => this.#panel(terminal))}
        ${this.#geometry.borders.map((border) => this.#border(border, names))}
        ${terminals.length > 0 ? nothing : this.#empty()}
        ${this.#requests.problem === "" ? nothing : this.#problem(this.#requests.problem)}
        ${this.mark === null ? nothing : html`<div class="drop-mark"></div>`}
        ${this.renaming === null ? nothing : this.#renameField(this.renaming)}
      </div>
      <pg-pop-menu></pg-pop-menu>
      <pg-terminal-settings></pg-terminal-settings>
    `;
  }

  #problem(words: string): TemplateResult {
    return html`<p class="bar bar-danger tabs-problem" role="alert">
      <span>${words}</span>
      <button type="button" class="link" @click=${() => this.#dismiss()}>Dismiss</button>
    </p>`;
  }

  /** The words go, and their button with them. */
  #dismiss(): void {
    this.#requests.forget();
    this.focus();
  }

  #renameField(id: string): TemplateResult {
    return html`<pg-rename-field
      .tab=${`tab-${id}`}
      .value=${infoOf(this.arrangement, id)?.name ?? ""}
      @done=${(event: CustomEvent<string>) => void this.#commands.rename(id, event.detail)}
    ></pg-rename-field>`;
  }

  #strip(group: Group, names: ReadonlyMap<string, string>): TemplateResult {
    const { layout, titles, calls } = this.arrangement;
    const commands = this.#commands;
    const tabs = group.tabs.map((id): TabModel => {
      return { id, label: names.get(id) ?? "", title: titles.get(id) ?? "", closable: commands.closable(id), rang: calls.has(id) };
    });
    return stripView({
      group,
      tabs,
      current: this.narrow || group.id === currentGroup(layout).id,
      narrow: this.narrow,
      splits: !this.narrow && groups(layout.root).length > 1,
      maximised: layout.maximised,
      opening: this.#requests.opening,
      show: (id) => commands.show(id),
      open: () => void commands.open((now, id) => insert(now, id, this.narrow ? currentGroup(now).id : group.id, Infinity)),
      close: (id) => void commands.close(id),
      rename: (id) => commands.startRenaming(id),
      press: (event, id) => this.#press(event, id),
      key: (event, id) => commands.tabKey(event, id),
      menu: (event, id) => this.#openTabMenu(event, id),
      tool: (tool, button) => this.#tool(tool, button),
    });
  }

  #border(border: Border, names: ReadonlyMap<string, string>): TemplateResult {
    const beside = bordering(this.#geometry, border).map((group) => group.active ?? "");
    const give = (share: number): void =>
      this.#commands.arrange(resize(this.arrangement.layout, border.split, border.index, share));
    return borderView({
      border,
      label: `Border between ${beside.map((id) => names.get(id) ?? "").join(" and ")}`,
      controls: beside.map((id) => `panel-${id}`).join(" "),
      resize: give,
      even: () => give(0.5),
      leave: () => this.focus(),
    });
  }

  #panel(terminal: TerminalInfo): TemplateResult {
    const placed = this.#geometry.groups.find(({ group }) => group.tabs.includes(terminal.id));
    const active = placed?.group.active === terminal.id;
    return html`<pg-terminal
      role="tabpanel"
      id="panel-${terminal.id}"
      class=${terminal.id === this.arrangement.layout.current ? "current" : ""}
      data-group=${placed?.group.id ?? nothing}
      aria-labelledby="tab-${terminal.id}"
      ?hidden=${!active}
      .info=${terminal}
      .session=${this.session}
      ?active=${active}
      @focusin=${() => this.#focused(terminal.id)}
      @terminal-bell=${() => this.#ring(terminal.id)}
      @terminal-title=${(event: CustomEvent<string>) => this.#title(event, terminal.id)}
      @terminal-key=${(event: CustomEvent<PageKey>) => this.#commands.act(event.detail)}
    ></pg-terminal>`;
  }

  #empty(): TemplateResult {
    return html`<div class="terminal-empty">
      <p>No terminal is open. The machine goes on meanwhile.</p>
      <button type="button" class="button primary" ?disabled=${this.#requests.opening} @click=${() => void this.#commands.open()}>
        Open a terminal
      </button>
    </div>`;
  }
}

customElements.define("pg-terminals", TerminalTabs);
