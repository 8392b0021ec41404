import { html, nothing, type TemplateResult } from "lit";
import type { ImageInfo, QueuePlace, SessionInfo } from "../api/types.js";
import { ordinal, percent } from "../ui/words.js";

export interface Step {
  readonly words: string;
  readonly state: "done" | "now" | "later";
  /** 0 to 1, or null. */
  readonly progress: number | null;
}

/** What is said of the wait for a machine. Pure. */
export function waiting(queue: QueuePlace | null): string {
  if (queue === null) return "Waiting for a free place";
  const { position, estimate_seconds: seconds } = queue;
  const place = position === 1 ? "Next in the queue" : `${ordinal(position)} in the queue`;
  if (seconds === null) return `${place}; all places are taken, so this may take a while`;
  return `${place}, about ${seconds < 120 ? `${String(seconds)} s` : `${String(Math.round(seconds / 60))} min`}`;
}

/** The steps of a session's start, in words, and which one is under way. Pure. */
export function steps(session: SessionInfo, image: ImageInfo): readonly Step[] {
  const prepared = image.state === "ready";
  const at = session.state === "pending" ? (prepared ? 0 : 1) : session.state === "starting" ? 2 : 3;
  const preparing = image.progress === null || prepared ? "" : ` ${percent(image.progress)}`;
  const names = [waiting(session.queue), `Preparing the image${preparing}`, "Creating the machine", "Opening the shell"];
  return names.map((words, index) => ({
    words,
    state: index < at || (index === 1 && prepared) ? "done" : index === at ? "now" : "later",
    progress: index === 1 && index === at ? image.progress : null,
  }));
}

const ICONS = { done: "check", now: "loader-circle", later: "circle" } as const;
const SPOKEN = { done: "done", now: "under way", later: "to come" } as const;

export function progressView(session: SessionInfo, image: ImageInfo): TemplateResult {
  return html`<section class="progress" aria-label="Starting">
    <h2>Starting ${session.name}</h2>
    <ol class="steps" role="list" aria-live="polite">
      ${steps(session, image).map(
        (step) => html`<li class="step step-${step.state}">
          <span class="icon icon-${ICONS[step.state]}" aria-hidden="true"></span>
          <span>${step.words}<span class="visually-hidden">, ${SPOKEN[step.state]}</span></span>
          ${step.progress === null ? nothing : html`<progress max="1" .value=${step.progress} aria-label="Preparing"></progress>`}
        </li>`,
      )}
    </ol>
    ${session.message === "" ? nothing : html`<p class="quiet">${session.message}</p>`}
  </section>`;
}
