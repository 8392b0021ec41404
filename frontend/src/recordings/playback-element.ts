import { create, type Player } from "asciinema-player";
import { html, type PropertyValues, type TemplateResult } from "lit";
import { LightElement } from "../ui/light-element.js";
import type { RecordingInfo } from "./types.js";

const SPEEDS = [0.5, 1, 2, 4, 8];
/** Seconds; longer pauses are cut to it. */
const PAUSE = 2;
const NEVER = 1e9;

/** A player, how fast it plays, and whether it waits through pauses. */
export class PlaybackElement extends LightElement {
  static override properties = {
    recording: { attribute: false },
    speed: { state: true },
    cut: { state: true },
  };
  declare recording: RecordingInfo;
  declare private speed: number;
  declare private cut: boolean;
  #player: Player | null = null;

  constructor() {
    super();
    this.speed = 1;
    this.cut = true;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("recording")) this.#open(0, false);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#player?.dispose();
    this.#player = null;
  }

  /** The player takes its options once: another speed is another player, at the same place. */
  async #again(): Promise<void> {
    const place = (await this.#player?.getCurrentTime()) ?? 0;
    this.#open(place, true);
  }

  #open(place: number, playing: boolean): void {
    const host = this.querySelector<HTMLElement>(".playback-screen");
    if (host === null) return;
    this.#player?.dispose();
    this.#player = create({ url: this.recording.links.asciicast }, host, {
      speed: this.speed,
      idleTimeLimit: this.cut ? PAUSE : NEVER,
      startAt: place,
      preload: true,
      autoPlay: playing,
      controls: true,
      fit: "both",
      theme: "playground",
      terminalFontFamily: "var(--mono)",
    });
  }

  #speed(event: Event): void {
    this.speed = Number((event.target as HTMLSelectElement).value);
    void this.#again();
  }

  #cut(event: Event): void {
    this.cut = (event.target as HTMLInputElement).checked;
    // With other pauses the same moment is elsewhere: so from the beginning.
    this.#open(0, true);
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
      </div>
      <div class="playback-screen"></div>`;
  }
}

customElements.define("pg-playback", PlaybackElement);
