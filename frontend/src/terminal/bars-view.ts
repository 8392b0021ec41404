import { html, nothing, type TemplateResult } from "lit";
import type { Exit } from "./protocol.js";
import { exitSentence, type Bar } from "./sentences.js";

export interface BarsModel {
  /** What is wrong with the connection; null: nothing. */
  readonly line: Bar | null;
  readonly exit: Exit | null;
  /** What a program wants to put on the clipboard. */
  readonly offer: string | null;
  readonly remark: string;
  retry(): void;
  accept(offer: string): void;
  refuse(): void;
}

/** The thin bars over a terminal: what is wrong, what has ended, what a program asks for. */
export function barsView(model: BarsModel): TemplateResult {
  const { exit, offer, remark } = model;
  return html`
    ${exit === null ? lineBar(model) : html`<p class="bar bar-quiet" role="status">${exitSentence(exit)}</p>`}
    ${offer === null
      ? nothing
      : html`<p class="bar bar-warn" role="alert">
          <span>A program here wants to put ${offer.length} characters on your clipboard.</span>
          <button type="button" class="link" @click=${() => model.accept(offer)}>Allow once</button>
          <button type="button" class="link" @click=${() => model.refuse()}>Refuse</button>
        </p>`}
    ${remark === "" ? nothing : html`<p class="bar bar-quiet">${remark}</p>`}
  `;
}

function lineBar(model: BarsModel): TemplateResult | typeof nothing {
  const bar = model.line;
  if (bar === null) return nothing;
  return html`<p class="bar bar-${bar.tone}" role="status">
    <span>${bar.text}</span>
    ${bar.signIn ? html`<a href="/accounts/login/?next=${location.pathname}">Sign in</a>` : nothing}
    ${bar.waits ? html`<button type="button" class="link" @click=${() => model.retry()}>Try now</button>` : nothing}
  </p>`;
}
