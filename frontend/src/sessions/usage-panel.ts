import { html, nothing, svg, type PropertyValues, type TemplateResult } from "lit";
import type { SessionStats } from "../api/stats.js";
import type { NetworkInfo } from "../api/types.js";
import { LightElement } from "../ui/light-element.js";
import { remember, remembered } from "../ui/storage.js";
import { size } from "../ui/words.js";
import { line, meters, reach, type Meter } from "./meters.js";

const KEPT = 60;
const NARROWEST = 240;
const WIDEST = 560;
const USUAL = 300;
const STEP = 16;

/** Used against limit, live, beside the terminals. Its width is kept by this browser. */
export class UsagePanel extends LightElement {
  static override properties = {
    stats: { attribute: false },
    network: { attribute: false },
    failing: { type: Boolean },
    paused: { type: Boolean },
    width: { state: true },
  };
  declare stats: SessionStats | null;
  declare network: NetworkInfo | null;
  /** The last reading did not work; what is shown is an older one. */
  declare failing: boolean;
  declare paused: boolean;
  declare private width: number;
  readonly #history = new Map<string, number[]>();

  constructor() {
    super();
    this.stats = null;
    this.network = null;
    this.failing = false;
    this.paused = false;
    this.width = within(Number(remembered("usage-width")) || USUAL);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("stats") || this.stats === null || this.stats.sampled_at === null) return;
    for (const { key, share } of meters(this.stats)) {
      if (share !== null) this.#history.set(key, [...(this.#history.get(key) ?? []), share].slice(-KEPT));
    }
  }

  #resize(width: number): void {
    this.width = within(width);
    remember("usage-width", String(this.width));
  }

  #drag(event: PointerEvent): void {
    const border = event.currentTarget as HTMLElement;
    border.setPointerCapture(event.pointerId);
    const right = this.getBoundingClientRect().right;
    const move = (moved: PointerEvent): void => this.#resize(right - moved.clientX);
    border.addEventListener("pointermove", move);
    border.addEventListener("lostpointercapture", () => border.removeEventListener("pointermove", move), { once: true });
  }

  #key(event: KeyboardEvent): void {
    const change = { ArrowLeft: STEP, ArrowRight: -STEP }[event.key];
    if (change === undefined) return;
    event.preventDefault();
    this.#resize(this.width + change);
  }

  protected override render(): TemplateResult {
    return html`
      <div
        class="usage-border"
        role="separator"
        tabindex="0"
        aria-label="Width of the usage panel"
        aria-orientation="vertical"
        aria-valuenow=${this.width}
        aria-valuemin=${NARROWEST}
        aria-valuemax=${WIDEST}
        @pointerdown=${(event: PointerEvent) => this.#drag(event)}
        @keydown=${(event: KeyboardEvent) => this.#key(event)}
      ></div>
      <aside class="usage" aria-label="Usage" style="--usage-width: ${this.width}px">
        <header>
          <h2>Usage</h2>
          <button type="button" class="icon-button quiet" aria-label="Close usage" title="Close" @click=${() => this.#close()}>
            <span class="icon icon-x" aria-hidden="true"></span>
          </button>
        </header>
        ${this.#content()}
      </aside>
    `;
  }

  #close(): void {
    this.dispatchEvent(new CustomEvent("usage-close", { bubbles: true }));
  }

  #content(): TemplateResult {
    const { stats } = this;
    if (stats === null || stats.sampled_at === null) {
      const words = this.failing ? "Usage can’t be read just now. Trying again." : "The first reading takes a few seconds.";
      return html`<p class="quiet" role="status">${words}</p>`;
    }
    return html`
      ${this.failing ? html`<p class="quiet" role="status">Usage can’t be read just now: this is older.</p>` : nothing}
      ${this.paused ? html`<p class="quiet">Paused: no CPU is used.</p>` : nothing}
      <ul class="usage-list">
        ${meters(stats).map((meter) => this.#item(meter))}
      </ul>
      <p class="usage-io quiet">
        Disk access: ${size(stats.io.read_bytes)} read, ${size(stats.io.written_bytes)} written
      </p>
      ${this.network === null ? nothing : html`<p class="usage-io quiet">${reach(this.network)}</p>`}
      ${stats.memory.oom_kills === 0
        ? nothing
        : html`<p class="usage-note">Memory ran out: ${stats.memory.oom_kills} ${stats.memory.oom_kills === 1 ? "process was" : "processes were"} killed.</p>`}
    `;
  }

  #item(meter: Meter): TemplateResult {
    const history = this.#history.get(meter.key) ?? [];
    return html`<li class="usage-item usage-${meter.level}">
      <div class="usage-words"><span>${meter.name}</span><span class="usage-value">${meter.words}</span></div>
      ${meter.share === null
        ? nothing
        : html`<meter min="0" max="1" high="0.8" optimum="0" .value=${meter.share} aria-label=${meter.name}></meter>
            ${sparkline(history)}`}
      <details><summary>What limits it</summary><p>${meter.mechanism}</p></details>
    </li>`;
  }
}

function within(width: number): number {
  return Math.round(Math.min(WIDEST, Math.max(NARROWEST, width)));
}

function sparkline(shares: readonly number[]): TemplateResult | typeof nothing {
  if (shares.length < 2) return nothing;
  return html`<svg class="usage-line" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
    ${svg`<polyline points=${line(shares, KEPT)} />`}
  </svg>`;
}

customElements.define("pg-usage", UsagePanel);
