import { html, nothing, type TemplateResult } from "lit";
import { ApiError } from "../api/client.js";
import { LightElement } from "../ui/light-element.js";
import { remember, remembered } from "../ui/storage.js";
import { guestApi, type Invitation } from "./guest-api.js";
import { clockTime } from "./words.js";

/** Asks whoever opened a link what they are called, and brings them to the session. */
export class JoinElement extends LightElement {
  static override properties = {
    invitation: { state: true },
    problem: { state: true },
    over: { state: true },
    busy: { state: true },
  };
  declare private invitation: Invitation | null;
  declare private problem: string;
  /** Nothing that the person does helps. */
  declare private over: boolean;
  declare private busy: boolean;
  #token = "";
  #longest = 40;

  constructor() {
    super();
    this.invitation = null;
    this.problem = "";
    this.over = false;
    this.busy = false;
  }

  begin(token: string, longest: number): void {
    this.#token = token;
    this.#longest = longest;
    if (token === "") this.#end("This address holds no link. Copy all of it, with what follows the #.");
    else void this.#look();
  }

  async #look(): Promise<void> {
    this.problem = "";
    try {
      this.invitation = await guestApi.look(this.#token);
      await this.updateComplete;
      this.querySelector("input")?.focus();
    } catch (error) {
      this.#failed(error);
    }
  }

  async #enter(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const name = new FormData(event.target as HTMLFormElement).get("name");
    this.busy = true;
    this.problem = "";
    try {
      const page = await guestApi.enter(this.#token, String(name ?? ""));
      remember("guest-name", String(name ?? ""));
      location.replace(page);
    } catch (error) {
      this.busy = false;
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (!(error instanceof ApiError)) throw error;
    if (["share_link_unknown", "share_link_over", "guest_removed"].includes(error.code)) this.#end(error.message);
    else this.problem = error.message;
  }

  #end(words: string): void {
    this.over = true;
    this.problem = words;
  }

  protected override render(): TemplateResult {
    if (this.over) return html`<h1>This link leads nowhere</h1><p role="alert">${this.problem}</p>`;
    if (this.invitation !== null) return this.#form(this.invitation);
    return html`<h1>Watch a session</h1>
      ${this.problem === "" ? html`<p role="status">Looking where the link leads…</p>` : this.#problemView()}
      ${this.problem === ""
        ? nothing
        : html`<div class="actions"><button type="button" class="button primary" @click=${() => void this.#look()}>Try again</button></div>`}`;
  }

  #form(invitation: Invitation): TemplateResult {
    const { session, owner, role, until } = invitation;
    return html`<h1>Watch ${session}</h1>
      <p>
        <strong>${owner}</strong> shares the terminals of this session with you. You will see all that they show.
        ${role === "helper" ? "You can ask to type; nothing happens until the owner allows it." : "You can’t type."}
        ${until === null ? "" : `The link ends at ${clockTime(until)}.`} The owner sees that you are here.
        ${invitation.is_recorded ? "The session is recorded." : ""}
      </p>
      <form class="join-form" @submit=${(event: SubmitEvent) => void this.#enter(event)}>
        <label for="guest-name">What are you called?</label>
        <input
          id="guest-name"
          name="name"
          required
          maxlength=${this.#longest}
          autocomplete="nickname"
          .defaultValue=${remembered("guest-name") ?? ""}
          aria-describedby=${this.problem === "" ? nothing : "join-problem"}
        />
        ${this.problem === "" ? nothing : this.#problemView()}
        <button class="button primary" ?disabled=${this.busy}>Watch</button>
      </form>`;
  }

  #problemView(): TemplateResult {
    return html`<p class="field-error" id="join-problem" role="alert">${this.problem}</p>`;
  }
}

customElements.define("pg-join", JoinElement);
