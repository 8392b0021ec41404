import { html, type TemplateResult } from "lit";
import type { SessionState } from "../api/types.js";

/** A session's state as a word with a dot: never by colour alone. */
export function badge(state: SessionState): TemplateResult {
  return html`<span class="badge badge-${state}">${state}</span>`;
}
