import { html, nothing, type TemplateResult } from "lit";
import { LightElement } from "../ui/light-element.js";
import { countWords } from "./sentences.js";

export interface Search {
  readonly text: string;
  readonly forward: boolean;
  /** The person still types: what is found stays where it is as long as it fits. */
  readonly typing: boolean;
  readonly regex: boolean;
  readonly caseSensitive: boolean;
}

/** Searches the terminal's scrollback: Enter goes back, Shift+Enter forward, Escape closes. */
export class SearchBar extends LightElement {
  static override properties = {
    find: { attribute: false },
    index: { type: Number },
    count: { type: Number },
    text: { state: true },
    regex: { state: true },
    caseSensitive: { state: true },
    wrong: { state: true },
  };
  declare find: (search: Search) => void;
  /** What was found, told from outside. */
  declare index: number;
  declare count: number;
  declare private text: string;
  declare private regex: boolean;
  declare private caseSensitive: boolean;
  /** The pattern is none. */
  declare private wrong: boolean;

  constructor() {
    super();
    this.find = () => undefined;
    this.index = -1;
    this.count = 0;
    this.text = "";
    this.regex = false;
    this.caseSensitive = false;
    this.wrong = false;
  }

  override focus(): void {
    this.querySelector("input")?.select();
    this.querySelector("input")?.focus();
  }

  protected override render(): TemplateResult {
    const missed = this.text !== "" && (this.wrong || this.count === 0);
    return html`<form class="terminal-search" role="search" @submit=${(event: Event) => event.preventDefault()}>
      <input
        type="search"
        aria-label="Search the output"
        placeholder="Search the output"
        autocomplete="off"
        spellcheck="false"
        aria-invalid=${missed}
        @input=${(event: Event) => this.#typed((event.target as HTMLInputElement).value)}
        @keydown=${(event: KeyboardEvent) => this.#key(event)}
      />
      <span class="terminal-search-count ${missed ? "missed" : ""}" role="status">${this.#words()}</span>
      ${this.#toggle("case-sensitive", "Match case", this.caseSensitive, () => (this.caseSensitive = !this.caseSensitive))}
      ${this.#toggle("regex", "Regular expression", this.regex, () => (this.regex = !this.regex))}
      ${this.#button("arrow-up", "Previous (Enter)", () => this.#search(false, false))}
      ${this.#button("arrow-down", "Next (Shift+Enter)", () => this.#search(true, false))}
      ${this.#button("x", "Close the search (Esc)", () => this.#close())}
    </form>`;
  }

  #words(): string | typeof nothing {
    if (this.text === "") return nothing;
    return this.wrong ? "Not a pattern" : countWords(this.index, this.count);
  }

  #button(icon: string, label: string, press: () => void): TemplateResult {
    return html`<button type="button" class="icon-button" aria-label=${label} title=${label} @click=${press}>
      <span class="icon icon-${icon}" aria-hidden="true"></span>
    </button>`;
  }

  #toggle(icon: string, label: string, on: boolean, change: () => void): TemplateResult {
    const press = (): void => {
      change();
      this.#search(false, true);
    };
    return html`<button type="button" class="icon-button" aria-label=${label} title=${label} aria-pressed=${on} @click=${press}>
      <span class="icon icon-${icon}" aria-hidden="true"></span>
    </button>`;
  }

  #key(event: KeyboardEvent): void {
    if (event.key === "Escape") this.#close();
    else if (event.key === "Enter") this.#search(event.shiftKey, false);
    else return;
    event.preventDefault();
  }

  #typed(text: string): void {
    this.text = text;
    this.#search(false, true);
  }

  #search(forward: boolean, typing: boolean): void {
    const { text, regex, caseSensitive } = this;
    this.wrong = regex && !isPattern(text);
    if (!this.wrong) this.find({ text, forward, typing, regex, caseSensitive });
  }

  #close(): void {
    this.dispatchEvent(new CustomEvent("close"));
  }
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

customElements.define("pg-search-bar", SearchBar);
