import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { answer, ApiError, mayPass } from "../api/client.js";
import { LightElement } from "../ui/light-element.js";
import { clock, size } from "../ui/words.js";
import type { RecordingInfo } from "./types.js";

const LOOK_AGAIN = 2000;

/** The recordings of a session that has ended. */
export class EndedRecordings extends LightElement {
  static override properties = { session: {}, items: { state: true } };
  declare session: string;
  declare private items: readonly RecordingInfo[];
  #timer = 0;

  constructor() {
    super();
    this.session = "";
    this.items = [];
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("session") && this.session !== "") void this.#look();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    // The last words of a terminal are written a moment after its end.
    if ((await this.#read()) && this.isConnected) this.#timer = window.setTimeout(() => void this.#look(), LOOK_AGAIN);
  }

  /** Whether there will be more to see. */
  async #read(): Promise<boolean> {
    try {
      const path = `/sessions/${encodeURIComponent(this.session)}/recordings`;
      this.items = (await answer<{ items: RecordingInfo[] }>("GET", path)).items;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return mayPass(error.status);
    }
    return this.items.some((item) => item.state === "recording");
  }

  protected override render(): TemplateResult | typeof nothing {
    if (this.items.length === 0) return nothing;
    return html`<h3>Recordings</h3>
      <ul class="recordings" role="list">
        ${this.items.map((item) => itemView(item))}
      </ul>`;
  }
}

function itemView(item: RecordingInfo): TemplateResult {
  const running = item.state === "recording";
  return html`<li>
    <a class="button small" href=${item.links.page}><span class="icon icon-play" aria-hidden="true"></span>Play ${item.name}</a>
    <span class="quiet">${running ? "being written" : `${clock(item.duration_seconds)} · ${size(item.size_bytes)}${item.state === "stopped" ? " · stopped by you" : ""}`}</span>
    <a class="icon-button" href=${item.links.asciicast} download aria-label="Download the recording of ${item.name}" title="Download">
      <span class="icon icon-download" aria-hidden="true"></span>
    </a>
    ${running
      ? nothing
      : html`<a class="icon-button" href="${item.links.page}/delete" aria-label="Delete the recording of ${item.name}" title="Delete">
          <span class="icon icon-trash-2" aria-hidden="true"></span>
        </a>`}
  </li>`;
}

customElements.define("pg-recordings", EndedRecordings);
