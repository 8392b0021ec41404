import { announce } from "../ui/announce.js";
import { closable, infoOf, namesOf, withInfo, withLayout, withOpened, withoutTerminal, type Arrangement } from "./arrangement.js";
import { mayClose } from "./closing.js";
import type { PageKey } from "./keys.js";
import { currentGroup, flattened, groupOf, type Layout, type Side } from "./layout.js";
import { add, evened, show, split } from "./layout-changes.js";
import type { TerminalPane } from "./pane.js";
import { tabAction } from "./tab-keys.js";
import { arrangedBy, sent, stepped } from "./tab-moves.js";
import type { TerminalRequests } from "./terminal-requests.js";

/** A group that is split has at least this size, in pixels. */
const LEAST_SPLIT = { width: 280, height: 150 };

/** What the commands work on. */
export interface Desk {
  readonly session: string;
  arrangement: Arrangement;
  /** There is room for one terminal alone. */
  readonly narrow: boolean;
  /** The terminal whose name is being written. */
  renaming: string | null;
  pane(id?: string | null): TerminalPane | undefined;
  /** The terminal in front gets the keyboard, if nobody moves that meanwhile. */
  focusPane(): void;
  focusTab(id: string | null): void;
  openSettings(): void;
}

/** All that a person can do with a session's terminals, be it by key, button, menu or mouse. */
export class TabCommands {
  readonly #desk: Desk;
  readonly #requests: TerminalRequests;

  constructor(desk: Desk, requests: TerminalRequests) {
    this.#desk = desk;
    this.#requests = requests;
  }

  get #layout(): Layout {
    return this.#desk.arrangement.layout;
  }

  /** Takes on another layout; the keyboard stays where it is. */
  arrange(layout: Layout): void {
    this.#desk.arrangement = withLayout(this.#desk.arrangement, layout);
  }

  /** Takes on another layout and gives the keyboard to the terminal in front. */
  enter(layout: Layout): void {
    this.arrange(layout);
    this.#desk.focusPane();
  }

  show(id: string): void {
    this.enter(show(this.#layout, id));
  }

  /** Opens a terminal as large as the one beside it, and puts it where `place` says. */
  async open(place: (layout: Layout, id: string) => Layout = add): Promise<void> {
    const desk = this.#desk;
    const machine = infoOf(desk.arrangement, this.#layout.current)?.machine;
    const opened = await this.#requests.open({ ...desk.pane()?.size, ...(machine ? { machine } : {}) });
    if (opened === null) return;
    desk.arrangement = withOpened(desk.arrangement, opened, place(this.#layout, opened.id));
    desk.focusPane();
  }

  split(side: Side): void {
    const group = currentGroup(this.#layout);
    const pane = this.#desk.pane();
    const room = pane === undefined ? null : { width: pane.offsetWidth, height: pane.offsetHeight };
    const tight = room !== null && (side === "right" ? room.width < LEAST_SPLIT.width : room.height < LEAST_SPLIT.height);
    if (this.#desk.narrow || tight) return this.#requests.say("There is no room to split this terminal.");
    void this.open((layout, id) => split(layout, id, group.id, side));
  }

  /** All splits get the same size. */
  even(): void {
    this.enter(evened(this.#layout));
  }

  async close(id: string): Promise<void> {
    const desk = this.#desk;
    const terminal = infoOf(desk.arrangement, id);
    if (terminal === undefined || terminal.is_main) return;
    const exited = desk.pane(id)?.exited ?? false;
    const label = namesOf(desk.arrangement).get(id) ?? "";
    if (!exited && !(await mayClose(desk.session, terminal, label))) return;
    if (!(await this.#requests.close(id))) return;
    const hadFocus = this.#layout.current === id;
    desk.arrangement = withoutTerminal(desk.arrangement, id);
    announce("Terminal closed.");
    if (hadFocus) desk.focusPane();
  }

  startRenaming(id: string | null): void {
    this.#desk.renaming = id;
  }

  /** An empty name leaves the one it has. */
  async rename(id: string, name: string): Promise<void> {
    const desk = this.#desk;
    desk.renaming = null;
    const before = infoOf(desk.arrangement, id);
    if (before !== undefined && name !== "" && name !== before.name) {
      const renamed = await this.#requests.rename(id, name);
      if (renamed !== null) desk.arrangement = withInfo(desk.arrangement, renamed);
    }
    desk.focusTab(id);
  }

  /** Moves a tab to the group on that side, or to a split of its own there. */
  send(id: string, side: Side): void {
    this.arrange(sent(this.#layout, id, side));
    this.#desk.focusTab(id);
  }

  step(id: string, step: 1 | -1): void {
    this.arrange(stepped(this.#layout, id, step));
    this.#desk.focusTab(id);
  }

  /** A key that was pressed on a tab. */
  tabKey(event: KeyboardEvent, id: string): void {
    const shown = this.#desk.narrow ? flattened(this.#layout) : this.#layout;
    const action = tabAction(event, groupOf(shown, id)?.tabs ?? [], id);
    if (action === null) return;
    event.preventDefault();
    switch (action.kind) {
      case "close":
        return void this.close(id);
      case "rename":
        return this.startRenaming(id);
      case "enter":
        return this.show(id);
      case "step":
        return this.step(id, action.step);
      case "show":
        this.arrange(show(this.#layout, action.id));
        this.#desk.focusTab(action.id);
    }
  }

  /** A key of the page, wherever it was pressed. */
  act(key: PageKey): void {
    const layout = arrangedBy(this.#layout, key);
    if (layout !== null) return layout === this.#layout ? undefined : this.enter(layout);
    if (key === "leave") this.#desk.focusTab(this.#layout.current);
    else if (key === "new") void this.open();
    else if (key === "split-right") this.split("right");
    else if (key === "split-bottom") this.split("bottom");
    else if (key === "settings") this.#desk.openSettings();
    else this.#desk.pane()?.act(key);
  }

  /** Whether a person may close it. */
  closable(id: string | null): boolean {
    return closable(this.#desk.arrangement, id);
  }
}
