import { html, type TemplateResult } from "lit";
import { LightElement } from "../ui/light-element.js";
import {
  CURSORS,
  drawnSize,
  fontSize,
  LARGEST_FONT,
  LEAST_FONT,
  THEMES,
  USUAL,
  type Cursor,
  type PasteWarning,
  type TerminalSettings,
} from "./settings.js";
import { changeSettings, onSettings, settings } from "./settings-store.js";

const WARNINGS: Readonly<Record<PasteWarning, string>> = {
  always: "Always",
  running: "When they would run at once",
  never: "Never",
};

const CURSOR_WORDS: Readonly<Record<Cursor, string>> = { block: "Block", bar: "Bar", underline: "Underline" };

type Flag = "copyOnSelect" | "rightClick" | "bellFlash" | "bellSound" | "images" | "screenReader";

const FLAGS: readonly (readonly [Flag, string, string])[] = [
  ["copyOnSelect", "Copy as soon as something is selected", ""],
  ["rightClick", "Right-click copies and pastes", "Otherwise it opens the browser’s menu."],
  ["bellFlash", "Flash when a program rings", ""],
  ["bellSound", "Sound when a program rings", ""],
  ["images", "Show pictures (sixel, iTerm)", "Programs decide what is shown."],
  ["screenReader", "Screen reader mode", ""],
];

/** How all terminals of this browser look and behave. */
export class SettingsPopover extends LightElement {
  static override properties = { settings: { state: true } };
  declare private settings: TerminalSettings;
  #stop: (() => void) | null = null;
  #opener: HTMLElement | null = null;
  #placing = new AbortController();

  constructor() {
    super();
    this.settings = settings();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stop = onSettings((changed) => (this.settings = changed));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stop?.();
    // Nothing is told of the end of a popover that leaves the page.
    this.#placing.abort();
  }

  /** Opens below `opener`, which gets the focus back. */
  show(opener: HTMLElement | null): void {
    const popover = this.querySelector<HTMLElement>("[popover]");
    if (popover === null) return;
    this.#opener = opener ?? (document.activeElement as HTMLElement | null);
    popover.showPopover();
    this.#place(popover, opener);
    this.#placing.abort();
    const placing = new AbortController();
    this.#placing = placing;
    window.addEventListener("resize", () => this.#place(popover, opener), { signal: placing.signal });
    popover.addEventListener("toggle", (event) => (event.newState === "closed" ? placing.abort() : undefined), { signal: placing.signal });
    popover.querySelector("select")?.focus();
  }

  /** Below what opened it, and in the window, whose size may change meanwhile. */
  #place(popover: HTMLElement, opener: HTMLElement | null): void {
    const box = opener?.getBoundingClientRect() ?? new DOMRect(innerWidth, 48, 0, 0);
    const right = box.width > 0 ? box.right : innerWidth;
    popover.style.left = `${Math.max(8, Math.min(right - popover.offsetWidth, innerWidth - popover.offsetWidth - 8))}px`;
    popover.style.top = `${Math.max(8, Math.min(box.bottom + 4, innerHeight - popover.offsetHeight - 8))}px`;
  }

  #close(): void {
    this.querySelector<HTMLElement>("[popover]")?.hidePopover();
    this.#opener?.focus();
  }

  #key(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    this.#close();
  }

  protected override render(): TemplateResult {
    return html`<div
      popover="auto"
      role="dialog"
      class="terminal-settings"
      aria-labelledby="terminal-settings-title"
      @keydown=${(event: KeyboardEvent) => this.#key(event)}
    >
      <div class="terminal-settings-head">
        <h2 id="terminal-settings-title">Terminal settings</h2>
        <button type="button" class="icon-button" aria-label="Close the settings" title="Close (Esc)" @click=${() => this.#close()}>
          <span class="icon icon-x" aria-hidden="true"></span>
        </button>
      </div>
      ${this.#theme()} ${this.#font()} ${this.#cursor()} ${this.#warning()}
      <div class="terminal-settings-flags">${FLAGS.map(([name, words, more]) => this.#flag(name, words, more))}</div>
      <p class="small-text quiet">
        Kept in this browser, for all terminals. <button type="button" class="link" @click=${() => changeSettings(USUAL)}>Back to the usual</button>
      </p>
    </div>`;
  }

  #theme(): TemplateResult {
    return html`<label for="terminal-theme">Colours</label>
      <select id="terminal-theme" @change=${(event: Event) => changeSettings({ theme: value(event) })}>
        ${THEMES.map(({ name, title }) => html`<option value=${name} ?selected=${name === this.settings.theme}>${title}</option>`)}
      </select>`;
  }

  #font(): TemplateResult {
    const { fontSize: size } = this.settings;
    const set = (pixels: number): void => changeSettings({ fontSize: fontSize(pixels) });
    return html`<span id="terminal-font">Letters</span>
      <div class="stepper" role="group" aria-labelledby="terminal-font">
        <button type="button" class="icon-button" aria-label="Smaller" title="Smaller (Ctrl+-)" ?disabled=${size <= LEAST_FONT} @click=${() => set(size - 1)}>
          <span class="icon icon-minus" aria-hidden="true"></span>
        </button>
        <output aria-live="polite">${drawnSize(this.settings)} px</output>
        <button type="button" class="icon-button" aria-label="Larger" title="Larger (Ctrl++)" ?disabled=${size >= LARGEST_FONT} @click=${() => set(size + 1)}>
          <span class="icon icon-plus" aria-hidden="true"></span>
        </button>
      </div>`;
  }

  #cursor(): TemplateResult {
    return html`<label for="terminal-cursor">Cursor</label>
      <select id="terminal-cursor" @change=${(event: Event) => changeSettings({ cursor: value(event) as Cursor })}>
        ${CURSORS.map((name) => html`<option value=${name} ?selected=${name === this.settings.cursor}>${CURSOR_WORDS[name]}</option>`)}
      </select>`;
  }

  #warning(): TemplateResult {
    return html`<label for="terminal-warning">Ask before several lines are pasted</label>
      <select id="terminal-warning" @change=${(event: Event) => changeSettings({ pasteWarning: value(event) as PasteWarning })}>
        ${Object.entries(WARNINGS).map(
          ([name, words]) => html`<option value=${name} ?selected=${name === this.settings.pasteWarning}>${words}</option>`,
        )}
      </select>`;
  }

  #flag(name: Flag, words: string, more: string): TemplateResult {
    const change = (event: Event): void => changeSettings({ [name]: (event.target as HTMLInputElement).checked });
    return html`<label>
      <input type="checkbox" .checked=${this.settings[name]} @change=${change} />
      <span>${words}${more === "" ? "" : html` <span class="quiet small-text">${more}</span>`}</span>
    </label>`;
  }
}

function value(event: Event): string {
  return (event.target as HTMLSelectElement).value;
}

customElements.define("pg-terminal-settings", SettingsPopover);
