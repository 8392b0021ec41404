import { html, nothing, render, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { csrfToken } from "../api/client.js";
import type { SessionInfo } from "../api/types.js";
import { clock } from "../ui/words.js";
import { badge } from "./badge.js";

/** The person's living sessions over the catalogue, up to date. */
export class SessionStrip {
  readonly #host: HTMLElement;
  #sessions: readonly SessionInfo[] = [];
  #started = false;

  constructor(host: HTMLElement) {
    this.#host = host;
  }

  replace(sessions: readonly SessionInfo[]): void {
    this.#sessions = sessions.filter((session) => session.state !== "ended");
    this.#draw();
  }

  change(session: SessionInfo): void {
    const others = this.#sessions.filter((other) => other.id !== session.id);
    this.replace([session, ...others].sort((one, other) => other.created_at.localeCompare(one.created_at)));
  }

  #draw(): void {
    const list = this.#host.querySelector<HTMLElement>(".strip");
    if (list === null) return;
    if (!this.#started) {
      // From here on the list is ours; until then it was as the server wrote it.
      list.replaceChildren();
      this.#started = true;
      setInterval(() => this.#draw(), 1000);
    }
    this.#host.hidden = this.#sessions.length === 0;
    render(repeat(this.#sessions, (session) => session.id, item), list);
  }
}

/** Resumes it and goes to its page. */
function resumeForm(session: SessionInfo): TemplateResult {
  return html`<form method="post" action="/sessions/${session.id}/resume">
    <input type="hidden" name="csrfmiddlewaretoken" value=${csrfToken()} />
    <button class="button" aria-label="Resume ${session.name}"><span class="icon icon-play" aria-hidden="true"></span>Resume</button>
  </form>`;
}

function item(session: SessionInfo): TemplateResult {
  const left = session.expires_at === null ? "" : `${clock((Date.parse(session.expires_at) - Date.now()) / 1000)} left`;
  return html`<li>
    <a href="/sessions/${session.id}">
      <span class="strip-name" title=${session.name}>${session.name}</span>
      ${badge(session.state)}
      <span class="quiet small-text">${left}</span>
      <span class="icon icon-arrow-right" aria-hidden="true"></span>
    </a>
    ${session.state === "paused" ? resumeForm(session) : nothing}
  </li>`;
}
