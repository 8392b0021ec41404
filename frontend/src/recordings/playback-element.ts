import { create, type Player, type Source } from "asciinema-player";
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { answer, ApiError, refusalOf, ROOT } from "../api/client.js";
import { LightElement } from "../ui/light-element.js";
import { size } from "../ui/words.js";
import { CastDriver, type Dispatch } from "./cast-driver.js";
import { CastReader, NoRecording } from "./cast-reader.js";
import { fill, TakenBack } from "./cast-source.js";
import type { RecordingInfo } from "./types.js";

const SPEEDS = [0.5, 1, 2, 4, 8];
/** Milliseconds; longer pauses are cut to it. As the server does where it says how long a recording plays. */
const PAUSE = 2000;
/** Milliseconds without an answer or with a part of it, after which that is said. */
const PATIENCE = 1000;

/** A player, how fast it plays, and whether it waits through pauses. */
export class PlaybackElement extends LightElement {
  static override properties = {
    recording: { attribute: false },
    speed: { state: true },
    cut: { state: true },
    loading: { state: true },
    problem: { state: true },
  };
  declare recording: RecordingInfo;
  declare private speed: number;
  declare private cut: boolean;
  /** How much is there, while that is worth saying. */
  declare private loading: string;
  declare private problem: string;
  #player: Player | null = null;
  #driver: CastDriver | null = null;
  #closing = new AbortController();

  constructor() {
    super();
    this.speed = 1;
    this.cut = true;
    this.loading = "";
    this.problem = "";
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("recording")) this.#open();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#close();
  }

  #close(): void {
    this.#closing.abort();
    this.#player?.dispose();
    this.#player = null;
  }

  #open(): void {
    const host = this.querySelector<HTMLElement>(".playback-screen");
    if (host === null) return;
    this.#close();
    this.#closing = new AbortController();
    const { signal } = this.#closing;
    // The player takes a driver in place of a source, though its types do not say so.
    const source = ({ dispatch }: { dispatch: Dispatch }): CastDriver => {
      const reader = new CastReader();
      this.#driver = new CastDriver(reader, dispatch, { speed: this.speed, ...this.#pauses() });
      void this.#fill(reader, this.#driver, signal);
      return this.#driver;
    };
    this.#player = create(source as unknown as Source, host, {
      controls: true,
      fit: "both",
      theme: "playground",
      terminalFontFamily: "var(--mono)",
    });
  }

  async #fill(reader: CastReader, driver: CastDriver, signal: AbortSignal): Promise<void> {
    const { links, state, size_bytes: all } = this.recording;
    const begun = performance.now();
    const say = (): void => {
      if (performance.now() - begun > PATIENCE) this.loading = `${size(reader.bytes)} of ${size(Math.max(all, reader.bytes))} are here`;
    };
    const listener = {
      more: () => (say(), driver.more()),
      caughtUp: () => ((this.loading = ""), driver.caughtUp()),
      isWatched: () => !document.hidden,
    };
    try {
      await fill(reader, links.asciicast, state === "recording", listener, signal);
      if (!signal.aborted) driver.finish();
    } catch (error) {
      if (error instanceof TakenBack) return void (await this.#again());
      if (!(error instanceof ApiError || error instanceof NoRecording)) throw error;
      this.problem = error.message;
      driver.fail(error);
    }
    this.loading = "";
  }

  /** Another recording than it was: from its beginning. */
  async #again(): Promise<void> {
    try {
      this.recording = await answer<RecordingInfo>("GET", this.recording.links.self.slice(ROOT.length));
    } catch (error) {
      this.problem = refusalOf(error);
    }
  }

  /** How long pauses last, and how long the recording is with them. */
  #pauses(): { longest: number; total: number } {
    const { duration_seconds: whole, played_seconds: played } = this.recording;
    return this.cut ? { longest: PAUSE, total: (played ?? 0) * 1000 } : { longest: Infinity, total: whole * 1000 };
  }

  #speed(event: Event): void {
    this.speed = Number((event.target as HTMLSelectElement).value);
    if (this.#driver !== null) this.#driver.speed = this.speed;
  }

  #cut(event: Event): void {
    this.cut = (event.target as HTMLInputElement).checked;
    const { longest, total } = this.#pauses();
    this.#driver?.cut(longest, total);
  }

  protected override render(): TemplateResult {
    return html`<div class="playback-controls">
        <label>Speed
          <select @change=${(event: Event) => this.#speed(event)}>
            ${SPEEDS.map((speed) => html`<option value=${speed} ?selected=${speed === this.speed}>${speed}×</option>`)}
          </select>
        </label>
        <label><input type="checkbox" .checked=${this.cut} @change=${(event: Event) => this.#cut(event)} /> Cut pauses</label>
        <span class="quiet playback-keys"><kbd>Space</kbd> plays and pauses, <kbd>←</kbd> <kbd>→</kbd> seek, <kbd>F</kbd> fills the screen</span>
        ${this.loading === "" ? nothing : html`<span class="quiet" role="status">${this.loading}</span>`}
      </div>
      ${this.problem === "" ? nothing : html`<p class="bar bar-danger" role="alert">${this.problem}</p>`}
      <div class="playback-screen"></div>`;
  }
}

customElements.define("pg-playback", PlaybackElement);
