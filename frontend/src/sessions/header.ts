import { html, nothing, type TemplateResult } from "lit";
import type { SessionStats } from "../api/stats.js";
import { percent } from "../ui/words.js";
import type { ServerClock } from "./clock.js";
import type { PageData } from "./page-data.js";
import { badge } from "./badge.js";
import { meters, spoken } from "./meters.js";
import "../sharing/sharing-element.js";

export interface HeaderModel {
  readonly page: PageData;
  readonly clock: ServerClock;
  readonly busy: boolean;
  readonly renaming: boolean;
  /** null: not read yet. */
  readonly stats: SessionStats | null;
  /** Whether the usage panel is there. */
  readonly usage: boolean;
  setRenaming(on: boolean): void;
  rename(name: string): void;
  extend(): void;
  pause(): void;
  resume(): void;
  toggleUsage(): void;
  stopRecording(): void;
  end(): void;
}

/** The line over the terminals: what this is, how long it lasts, and how to change that. */
export function headerView(model: HeaderModel): TemplateResult {
  const { session, image, profile } = model.page;
  const alive = session.state !== "ended" && session.state !== "stopping";
  return html`<header class="session-bar">
    <div class="session-title">
      <a class="icon-button" href="/" aria-label="Back to the catalogue" title="Back to the catalogue">
        <span class="icon icon-arrow-left" aria-hidden="true"></span>
      </a>
      ${model.renaming ? renameForm(model) : nameView(model)} ${badge(session.state)}
      ${alive ? recordingView(model) : nothing}
      <span class="session-what whole-or-none"><span>${image.title} · ${profile.title}</span></span>
    </div>
    ${alive ? html`<div class="session-actions">${actionsView(model)}</div>` : nothing}
  </header>`;
}

/** What it uses, how long it lasts, and what can be done with it. */
function actionsView(model: HeaderModel): TemplateResult {
  const { session } = model.page;
  return html`
    ${session.state === "running" || session.state === "paused" ? metersView(model) : nothing}
    ${session.expires_at !== null
      ? html`<pg-time-left .expires=${session.expires_at} .time=${model.clock}></pg-time-left>
          <button type="button" class="button small" ?disabled=${model.busy} @click=${() => model.extend()}>Extend</button>`
      : nothing}
    ${pauseView(model)}<pg-sharing session=${session.id}></pg-sharing>
    <button type="button" class="button small danger-quiet" ?disabled=${model.busy} @click=${() => model.end()}>End</button>
  `;
}

/** What is shown before the first reading, in the room of the meters that come with it. */
const UNREAD = ["CPU", "Mem", "Disk"];

/** The meters that matter most, as one button: it opens and closes the panel with all of them. */
function metersView(model: HeaderModel): TemplateResult {
  const shown = model.stats === null || model.stats.sampled_at === null ? [] : meters(model.stats);
  const label = ["Usage", ...shown.filter((meter) => meter.short !== null).map(spoken)].join(". ");
  return html`<button
    type="button"
    class="meters"
    aria-expanded=${model.usage}
    title="What this session uses"
    @click=${() => model.toggleUsage()}
  >
    <span class="visually-hidden">${label}</span>
    ${shown.map((meter) =>
      meter.short === null || meter.share === null
        ? nothing
        : html`<span class="meters-item meters-${meter.level}" aria-hidden="true" title=${meter.words}>
            ${meter.short}
            <span class="meters-track"><span class="meters-fill" style="width: ${percent(meter.share).replace(" ", "")}"></span></span>
          </span>`,
    )}
    ${shown.length === 0 ? UNREAD.map((name) => html`<span class="meters-item" aria-hidden="true">${name} <span class="meters-track"></span></span>`) : nothing}
    <span class="icon icon-gauge" aria-hidden="true"></span>
  </button>`;
}

/** That what the terminals show is recorded, for as long as it is so; with the way to stop it, where the owner may. */
function recordingView({ page, busy, stopRecording }: HeaderModel): TemplateResult | typeof nothing {
  const { state, is_recorded: recorded, is_recording_required: required, recording_stopped_at: stopped } = page.session;
  if (!recorded && stopped === null) return nothing;
  if (!recorded)
    return html`<a class="badge" href="/recordings" title="What the terminals showed until then is in your recordings">Recording stopped</a>`;
  const stoppable = !required && (state === "running" || state === "paused");
  return html`<span class="badge recorded" title="What the terminals show is recorded; what is typed is not">Recorded</span>
    ${stoppable
      ? html`<button
          type="button"
          class="icon-button stop-recording"
          aria-label="Stop recording"
          title="Stop recording"
          ?disabled=${busy}
          @click=${stopRecording}
        >
          <span class="icon icon-circle-stop" aria-hidden="true"></span>
        </button>`
      : nothing}`;
}

function pauseView(model: HeaderModel): TemplateResult | typeof nothing {
  const { state } = model.page.session;
  if (state === "running")
    return html`<button
      type="button"
      class="icon-button"
      aria-label="Pause"
      title="Pause: stop everything where it is; it uses no CPU until you resume"
      ?disabled=${model.busy}
      @click=${() => model.pause()}
    >
      <span class="icon icon-pause" aria-hidden="true"></span>
    </button>`;
  if (state === "paused")
    return html`<button type="button" class="button small primary" ?disabled=${model.busy} @click=${() => model.resume()}>
      Resume
    </button>`;
  return nothing;
}

function nameView(model: HeaderModel): TemplateResult {
  const { name } = model.page.session;
  return html`<h1 class="session-name" title=${name}>${name}</h1>
    <button type="button" class="icon-button quiet rename-button" aria-label="Rename" title="Rename" @click=${() => model.setRenaming(true)}>
      <span class="icon icon-pencil" aria-hidden="true"></span>
    </button>`;
}

function renameForm(model: HeaderModel): TemplateResult {
  const { name } = model.page.session;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const wanted = new FormData(event.target as HTMLFormElement).get("name");
    if (typeof wanted === "string" && wanted.trim() !== "" && wanted !== name) model.rename(wanted.trim());
    else model.setRenaming(false);
  };
  const cancel = (event: KeyboardEvent): void => {
    if (event.key === "Escape") model.setRenaming(false);
  };
  const select = (event: FocusEvent): void => (event.target as HTMLInputElement).select();
  return html`<form class="rename" @submit=${submit} @keydown=${cancel}>
    <h1 class="visually-hidden">${name}</h1>
    <input name="name" aria-label="Name of the session" maxlength="100" required .value=${name} @focus=${select} />
    <button class="button small" ?disabled=${model.busy}>Save</button>
    <button type="button" class="button small" @click=${() => model.setRenaming(false)}>Cancel</button>
  </form>`;
}
