import { html, nothing, type TemplateResult } from "lit";
import { copyText } from "../terminal/clipboard.js";
import { announce } from "../ui/announce.js";
import type { GuestInfo, Role, ShareLink } from "./owner-api.js";
import { clockTime } from "./words.js";

export interface SharingModel {
  readonly guests: readonly GuestInfo[];
  readonly links: readonly ShareLink[];
  readonly made: ShareLink | null;
  readonly problem: string;
  readonly busy: boolean;
  make(role: Role, ttlSeconds: number | null): void;
  revoke(link: ShareLink): void;
  setRole(guest: GuestInfo, role: Role): void;
  remove(guest: GuestInfo): void;
}

/** Seconds; the empty one is as long as the session. */
const LIFETIMES = [
  ["900", "15 minutes"],
  ["3600", "1 hour"],
  ["28800", "8 hours"],
  ["", "the whole session"],
] as const;

/** The dialog with who is there, and the links by which they come. */
export function sharingView(model: SharingModel): TemplateResult {
  return html`<dialog class="sharing" aria-labelledby="sharing-title">
    <div class="sharing-head">
      <h2 id="sharing-title">Share this session</h2>
      <form method="dialog"><button class="icon-button" aria-label="Close" title="Close"><span class="icon icon-x" aria-hidden="true"></span></button></form>
    </div>
    ${model.problem === "" ? nothing : html`<p class="bar bar-danger" role="alert">${model.problem}</p>`}
    <section aria-labelledby="sharing-who">
      <h3 id="sharing-who">Who is here</h3>
      ${model.guests.length === 0
        ? html`<p class="sharing-none">Nobody but you. Whoever comes by a link is shown here at once.</p>`
        : html`<ul class="sharing-list" role="list">${model.guests.map((guest) => guestRow(model, guest))}</ul>`}
    </section>
    <section aria-labelledby="sharing-links">
      <h3 id="sharing-links">Links</h3>
      ${openLinks(model)} ${model.made === null ? nothing : madeView(model.made)} ${makeForm(model)}
    </section>
  </dialog>`;
}

function guestRow(model: SharingModel, guest: GuestInfo): TemplateResult {
  const types = guest.role === "helper";
  const letType = guest.is_asking ? "Allow typing" : "Let type";
  const what = guest.is_here ? (types ? "may type" : "watches") : types ? "away, may type" : "away";
  return html`<li class="sharing-row">
    <span class="sharing-what">
      <span class="sharing-name">${guest.name}</span>
      <span class="sharing-more">
        <span class="badge ${guest.is_here ? (types ? "badge-paused" : "badge-running") : ""}">${what}</span>
        ${guest.is_administrator ? html`<span>administrator</span>` : nothing}
        <span>since ${clockTime(guest.since)}</span>
      </span>
    </span>
    <span class="sharing-actions">
      ${types
        ? button(model, "Only watch", `${guest.name}: only watch`, () => model.setRole(guest, "observer"))
        : button(model, letType, `${guest.name}: ${letType.toLowerCase()}`, () => model.setRole(guest, "helper"))}
      ${button(model, "Send away", `${guest.name}: send away`, () => model.remove(guest), "danger-quiet")}
    </span>
  </li>`;
}

function openLinks(model: SharingModel): TemplateResult | typeof nothing {
  const open = model.links.filter((link) => link.is_open);
  if (open.length === 0) return nothing;
  return html`<ul class="sharing-list" role="list">
    ${open.map((link) => {
      const what = link.role === "helper" ? "To help" : "To watch";
      const until = link.expires_at === null ? "as long as the session" : `until ${clockTime(link.expires_at)}`;
      const label = `Revoke the link that was made at ${clockTime(link.created_at)}`;
      return html`<li class="sharing-row">
        <span class="sharing-what">
          <span class="sharing-name">${what}</span>
          <span class="sharing-more"><span>${until}</span><span>made ${clockTime(link.created_at)}</span></span>
        </span>
        <span class="sharing-actions">${button(model, "Revoke", label, () => model.revoke(link), "danger-quiet")}</span>
      </li>`;
    })}
  </ul>`;
}

function madeView(link: ShareLink): TemplateResult {
  const url = link.url ?? "";
  return html`<div class="sharing-made">
    <label for="sharing-url">The new link. It is shown once; whoever has it sees your terminals.</label>
    <span class="sharing-url">
      <input id="sharing-url" readonly .value=${url} @focus=${(event: FocusEvent) => (event.target as HTMLInputElement).select()} />
      <button type="button" class="button primary" @click=${(event: MouseEvent) => void copy(url, event.currentTarget as HTMLElement)}>Copy</button>
    </span>
  </div>`;
}

async function copy(url: string, button: HTMLElement): Promise<void> {
  if (await copyText(url)) {
    button.textContent = "Copied";
    announce("The link is copied.");
  } else {
    document.querySelector<HTMLInputElement>("#sharing-url")?.select();
    announce("The browser does not let this page copy. Press Ctrl+C.");
  }
}

function makeForm(model: SharingModel): TemplateResult {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const seconds = String(form.get("ttl") ?? "");
    model.make(form.get("role") === "helper" ? "helper" : "observer", seconds === "" ? null : Number(seconds));
  };
  return html`<form class="sharing-make" @submit=${submit}>
    <label>Guests may <select name="role"><option value="observer">watch</option><option value="helper">watch, and ask to type</option></select></label>
    <label>for <select name="ttl">${LIFETIMES.map(([seconds, words], index) => html`<option value=${seconds} ?selected=${index === 1}>${words}</option>`)}</select></label>
    <button class="button" ?disabled=${model.busy}>Make a link</button>
  </form>`;
}

function button(model: SharingModel, words: string, label: string, press: () => void, tone = ""): TemplateResult {
  return html`<button type="button" class="button small ${tone}" aria-label=${label} ?disabled=${model.busy} @click=${press}>${words}</button>`;
}
