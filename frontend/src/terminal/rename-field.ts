import { html, type TemplateResult } from "lit";
import { LightElement } from "../ui/light-element.js";

/** A field over a tab for its new name. `done` carries the name; an empty one: it stays as it was. */
export class RenameField extends LightElement {
  static override properties = { tab: {}, value: {} };
  /** The id of the tab's element. */
  declare tab: string;
  declare value: string;
  #done = false;

  constructor() {
    super();
    this.tab = "";
    this.value = "";
  }

  protected override firstUpdated(): void {
    const tab = document.getElementById(this.tab);
    const room = this.offsetParent?.getBoundingClientRect();
    const field = this.querySelector("input");
    if (tab === null || room === undefined || field === null) return;
    tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    const box = tab.getBoundingClientRect();
    const width = Math.max(160, box.width);
    this.style.left = `${Math.max(0, Math.min(box.left - room.left, room.width - width))}px`;
    this.style.top = `${box.top - room.top}px`;
    this.style.width = `${width}px`;
    field.focus();
    field.select();
  }

  #finish(name: string): void {
    if (this.#done) return;
    this.#done = true;
    this.dispatchEvent(new CustomEvent("done", { detail: name.trim() }));
  }

  #key(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.preventDefault();
    this.#finish("");
  }

  protected override render(): TemplateResult {
    const read = (): string => this.querySelector("input")?.value ?? "";
    return html`<form
      @submit=${(event: Event) => {
        event.preventDefault();
        this.#finish(read());
      }}
    >
      <input
        aria-label="Name of the terminal"
        maxlength="100"
        spellcheck="false"
        autocomplete="off"
        .value=${this.value}
        @keydown=${(event: KeyboardEvent) => this.#key(event)}
        @blur=${() => this.#finish(read())}
      />
    </form>`;
  }
}

customElements.define("pg-rename-field", RenameField);
