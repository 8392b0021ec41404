import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { announce } from "../ui/announce.js";
import { LightElement } from "../ui/light-element.js";
import { clock } from "../ui/words.js";
import type { ServerClock } from "./clock.js";
import type { Warning } from "./warnings.js";

/** Thin amber bars over the terminals: what is about to happen, and what to do about it. Each is spoken once. */
export class WarningBar extends LightElement {
  static override properties = { warnings: { attribute: false }, time: { attribute: false }, busy: { type: Boolean } };
  declare warnings: readonly Warning[];
  declare time: ServerClock | null;
  declare busy: boolean;
  #timer = 0;
  #spoken = new Set<string>();

  constructor() {
    super();
    this.warnings = [];
    this.time = null;
    this.busy = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#timer = window.setInterval(() => this.requestUpdate(), 1000);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has("warnings")) return;
    for (const warning of this.warnings) {
      if (this.#spoken.has(warning.message)) continue;
      this.#spoken.add(warning.message);
      announce(warning.message);
    }
  }

  protected override render(): TemplateResult {
    const now = this.time;
    const shown = this.warnings.filter((warning) => warning.at === null || now === null || now.until(warning.at) > 0);
    return html`${shown.map((warning) => this.#bar(warning))}`;
  }

  #bar(warning: Warning): TemplateResult {
    return html`<div class="bar bar-warn warning">
      <span class="icon icon-triangle-alert" aria-hidden="true"></span>
      <span>${this.#words(warning)}</span>
      ${warning.about === "expired" ? this.#button("Extend", "warning-extend") : nothing}
    </div>`;
  }

  #words(warning: Warning): string {
    if (warning.at === null || this.time === null) return warning.message;
    const left = clock(this.time.until(warning.at));
    if (warning.about === "idle") return `Nothing was typed or run for a while: this session ends in ${left}. Press any key in a terminal to keep it.`;
    return warning.about === "expired" ? `This session ends in ${left}, and its files with it.` : warning.message;
  }

  #button(label: string, name: string): TemplateResult {
    const press = (): boolean => this.dispatchEvent(new CustomEvent(name, { bubbles: true }));
    return html`<button type="button" class="button small" ?disabled=${this.busy} @click=${press}>${label}</button>`;
  }
}

customElements.define("pg-warnings", WarningBar);
