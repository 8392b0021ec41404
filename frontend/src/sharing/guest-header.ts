import { html, nothing, type TemplateResult } from "lit";
import type { Visit } from "./guest-api.js";
import { guestToolsView, type GuestTools } from "./guest-tools.js";
import { clockTime } from "./words.js";

export interface GuestHeaderModel {
  readonly visit: Visit;
  readonly busy: boolean;
  /** Letters are large enough to be read, whether all of it fits or not. */
  readonly readable: boolean;
  /** null: there is no terminal. */
  readonly tools: GuestTools | null;
  toggleReadable(): void;
  ask(): void;
  leave(): void;
}

/** The line over the terminals: whose they are, what the guest may do, until when. */
export function guestHeader(model: GuestHeaderModel): TemplateResult {
  const { session, role, until, is_asking: asking, may_ask: mayAsk } = model.visit;
  const types = role === "helper";
  return html`<header class="session-bar watch-bar">
    <div class="session-title">
      <span class="icon icon-eye watch-eye" aria-hidden="true"></span>
      <h1 class="session-name" title=${session.name}>${session.name}</h1>
      <span class="watch-owner" title="The owner sees that you are here">of ${session.owner}</span>
      <span class="badge ${types ? "badge-running" : ""}" role="status">${types ? "you may type" : "you watch"}</span>
      ${session.is_recorded ? html`<span class="badge recorded" title="What the terminals show is recorded">Recorded</span>` : nothing}
      <span class="session-what whole-or-none"><span>${until === null ? nothing : `until ${clockTime(until)}`}</span></span>
    </div>
    <div class="session-actions">
      ${model.tools === null ? nothing : guestToolsView(model.tools)}
      <button
        type="button"
        class="icon-button"
        aria-label="Letters that can be read, though not all fits"
        title="Letters that can be read, though not all fits"
        aria-pressed=${model.readable}
        @click=${() => model.toggleReadable()}
      >
        <span class="icon icon-a-large-small" aria-hidden="true"></span>
      </button>
      ${mayAsk
        ? html`<button type="button" class="button small" ?disabled=${model.busy || asking} @click=${() => model.ask()}>
            ${asking ? "Asked to type…" : "Ask to type"}
          </button>`
        : nothing}
      <button type="button" class="button small" ?disabled=${model.busy} @click=${() => model.leave()}>Leave</button>
    </div>
  </header>`;
}
