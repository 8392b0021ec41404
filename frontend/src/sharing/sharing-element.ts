import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { ApiError } from "../api/client.js";
import { announce } from "../ui/announce.js";
import { ActingElement } from "../ui/acting-element.js";
import { ask } from "../ui/question.js";
import { sharingApi, type GuestInfo, type Role, type ShareLink } from "./owner-api.js";
import { sharingView } from "./sharing-view.js";
import { presence } from "./words.js";

/** How often the list is read while somebody may be there, in milliseconds: being there makes no event. */
const LOOK_EVERY = 4000;
/** ... and while nobody can be, but an administrator whose coming was not heard of. */
const LOOK_AT_TIMES = 30_000;

/** Who else is in the session, on its owner's page: a button that always says how many, and all that can be done. */
export class SharingElement extends ActingElement {
  static override properties = {
    session: {},
    guests: { state: true },
    links: { state: true },
    made: { state: true },
  };
  declare session: string;
  declare private guests: readonly GuestInfo[];
  declare private links: readonly ShareLink[];
  /** The link that was just made: its address is not known again. */
  declare private made: ShareLink | null;
  #timer = 0;
  #looked = 0;
  #looking: Promise<void> | null = null;
  #question = false;
  /** Requests that were answered; their guests stay in the list a moment longer. */
  #answered = new Set<string>();

  constructor() {
    super();
    this.session = "";
    this.guests = [];
    this.links = [];
    this.made = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#timer = window.setInterval(() => this.#lookAtTimes(), 1000);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  /** Something happened to the session; what has to do with guests is looked at. */
  hear(told: Readonly<Record<string, unknown>>): void {
    const kind = String(told["type"]);
    if (kind === "watchers" || kind.startsWith("guest_") || kind.startsWith("share_link_")) void this.#look();
    if (kind === "guest_joined" && typeof told["name"] === "string") announce(`${told["name"]} watches this session.`);
  }

  #lookAtTimes(): void {
    const shared = this.guests.length > 0 || this.links.some((link) => link.is_open);
    if (performance.now() - this.#looked > (shared ? LOOK_EVERY : LOOK_AT_TIMES)) void this.#look();
  }

  protected override firstUpdated(_changed: PropertyValues): void {
    void this.#look();
  }

  /** Reads who is there. Asked while it does, it reads once more: the answer under way may be older than the question. */
  async #look(): Promise<void> {
    if (this.#looking !== null) await this.#looking;
    this.#looking ??= this.#read().finally(() => (this.#looking = null));
    await this.#looking;
  }

  async #read(): Promise<void> {
    this.#looked = performance.now();
    const { made } = this;
    try {
      [this.guests, this.links] = await Promise.all([sharingApi.guests(this.session), sharingApi.links(this.session)]);
    } catch (error) {
      // The page says elsewhere that the server is away; the next look may find it.
      if (!(error instanceof ApiError)) throw error;
      return;
    }
    // One that was made meanwhile may be missing in what was read.
    if (this.made === made && !this.links.some((link) => link.id === made?.id && link.is_open)) this.made = null;
    for (const id of this.#answered) if (!this.guests.some((guest) => guest.id === id && guest.is_asking)) this.#answered.delete(id);
    void this.#consent();
  }

  /** Asks the owner about whoever wants to type, one after the other. */
  async #consent(): Promise<void> {
    const guest = this.guests.find((other) => other.is_asking && other.is_here && !this.#answered.has(other.id));
    if (guest === undefined || this.#question) return;
    this.#question = true;
    const { answer } = await ask({
      title: `${guest.name} wants to type`,
      body: html`<p>Whoever types can do in this machine all that you can. You see it, and can take it back at any time.</p>`,
      answers: [
        { value: "helper", label: "Allow", tone: "primary" },
        { value: "remove", label: "Send away", tone: "danger" },
        { value: "observer", label: "Only watch" },
      ],
    });
    this.#question = false;
    this.#answered.add(guest.id);
    await this.#act(() => this.#answer(guest, answer));
    void this.#consent();
  }

  async #answer(guest: GuestInfo, answer: string): Promise<void> {
    if (answer === "remove") await sharingApi.remove(this.session, guest.id);
    else await sharingApi.setRole(this.session, guest.id, answer === "helper" ? "helper" : "observer");
  }

  /** Then looks what has come of it. Whoever has gone meanwhile needs nothing more. */
  #act(action: () => Promise<unknown>): Promise<void> {
    return this.act(async () => {
      await action().catch((error: unknown) => {
        if (!(error instanceof ApiError && error.code === "guest_unknown")) throw error;
      });
      await this.#look();
    });
  }

  async #make(role: Role, ttlSeconds: number | null): Promise<void> {
    this.made = await sharingApi.makeLink(this.session, role, ttlSeconds);
    announce("The link is made. Copy it now: it is shown once.");
  }

  #open(): void {
    this.querySelector<HTMLDialogElement>("dialog.sharing")?.showModal();
    void this.#look();
  }

  protected override render(): TemplateResult {
    const here = this.guests.filter((guest) => guest.is_here);
    const typing = here.filter((guest) => guest.role === "helper").length;
    const words = presence(here.length, typing);
    return html`
      <button
        type="button"
        class="button small sharing-button ${typing > 0 ? "sharing-typing" : here.length > 0 ? "sharing-watched" : ""}"
        aria-haspopup="dialog"
        aria-label=${`Share. ${words}`}
        title=${words}
        @click=${() => this.#open()}
      >
        <span class="icon icon-${here.length > 0 ? "users" : "share-2"}" aria-hidden="true"></span>
        <span class="sharing-word">Share</span>
        ${here.length === 0 ? nothing : html`<span class="sharing-count">${here.length}</span>`}
      </button>
      ${sharingView({
        guests: this.guests,
        links: this.links,
        made: this.made,
        problem: this.problem,
        busy: this.busy,
        make: (role, ttlSeconds) => void this.#act(() => this.#make(role, ttlSeconds)),
        revoke: (link) => void this.#act(() => sharingApi.revoke(this.session, link.id)),
        setRole: (guest, role) => void this.#act(() => sharingApi.setRole(this.session, guest.id, role)),
        remove: (guest) => void this.#act(() => sharingApi.remove(this.session, guest.id)),
      })}
    `;
  }
}

customElements.define("pg-sharing", SharingElement);
