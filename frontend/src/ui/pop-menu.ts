import { html, nothing, type TemplateResult } from "lit";
import { LightElement } from "./light-element.js";

export interface MenuItem {
  readonly label: string;
  readonly icon: string;
  /** The keys that do the same. */
  readonly keys?: string;
  /** It can't be done now. */
  readonly disabled?: boolean;
  /** A line before it. */
  readonly apart?: boolean;
  run(): void;
}

/** A menu that opens where it is asked for, over everything; arrows choose, Escape and a click beside it close. */
export class PopMenu extends LightElement {
  static override properties = { items: { state: true }, name: { state: true } };
  declare private items: readonly MenuItem[];
  declare private name: string;
  #opener: HTMLElement | null = null;

  constructor() {
    super();
    this.items = [];
    this.name = "";
  }

  /** Opens below `opener`, which gets the focus back; at a place of its own when one is given. */
  async show(name: string, items: readonly MenuItem[], opener: HTMLElement, at?: { x: number; y: number }): Promise<void> {
    this.name = name;
    this.items = items;
    this.#opener = opener;
    await this.updateComplete;
    const list = this.#list();
    if (list === null) return;
    list.showPopover();
    const below = opener.getBoundingClientRect();
    const { x, y } = at ?? { x: below.right - list.offsetWidth, y: below.bottom + 4 };
    list.style.left = `${Math.max(4, Math.min(x, innerWidth - list.offsetWidth - 4))}px`;
    list.style.top = `${Math.max(4, Math.min(y, innerHeight - list.offsetHeight - 4))}px`;
    this.#entries()[0]?.focus();
  }

  #list(): HTMLElement | null {
    return this.querySelector<HTMLElement>("[role=menu]");
  }

  #entries(): HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>("[role=menuitem]:not([aria-disabled=true])")];
  }

  #key(event: KeyboardEvent): void {
    const entries = this.#entries();
    const at = entries.indexOf(document.activeElement as HTMLElement);
    const last = entries.length - 1;
    const target = { ArrowDown: at === last ? 0 : at + 1, ArrowUp: at <= 0 ? last : at - 1, Home: 0, End: last };
    if (event.key === "Escape" || event.key === "Tab") this.#close();
    else if (event.key in target) entries[target[event.key as keyof typeof target]]?.focus();
    else if (/^\S$/u.test(event.key)) this.#byLetter(event.key, entries, at);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #byLetter(letter: string, entries: readonly HTMLElement[], at: number): void {
    const order = [...entries.slice(at + 1), ...entries.slice(0, at + 1)];
    order.find((entry) => entry.textContent.trim().toLowerCase().startsWith(letter.toLowerCase()))?.focus();
  }

  #close(): void {
    this.#list()?.hidePopover();
    this.#opener?.focus();
  }

  #choose(item: MenuItem): void {
    if (item.disabled === true) return;
    this.#close();
    item.run();
  }

  protected override render(): TemplateResult {
    return html`<div role="menu" popover="auto" class="pop-menu" aria-label=${this.name} @keydown=${(event: KeyboardEvent) => this.#key(event)}>
      ${this.items.map((item) => this.#item(item))}
    </div>`;
  }

  #item(item: MenuItem): TemplateResult {
    return html`${item.apart === true ? html`<hr />` : nothing}
      <button type="button" role="menuitem" tabindex="-1" aria-disabled=${item.disabled === true} @click=${() => this.#choose(item)}>
        <span class="icon icon-${item.icon}" aria-hidden="true"></span><span>${item.label}</span>
        ${item.keys === undefined ? nothing : html`<kbd aria-hidden="true">${item.keys}</kbd>`}
      </button>`;
  }
}

customElements.define("pg-pop-menu", PopMenu);
