import { html, nothing, type TemplateResult } from "lit";
import type { SessionStats } from "../api/stats.js";
import type { SessionInfo } from "../api/types.js";
import "../recordings/ended-recordings.js";
import { duration, moment } from "../ui/words.js";
import { totals } from "./meters.js";
import type { PageData } from "./page-data.js";

/** How long it ran, in words; null: it never did. Pure. */
export function ran(session: SessionInfo): string | null {
  if (session.started_at === null || session.ended_at === null) return null;
  return duration((Date.parse(session.ended_at) - Date.parse(session.started_at)) / 1000);
}

function fact(term: string, value: string | null): TemplateResult | typeof nothing {
  return value === null ? nothing : html`<div><dt>${term}</dt><dd>${value}</dd></div>`;
}

const ADVICE: Readonly<Record<string, string>> = {
  expired: "Extend gives a session more time while it runs, up to what its profile allows.",
  idle: "A session ends when nobody types or runs anything for a while. One that you pause is not idle.",
  quota_cpu: "CPU time is counted over the last 24 hours: try again later, or ask an administrator for more.",
  quota_disk: "Start again and write less, or choose a profile with more disk.",
  quota_network: "Traffic is counted for each session and for each day: move less, try again later, or ask an administrator for more.",
  oom: "Choose a profile with more memory, or run less at once.",
  failed: "Try again. If it fails again, choose another image or ask an administrator.",
  engine_lost: "This was no fault of yours. Start again; if it happens again, tell an administrator.",
  exited: "It ends with its main process. Start again to run that once more.",
};

/** What a person can do after such an end; null: nothing that the buttons don't say. Pure. */
export function advice(reason: string | null): string | null {
  return ADVICE[reason ?? ""] ?? null;
}

/** What a session that is started again lacks. Pure. */
export function lost(variables: readonly string[]): string {
  return `Started again it does not have its variables (${variables.join(", ")}): their values are not kept.`;
}

/** In the terminal's place: why it ended, what it used, what can be done now. */
export function endedView(
  { session, image, profile, variables }: PageData,
  csrf: string,
  download: (() => void) | null,
  stats: SessionStats | null,
): TemplateResult {
  const failed = session.reason === "failed" || session.reason === "engine_lost" || session.reason === "oom" || session.reason?.startsWith("quota_");
  const next = advice(session.reason);
  return html`<section class="ended" aria-label="Ended">
    <span class="icon icon-large icon-${failed ? "triangle-alert" : "circle-check"}" aria-hidden="true"></span>
    <h2 tabindex="-1">${session.message || "This session has ended."}</h2>
    ${next === null ? nothing : html`<p>${next}</p>`}
    <dl class="facts">
      ${fact("Ran for", ran(session))} ${fact("Image", image.title)} ${fact("Profile", profile.title)}
      ${stats === null ? nothing : totals(stats).map(([term, value]) => fact(term, value))}
      ${fact("Ended", session.ended_at === null ? null : moment(session.ended_at))}
      ${fact("Exit code", session.exit_code === null ? null : String(session.exit_code))}
    </dl>
    <form method="post" action="/sessions/${session.id}/again" class="actions" data-once="Starting…">
      <input type="hidden" name="csrfmiddlewaretoken" value=${csrf} />
      <button class="button primary"><span class="icon icon-rotate-ccw" aria-hidden="true"></span>Start again</button>
      ${download === null
        ? nothing
        : html`<button type="button" class="button" @click=${download}>
            <span class="icon icon-download" aria-hidden="true"></span>Download scrollback
          </button>`}
      <a class="button" href="/">Back to the catalogue</a>
    </form>
    ${session.is_recorded || session.recording_stopped_at !== null ? html`<pg-recordings session=${session.id}></pg-recordings>` : nothing}
    <p class="quiet">Files that were in the machine are gone with it.${variables.length === 0 ? "" : ` ${lost(variables)}`}</p>
  </section>`;
}
