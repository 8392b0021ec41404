import { html, nothing, type TemplateResult } from "lit";
import { announce } from "../ui/announce.js";
import { LightElement } from "../ui/light-element.js";
import { clock, duration } from "../ui/words.js";
import type { ServerClock } from "./clock.js";

/** Under so many seconds the time left is a warning. */
export const SOON = 300;

/** What is left of a session, every second; under five minutes it turns amber and says so once. */
export class TimeLeft extends LightElement {
  static override properties = { expires: {}, time: { attribute: false } };
  declare expires: string | null;
  declare time: ServerClock | null;
  #timer = 0;
  #warned = false;

  constructor() {
    super();
    this.expires = null;
    this.time = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#timer = window.setInterval(() => this.requestUpdate(), 1000);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  protected override render(): TemplateResult | typeof nothing {
    if (this.expires === null || this.time === null) return nothing;
    const left = this.time.until(this.expires);
    const soon = left < SOON;
    this.#warn(soon, left);
    return html`<span class="time-left ${soon ? "soon" : ""}" title="Time left" role="timer" aria-live="off">
      <span class="icon icon-clock" aria-hidden="true"></span>
      <span class="visually-hidden">Time left: </span>${clock(left)}<span class="time-left-word"> left</span>
    </span>`;
  }

  #warn(soon: boolean, left: number): void {
    if (soon && !this.#warned) announce(`This session ends in ${duration(left)}. Extend gives it more time.`);
    // Extended, it may become scarce again.
    this.#warned = soon;
  }
}

customElements.define("pg-time-left", TimeLeft);
