import { html, type TemplateResult } from "lit";
import { LightElement } from "../ui/light-element.js";
import { alongToolbar } from "../ui/toolbar.js";
import {
  NO_MODIFIERS,
  pressed,
  touchKey,
  TOUCH_KEYS,
  typedWith,
  used,
  type ModifierName,
  type Modifiers,
  type TouchKey,
} from "./touch-keys.js";

/** How long a key is held before it repeats, and how often it then does, in milliseconds. */
const HOLD = 400;
const EVERY = 60;
/** In bytes. */
const LONGEST_KEY = 4;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The row of keys over a phone's keyboard, which stays open while they are pressed. */
export class TouchRow extends LightElement {
  static override properties = { send: { attribute: false }, application: { attribute: false }, modifiers: { state: true } };
  declare send: (bytes: Uint8Array) => void;
  /** Whether the program has asked for application cursor keys. */
  declare application: () => boolean;
  declare private modifiers: Modifiers;
  #timer = 0;

  constructor() {
    super();
    this.send = () => undefined;
    this.application = () => false;
    this.modifiers = NO_MODIFIERS;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#release();
  }

  /** What was typed on the keyboard, with the modifiers that were pressed here. */
  modify(typed: Uint8Array): Uint8Array {
    // They are for single keys; those are short.
    if (typed.length > LONGEST_KEY) return typed;
    const result = typedWith(decoder.decode(typed), this.modifiers);
    if (this.modifiers.ctrl !== "off" || this.modifiers.alt !== "off") this.modifiers = used(this.modifiers);
    return encoder.encode(result);
  }

  #press(key: TouchKey): void {
    this.send(encoder.encode(touchKey(key, this.modifiers, this.application())));
    this.modifiers = used(this.modifiers);
  }

  #hold(event: PointerEvent, key: TouchKey): void {
    // Else the terminal loses the focus, and the phone its keyboard.
    event.preventDefault();
    this.#release();
    if (key.repeats !== true) return;
    const again = (): void => {
      this.#press(key);
      this.#timer = window.setTimeout(again, EVERY);
    };
    this.#timer = window.setTimeout(again, HOLD);
  }

  #release(): void {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  #modifier(name: ModifierName, label: string): TemplateResult {
    const state = this.modifiers[name];
    const words = { off: "", once: " for the next key", locked: " locked" }[state];
    return html`<button
      type="button"
      class=${state === "locked" ? "locked" : ""}
      aria-pressed=${state !== "off"}
      aria-label=${`${label}${words}`}
      @pointerdown=${(event: Event) => event.preventDefault()}
      @click=${() => (this.modifiers = { ...this.modifiers, [name]: pressed(state) })}
    >
      ${label}
    </button>`;
  }

  #key(key: TouchKey): TemplateResult {
    return html`<button
      type="button"
      aria-label=${key.name}
      @pointerdown=${(event: PointerEvent) => this.#hold(event, key)}
      @pointerup=${() => this.#release()}
      @pointerleave=${() => this.#release()}
      @pointercancel=${() => this.#release()}
      @contextmenu=${(event: Event) => event.preventDefault()}
      @click=${() => this.#press(key)}
    >
      ${key.label}
    </button>`;
  }

  protected override render(): TemplateResult {
    const [escape, tab, ...rest] = TOUCH_KEYS.map((key) => this.#key(key));
    return html`<div class="terminal-keys" role="toolbar" aria-label="Keys that a phone lacks" @keydown=${alongToolbar}>
      ${escape}${tab}${this.#modifier("ctrl", "Ctrl")}${this.#modifier("alt", "Alt")}${rest}
    </div>`;
  }
}

customElements.define("pg-touch-row", TouchRow);
