import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { ApiError } from "../api/client.js";
import { announce } from "../ui/announce.js";
import { ActingElement } from "../ui/acting-element.js";
import "../ui/pop-menu.js";
import type { PopMenu } from "../ui/pop-menu.js";
import { remember, remembered } from "../ui/storage.js";
import { pageKey } from "../terminal/keys.js";
import { labels } from "../terminal/labels.js";
import { settings } from "../terminal/settings-store.js";
import { tabAction } from "../terminal/tab-keys.js";
import { guestApi, type Visit } from "./guest-api.js";
import { guestHeader } from "./guest-header.js";
import type { GuestTools } from "./guest-tools.js";
import "./watch-terminal.js";
import type { WatchTerminal } from "./watch-terminal.js";

/** How often the server is asked, in milliseconds: for what the terminals' own lines don't say. */
const ASK_EVERY = 2000;
const FINAL = new Set(["guest_unknown", "guest_removed", "share_link_over"]);

/** What the server put into the page. */
export interface WatchData {
  readonly id: string;
  readonly visit?: Visit;
  readonly problem?: { readonly detail: string; readonly code: string };
}

/** The page of a guest: the terminals of somebody else's session, and what the guest may do there. */
export class WatchElement extends ActingElement {
  static override properties = {
    visit: { state: true },
    over: { state: true },
    current: { state: true },
    away: { state: true },
    told: { state: true },
    readable: { state: true },
  };
  declare private visit: Visit | null;
  /** Why there is nothing to watch any more. */
  declare private over: string | null;
  /** The terminal in front. */
  declare private current: string | null;
  /** The server did not answer when it was last asked. */
  declare private away: boolean;
  /** The terminal in front says that of its own line. */
  declare private told: boolean;
  declare private readable: boolean;
  #id = "";
  #timer = 0;
  #asking = false;

  constructor() {
    super();
    this.visit = null;
    this.over = null;
    this.current = null;
    this.away = false;
    this.told = false;
    this.readable = remembered("watch-letters") === "readable";
  }

  begin(data: WatchData): void {
    this.#id = data.id;
    this.dataset["terminalTheme"] = settings().theme;
    if (data.visit === undefined) this.over = data.problem?.detail ?? "There is nothing to watch here.";
    else this.#take(data.visit);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#timer = window.setInterval(() => void this.#ask(), ASK_EVERY);
    this.addEventListener("watch-leave-terminal", this.#toPage);
    this.addEventListener("watch-status", this.#doubt);
    this.addEventListener("keydown", this.#pageKey);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#timer);
    this.removeEventListener("watch-leave-terminal", this.#toPage);
    this.removeEventListener("watch-status", this.#doubt);
    this.removeEventListener("keydown", this.#pageKey);
  }

  async #ask(): Promise<void> {
    if (this.over !== null || this.#asking) return;
    this.#asking = true;
    try {
      this.#take(await guestApi.visit(this.#id));
      this.away = false;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (FINAL.has(error.code)) this.#end(error.message);
      else this.away = true;
    } finally {
      this.#asking = false;
    }
  }

  #take(visit: Visit): void {
    const before = this.visit;
    if (this.over !== null) return;
    this.visit = visit;
    if (!visit.session.terminals.some((terminal) => terminal.id === this.current)) {
      this.current = visit.session.terminals[0]?.id ?? null;
    }
    if (before === null) return;
    if (before.role !== visit.role) {
      announce(visit.role === "helper" ? "You may type now." : "You only watch now.");
      this.#terminal()?.wake();
    } else if (before.is_asking && !visit.is_asking) {
      this.problem = "The owner lets you watch.";
      announce(this.problem);
    }
    if (before.session.is_recorded && !visit.session.is_recorded) announce("The session is not recorded any more.");
    if (before.session.state === "paused" && visit.session.state === "running") this.#terminal()?.wake();
  }

  #end(words: string): void {
    this.over = words;
    announce(words);
    void this.updateComplete.then(() => this.querySelector<HTMLElement>("h1")?.focus());
  }

  #terminal(): WatchTerminal | null {
    return this.querySelector<WatchTerminal>("pg-watch-terminal");
  }

  readonly #toPage = (): void => this.querySelector<HTMLElement>("[role=tab][aria-selected=true], .watch-bar button")?.focus();

  /** A line was closed: perhaps for good, which the server says better than the line. */
  readonly #doubt = (event: Event): void => {
    this.told = this.#terminal()?.tellsOfServer ?? false;
    if ((event as CustomEvent<string>).detail !== "open") void this.#ask();
  };

  /** The search opens from the tabs and tools too; in a terminal it sorts its keys out itself. */
  readonly #pageKey = (event: KeyboardEvent): void => {
    const inside = event.target instanceof HTMLElement && event.target.closest(".xterm, input") !== null;
    if (inside || pageKey(event, false) !== "search") return;
    event.preventDefault();
    this.#terminal()?.search();
  };

  #toggleReadable(): void {
    this.readable = !this.readable;
    remember("watch-letters", this.readable ? "readable" : "fit");
  }

  async #leave(): Promise<void> {
    await guestApi.leave(this.#id);
    this.#end("You have left this session.");
  }

  async #askToType(): Promise<void> {
    await guestApi.ask(this.#id);
    announce("The owner was asked.");
    await this.#ask();
  }

  protected override updated(changed: PropertyValues): void {
    const name = this.visit?.session.name ?? "";
    document.title = [this.over === null ? name : "", "Container Playground"].filter(Boolean).join(" · ");
    if (changed.has("current") && changed.get("current") != null) this.#terminal()?.focus();
  }

  protected override render(): TemplateResult {
    const { visit } = this;
    if (this.over !== null || visit === null) return this.#overView();
    return html`
      ${guestHeader({
        visit,
        busy: this.busy,
        readable: this.readable,
        tools: this.#tools(visit),
        toggleReadable: () => this.#toggleReadable(),
        ask: () => void this.act(() => this.#askToType()),
        leave: () => void this.act(() => this.#leave()),
      })}
      ${this.#problemBar(this.away && !(this.told && this.#tools(visit) !== null))}
      ${visit.session.state === "paused" ? html`<p class="bar bar-warn" role="status">Paused by its owner. Nothing runs until it is resumed.</p>` : nothing}
      ${visit.session.terminals.length > 1 ? this.#tabs(visit) : nothing}
      <div class="session-body">${this.#body(visit)}</div>
      <pg-pop-menu></pg-pop-menu>
    `;
  }

  #tools(visit: Visit): GuestTools | null {
    const { state, terminals } = visit.session;
    const id = this.current;
    if (id === null || (state !== "running" && state !== "paused")) return null;
    return {
      mayType: visit.role === "helper",
      copy: () => void this.#terminal()?.copy(),
      paste: () => void this.#terminal()?.paste(),
      search: () => this.#terminal()?.search(),
      download: () => this.#terminal()?.download(labels(terminals, new Map()).get(id) ?? ""),
      menu: (items, opener) => void this.querySelector<PopMenu>("pg-pop-menu")?.show("Terminal", items, opener),
    };
  }

  /** `away`: the server is, and nothing else says so. */
  #problemBar(away: boolean): TemplateResult | typeof nothing {
    if (!away && this.problem === "") return nothing;
    const words = away ? "The server can’t be reached just now. Trying again…" : this.problem;
    return html`<p class="bar bar-warn" role="status">
      <span>${words}</span>
      ${away ? nothing : html`<button type="button" class="link" @click=${() => (this.problem = "")}>Dismiss</button>`}
    </p>`;
  }

  #tabs(visit: Visit): TemplateResult {
    const names = labels(visit.session.terminals, new Map());
    return html`<div class="tabs tabs-current watch-tabs">
      <div class="tab-list" role="tablist" aria-label="Terminals" @keydown=${(event: KeyboardEvent) => this.#tabKey(event, visit)}>
        ${visit.session.terminals.map(
          ({ id }) => html`<button
            type="button"
            class="tab"
            role="tab"
            id="tab-${id}"
            aria-selected=${id === this.current}
            aria-controls="watch-panel"
            tabindex=${id === this.current ? 0 : -1}
            @click=${() => (this.current = id)}
          >
            <span class="icon icon-square-terminal" aria-hidden="true"></span><span class="tab-name">${names.get(id) ?? ""}</span>
          </button>`,
        )}
      </div>
    </div>`;
  }

  #tabKey(event: KeyboardEvent, visit: Visit): void {
    const ids = visit.session.terminals.map((terminal) => terminal.id);
    const action = tabAction(event, ids, this.current ?? "");
    if (action?.kind !== "enter" && action?.kind !== "show") return;
    event.preventDefault();
    if (action.kind === "enter") return this.#terminal()?.focus();
    this.current = action.id;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>("[role=tab][aria-selected=true]")?.focus());
  }

  #body(visit: Visit): TemplateResult {
    const { state, terminals, message } = visit.session;
    if (state !== "running" && state !== "paused")
      return html`<section class="progress"><h2>The session is starting.</h2><p class="quiet">${message}</p></section>`;
    if (terminals.length === 0 || this.current === null)
      return html`<div class="terminal-empty"><p>No terminal is open. When the owner opens one, it is shown here.</p></div>`;
    const single = terminals.length === 1;
    return html`<div class="watch-panel" id="watch-panel" role=${single ? "region" : "tabpanel"} aria-label=${single ? "Terminal" : nothing} aria-labelledby=${single ? nothing : `tab-${this.current}`}>
      ${keyed(this.current, html`<pg-watch-terminal .terminal=${this.current} ?readable=${this.readable}></pg-watch-terminal>`)}
    </div>`;
  }

  #overView(): TemplateResult {
    return html`<div class="session-body"><section class="ended">
      <span class="icon icon-large icon-eye-off" aria-hidden="true"></span>
      <h1 class="watch-over" tabindex="-1">${this.over ?? "There is nothing to watch here."}</h1>
      <p class="quiet">You can close this page. To come back, ask the session’s owner for a link.</p>
    </section></div>`;
  }
}

customElements.define("pg-watch", WatchElement);
