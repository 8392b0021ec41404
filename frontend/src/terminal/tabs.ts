import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { api, refusalOf } from "../api/client.js";
import type { TerminalInfo } from "../api/types.js";
import { announce } from "../ui/announce.js";
import { keyboardHere } from "../ui/keyboard.js";
import { LightElement } from "../ui/light-element.js";
import "../ui/pop-menu.js";
import type { MenuItem, PopMenu } from "../ui/pop-menu.js";
import { borderView } from "./border-view.js";
import { pageKey, type PageKey } from "./keys.js";
import { mayClose } from "./closing.js";
import { cleanTitle, labels } from "./labels.js";
import { currentGroup, flattened, groupOf, groups, shown, single, type Group, type Layout, type Side } from "./layout.js";
import { add, evened, insert, maximise, reconcile, remove, resize, show, split, turn } from "./layout-changes.js";
import { bordering, neighbour, place, type Border, type Geometry } from "./layout-geometry.js";
import { LayoutStore } from "./layout-store.js";
import { lay } from "./laying.js";
import "./pane.js";
import type { TerminalPane } from "./pane.js";
import "./rename-field.js";
import "./settings-popover.js";
import type { SettingsPopover } from "./settings-popover.js";
import { onSettings, settings } from "./settings-store.js";
import { stripView, type TabModel, type Tool } from "./strip-view.js";
import { followDrag, type DropTarget } from "./tab-drag.js";
import { TerminalList } from "./terminal-list.js";
import { tabMenu, terminalMenu } from "./terminal-menu.js";

/** Below this width, in pixels, there is room for one terminal: splits become tabs. */
const NARROW = 560;
/** A group that is split has at least this size, in pixels. */
const LEAST_SPLIT = { width: 280, height: 150 };

/** The terminals of a session in tabs and splits. Each keeps its connection while another is in front. */
export class TerminalTabs extends LightElement {
  static override properties = {
    session: {},
    terminals: { attribute: false },
    there: { state: true },
    layout: { state: true },
    narrow: { state: true },
    opening: { state: true },
    problem: { state: true },
    calls: { state: true },
    titles: { state: true },
    renaming: { state: true },
    mark: { state: true },
  };
  declare session: string;
  /** As the server tells of them. */
  declare terminals: readonly TerminalInfo[];
  /** With what was done here meanwhile. */
  declare private there: readonly TerminalInfo[];
  declare private layout: Layout;
  declare private narrow: boolean;
  declare private opening: boolean;
  declare private problem: string;
  /** Terminals in the back that rang. */
  declare private calls: ReadonlySet<string>;
  /** What the programs call themselves. */
  declare private titles: ReadonlyMap<string, string>;
  declare private renaming: string | null;
  /** Where the tab that is dragged would go, on the page. */
  declare private mark: DOMRect | null;
  readonly #list = new TerminalList();
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
    this.there = [];
    this.layout = single([]);
    this.narrow = false;
    this.opening = false;
    this.problem = "";
    this.calls = new Set();
    this.titles = new Map();
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
    this.#pane()?.focus();
  }

  finish(): void {
    for (const pane of this.#panes()) pane.finish();
  }

  /** The session goes on: terminals that wait for that come back now. */
  wake(): void {
    for (const pane of this.#panes()) pane.wake();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("terminals")) this.there = this.#list.correct(this.terminals, Date.now());
    const there = this.there.map((terminal) => terminal.id);
    if (changed.has("session")) {
      this.#store = new LayoutStore(this.session);
      this.layout = reconcile(this.#store.load(there), there);
    } else if (changed.has("there")) {
      this.layout = reconcile(this.layout, there);
    }
    const layout = this.narrow ? flattened(this.layout) : this.layout;
    this.#geometry = place(shown(layout));
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("layout")) {
      this.#store?.save(this.layout);
      this.#tellTitle();
    }
    lay(this, this.#geometry, this.mark);
    if (!changed.has("layout") && !changed.has("narrow") && !changed.has("there")) return;
    for (const tab of this.querySelectorAll("[aria-selected=true]")) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  #panes(): TerminalPane[] {
    return [...this.querySelectorAll<TerminalPane>("pg-terminal")];
  }

  #pane(id: string | null = this.layout.current): TerminalPane | undefined {
    return this.#panes().find((pane) => pane.info.id === id);
  }

  #info(id: string | null): TerminalInfo | undefined {
    return this.there.find((terminal) => terminal.id === id);
  }

  /** Takes on another layout; with `focus`, the terminal in front of it gets the keyboard, if nobody moves that meanwhile. */
  #arrange(layout: Layout, focus = true): void {
    this.layout = layout;
    if (layout.current !== null && this.calls.has(layout.current)) {
      this.calls = new Set([...this.calls].filter((other) => other !== layout.current));
    }
    if (!focus) return;
    const stayed = keyboardHere();
    void this.updateComplete.then(() => requestAnimationFrame(() => stayed() && this.#pane()?.focus()));
  }

  /** Opens a terminal as large as the one beside it, and puts it where `arrange` says. */
  async #open(arrange: (layout: Layout, id: string) => Layout = add): Promise<void> {
    if (this.opening) return;
    this.opening = true;
    this.problem = "";
    try {
      const beside = this.#info(this.layout.current)?.machine;
      const terminal = await api.openTerminal(this.session, { ...this.#pane()?.size, ...(beside ? { machine: beside } : {}) });
      this.#list.opened(terminal, Date.now());
      const layout = arrange(this.layout, terminal.id);
      if (this.#info(terminal.id) === undefined) this.there = [...this.there, terminal];
      this.#arrange(layout);
    } catch (error) {
      this.#failed(error);
    }
    this.opening = false;
  }

  #split(side: Side): void {
    const group = currentGroup(this.layout);
    const pane = this.#pane();
    const room = pane === undefined ? null : { width: pane.offsetWidth, height: pane.offsetHeight };
    const tight = room !== null && (side === "right" ? room.width < LEAST_SPLIT.width : room.height < LEAST_SPLIT.height);
    if (this.narrow || tight) return this.#say("There is no room to split this terminal.");
    void this.#open((layout, id) => split(layout, id, group.id, side));
  }

  async #close(id: string): Promise<void> {
    const terminal = this.#info(id);
    if (terminal === undefined || terminal.is_main) return;
    this.problem = "";
    const exited = this.#pane(id)?.exited ?? false;
    if (!exited && !(await mayClose(this.session, terminal, this.#label(id)))) return;
    try {
      await api.closeTerminal(this.session, id);
      this.#list.closed(id);
      const hadFocus = this.layout.current === id;
      this.layout = remove(this.layout, id);
      this.there = this.there.filter((other) => other.id !== id);
      announce("Terminal closed.");
      if (hadFocus) this.#arrange(this.layout);
    } catch (error) {
      this.#failed(error);
    }
  }

  async #rename(id: string, name: string): Promise<void> {
    this.renaming = null;
    const before = this.#info(id);
    if (before !== undefined && name !== "" && name !== before.name) {
      try {
        const renamed = await api.renameTerminal(this.session, id, name);
        this.there = this.there.map((terminal) => (terminal.id === id ? renamed : terminal));
      } catch (error) {
        this.#failed(error);
      }
    }
    this.#focusTab(id);
  }

  #failed(error: unknown): void {
    this.problem = refusalOf(error);
  }

  #say(text: string): void {
    this.problem = text;
    setTimeout(() => (this.problem = this.problem === text ? "" : this.problem), 6000);
  }

  #focusTab(id: string | null): void {
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(`#tab-${CSS.escape(id ?? "")}`)?.focus());
  }

  #drop(id: string, target: DropTarget): void {
    this.#arrange(
      target.kind === "tab"
        ? insert(this.layout, id, target.group, target.index)
        : split(this.layout, id, target.group, target.side),
    );
  }

  /** Moves a tab to a split of its own, or to the group that is there already. */
  #send(id: string, side: Side): void {
    const there = neighbour(show(this.layout, id), side);
    const target = there === null ? undefined : groupOf(this.layout, there);
    const own = groupOf(this.layout, id);
    if (target !== undefined) this.#arrange(insert(this.layout, id, target.id, Infinity), false);
    else if (own !== undefined) this.#arrange(split(this.layout, id, own.id, side), false);
    this.#focusTab(id);
  }

  #step(id: string, step: number): void {
    const group = groupOf(this.layout, id);
    if (group === undefined) return;
    const at = group.tabs.indexOf(id) + (step > 0 ? 2 : -1);
    if (at >= 0 && at <= group.tabs.length) this.#arrange(insert(this.layout, id, group.id, at), false);
    this.#focusTab(id);
  }

  #tabKey(event: KeyboardEvent, id: string): void {
    const tabs = groupOf(this.narrow ? flattened(this.layout) : this.layout, id)?.tabs ?? [];
    const at = tabs.indexOf(id);
    const last = tabs.length - 1;
    const target = { ArrowLeft: at === 0 ? last : at - 1, ArrowRight: at === last ? 0 : at + 1, Home: 0, End: last };
    const next = tabs[target[event.key as keyof typeof target] ?? -1];
    if (event.altKey || event.metaKey) return;
    if (event.key === "Delete") void this.#close(id);
    else if (event.key === "F2") this.renaming = id;
    else if (event.key === "Enter" || event.key === "ArrowDown") this.#arrange(show(this.layout, id));
    else if (event.ctrlKey && event.key === "ArrowLeft") this.#step(id, -1);
    else if (event.ctrlKey && event.key === "ArrowRight") this.#step(id, 1);
    else if (next !== undefined) {
      this.#arrange(show(this.layout, next), false);
      this.#focusTab(next);
    } else return;
    event.preventDefault();
  }

  /** The page's keys work on the tabs and tools too; in a terminal it sorts them out itself. */
  readonly #pageKey = (event: KeyboardEvent): void => {
    const inside = event.target instanceof HTMLElement && event.target.closest(".xterm, input, dialog") !== null;
    const key = inside ? null : pageKey(event, false);
    if (key === null || key === "copy" || key === "paste") return;
    event.preventDefault();
    this.#act(key);
  };

  #act(key: PageKey): void {
    if (key === "leave") return this.#focusTab(this.layout.current);
    if (key === "new") return void this.#open();
    if (key === "split-right") return this.#split("right");
    if (key === "split-bottom") return this.#split("bottom");
    if (key === "maximise") return this.#arrange(maximise(this.layout, !this.layout.maximised));
    if (key === "next-tab") return this.#arrange(turn(this.layout, 1));
    if (key === "previous-tab") return this.#arrange(turn(this.layout, -1));
    if (key === "go-left" || key === "go-right" || key === "go-top" || key === "go-bottom") {
      const there = neighbour(this.layout, key.slice(3) as Side);
      return there === null ? undefined : this.#arrange(show(this.layout, there));
    }
    if (key === "settings") return this.#openSettings();
    this.#pane()?.act(key);
  }

  #openSettings(): void {
    const button = this.querySelector<HTMLElement>(".tool-settings");
    this.querySelector<SettingsPopover>("pg-terminal-settings")?.show(button?.offsetParent === null ? null : button);
  }

  #tool(tool: Tool, button: HTMLElement): void {
    const pane = this.#pane();
    if (tool === "more") return this.#menu("Terminal", this.#terminalMenu(), button);
    if (tool === "copy") void pane?.copy();
    else if (tool === "paste") void pane?.paste();
    else this.#act(tool);
  }

  #menu(name: string, items: readonly MenuItem[], opener: HTMLElement, at?: { x: number; y: number }): void {
    void this.querySelector<PopMenu>("pg-pop-menu")?.show(name, items, opener, at);
  }

  #terminalMenu(): readonly MenuItem[] {
    const id = this.layout.current;
    return terminalMenu({
      pane: this.#pane(),
      closable: this.#info(id)?.is_main === false,
      narrow: this.narrow,
      act: (key) => this.#act(key),
      rename: () => (this.renaming = id),
      close: () => void this.#close(id ?? ""),
      even: () => this.#arrange(evened(this.layout)),
      splits: groups(this.layout.root).length > 1,
    });
  }

  #openTabMenu(event: MouseEvent, id: string): void {
    event.preventDefault();
    const group = groupOf(this.layout, id);
    if (group === undefined) return;
    const items = tabMenu({
      alone: group.tabs.length === 1,
      narrow: this.narrow,
      closable: this.#info(id)?.is_main === false,
      there: (side) => neighbour(show(this.layout, id), side) !== null,
      rename: () => (this.renaming = id),
      step: (step) => this.#step(id, step),
      send: (side) => this.#send(id, side),
      close: () => void this.#close(id),
    });
    const pressed = event.clientX > 0 ? { x: event.clientX, y: event.clientY } : undefined;
    this.#menu(this.#label(id), items, event.currentTarget as HTMLElement, pressed);
  }

  #label(id: string): string {
    return labels(this.there, this.titles).get(id) ?? "";
  }

  #title(event: CustomEvent<string>, id: string): void {
    event.stopPropagation();
    this.titles = new Map([...this.titles, [id, cleanTitle(event.detail)]]);
    this.#tellTitle();
  }

  #tellTitle(): void {
    const detail = this.titles.get(this.layout.current ?? "") ?? "";
    this.dispatchEvent(new CustomEvent("terminal-title", { detail }));
  }

  #ring(id: string): void {
    const inFront = this.#geometry.groups.some(({ group }) => group.active === id);
    if (!inFront) this.calls = new Set([...this.calls, id]);
  }

  #focused(id: string): void {
    if (id !== this.layout.current) this.#arrange(show(this.layout, id), false);
  }

  protected override render(): TemplateResult {
    const names = labels(this.there, this.titles);
    return html`
      <div class="terminal-room">
        ${repeat(this.#geometry.groups, ({ group }) => group.id, ({ group }) => this.#strip(group, names))}
        ${repeat(this.there, (terminal) => terminal.id, (terminal) => this.#panel(terminal))}
        ${this.#geometry.borders.map((border) => this.#border(border, names))}
        ${this.there.length > 0 ? nothing : this.#empty()}
        ${this.mark === null ? nothing : html`<div class="drop-mark"></div>`}
        ${this.renaming === null
          ? nothing
          : html`<pg-rename-field
              .tab=${`tab-${this.renaming}`}
              .value=${this.#info(this.renaming)?.name ?? ""}
              @done=${(event: CustomEvent<string>) => void this.#rename(this.renaming ?? "", event.detail)}
            ></pg-rename-field>`}
      </div>
      <pg-pop-menu></pg-pop-menu>
      <pg-terminal-settings></pg-terminal-settings>
    `;
  }

  #strip(group: Group, names: ReadonlyMap<string, string>): TemplateResult {
    const tabs = group.tabs.map((id): TabModel => {
      const closable = this.#info(id)?.is_main === false;
      return { id, label: names.get(id) ?? "", title: this.titles.get(id) ?? "", closable, rang: this.calls.has(id) };
    });
    return stripView({
      group,
      tabs,
      current: this.narrow || group.id === currentGroup(this.layout).id,
      narrow: this.narrow,
      splits: !this.narrow && groups(this.layout.root).length > 1,
      maximised: this.layout.maximised,
      opening: this.opening,
      problem: this.problem,
      show: (id) => this.#arrange(show(this.layout, id)),
      open: () => void this.#open((layout, id) => insert(layout, id, this.narrow ? currentGroup(layout).id : group.id, Infinity)),
      close: (id) => void this.#close(id),
      rename: (id) => (this.renaming = id),
      press: (event, id) => this.#press(event, id),
      key: (event, id) => this.#tabKey(event, id),
      menu: (event, id) => this.#openTabMenu(event, id),
      tool: (tool, button) => this.#tool(tool, button),
    });
  }

  #press(event: PointerEvent, id: string): void {
    if (this.narrow) return;
    followDrag(event, this, {
      moved: (_target, mark) => (this.mark = mark),
      dropped: (target) => this.#drop(id, target),
      ended: () => (this.mark = null),
    });
  }

  #border(border: Border, names: ReadonlyMap<string, string>): TemplateResult {
    const beside = bordering(this.#geometry, border).map((group) => group.active ?? "");
    return borderView({
      border,
      label: `Border between ${beside.map((id) => names.get(id) ?? "").join(" and ")}`,
      controls: beside.map((id) => `panel-${id}`).join(" "),
      resize: (share) => this.#arrange(resize(this.layout, border.split, border.index, share), false),
      even: () => this.#arrange(resize(this.layout, border.split, border.index, 0.5), false),
      leave: () => this.focus(),
    });
  }

  #panel(terminal: TerminalInfo): TemplateResult {
    const placed = this.#geometry.groups.find(({ group }) => group.tabs.includes(terminal.id));
    const active = placed?.group.active === terminal.id;
    return html`<pg-terminal
      role="tabpanel"
      id="panel-${terminal.id}"
      class=${terminal.id === this.layout.current ? "current" : ""}
      data-group=${placed?.group.id ?? nothing}
      aria-labelledby="tab-${terminal.id}"
      ?hidden=${!active}
      .info=${terminal}
      .session=${this.session}
      ?active=${active}
      @focusin=${() => this.#focused(terminal.id)}
      @terminal-bell=${() => this.#ring(terminal.id)}
      @terminal-title=${(event: CustomEvent<string>) => this.#title(event, terminal.id)}
      @terminal-key=${(event: CustomEvent<PageKey>) => this.#act(event.detail)}
    ></pg-terminal>`;
  }

  #empty(): TemplateResult {
    return html`<div class="terminal-empty">
      <p>No terminal is open. The machine goes on meanwhile.</p>
      <button type="button" class="button primary" ?disabled=${this.opening} @click=${() => void this.#open()}>Open a terminal</button>
    </div>`;
  }
}

customElements.define("pg-terminals", TerminalTabs);
