import { html, nothing, type LitElement, type TemplateResult } from "lit";
import type { ScrollbackSearch } from "./scrollback-search.js";
import "./search-bar.js";
import type { Search, SearchBar } from "./search-bar.js";

/** The search over a terminal: whether its bar is there, and what was found. */
export class SearchControl {
  readonly #host: LitElement;
  readonly #search: () => ScrollbackSearch | undefined;
  #open = false;
  #index = -1;
  #count = 0;

  constructor(host: LitElement, search: () => ScrollbackSearch | undefined) {
    this.#host = host;
    this.#search = search;
  }

  /** Opens the bar, or goes to the one that is open. */
  start(): void {
    this.#open = true;
    this.#host.requestUpdate();
    void this.#host.updateComplete.then(() => this.#host.querySelector<SearchBar>("pg-search-bar")?.focus());
  }

  /** What the search says of itself. */
  found(index: number, count: number): void {
    this.#index = index;
    this.#count = count;
    this.#host.requestUpdate();
  }

  #find(search: Search): void {
    if (search.text === "") this.found(-1, 0);
    this.#search()?.find(search);
  }

  #end(): void {
    this.#open = false;
    this.#host.requestUpdate();
    this.#search()?.end();
  }

  view(): TemplateResult | typeof nothing {
    if (!this.#open) return nothing;
    return html`<pg-search-bar
      .find=${(search: Search) => this.#find(search)}
      .index=${this.#index}
      .count=${this.#count}
      @close=${() => this.#end()}
    ></pg-search-bar>`;
  }
}
