import { html, nothing, type TemplateResult } from "lit";
import { api, ApiError, refusalOf } from "../api/client.js";
import { home, namesIn, putFile, type Place } from "../api/files.js";
import { announce } from "../ui/announce.js";
import { LightElement } from "../ui/light-element.js";
import { percent, size } from "../ui/words.js";
import { destination, planUpload, progressOf, type Refusal } from "./upload-plan.js";

type Stage = "closed" | "choosing" | "replacing" | "sending" | "done";

/** Files that were dropped, pasted or chosen, on their way into the machine: where to, how far, what went wrong. */
export class UploadPanel extends LightElement {
  static override properties = {
    session: { attribute: false },
    terminal: { attribute: false },
    machine: { attribute: false },
    stage: { state: true },
    files: { state: true },
    refused: { state: true },
    directory: { state: true },
    taken: { state: true },
    problem: { state: true },
    sent: { state: true },
    name: { state: true },
    done: { state: true },
  };
  declare session: string;
  declare terminal: string;
  declare machine: string;
  declare private stage: Stage;
  declare private files: readonly File[];
  declare private refused: readonly Refusal[];
  declare private directory: string;
  /** Names of files that would be replaced. */
  declare private taken: readonly string[];
  declare private problem: string;
  /** Bytes that are on their way, of all files together. */
  declare private sent: number;
  /** Of the file that is being sent. */
  declare private name: string;
  declare private done: number;
  #abort = new AbortController();

  constructor() {
    super();
    this.session = "";
    this.terminal = "";
    this.machine = "main";
    this.stage = "closed";
    this.files = [];
    this.refused = [];
    this.directory = "";
    this.taken = [];
    this.problem = "";
    this.sent = 0;
    this.name = "";
    this.done = 0;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#abort.abort();
  }

  /** Offers to upload these. `directories`: their places in `files`. While others are being sent, nothing. */
  async begin(files: readonly File[], directories: ReadonlySet<number> = new Set()): Promise<void> {
    if (this.stage === "sending" || files.length === 0) return;
    const plan = planUpload(files.map((file, index) => ({ name: file.name, size: file.size, directory: directories.has(index) })));
    this.files = plan.accepted.map((index) => files[index] as File);
    this.refused = plan.refused;
    this.problem = "";
    this.taken = [];
    this.directory = "";
    this.stage = "choosing";
    await this.updateComplete;
    this.querySelector<HTMLElement>("input, button")?.focus();
    const found = await this.#where();
    // Somebody may have written another meanwhile.
    if (this.directory === "") this.directory = found;
  }

  /** Lets the person choose files, as an alternative to dropping them. */
  choose(): void {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    input.addEventListener("change", () => void this.begin([...(input.files ?? [])]));
    input.click();
  }

  get #place(): Place {
    return { session: this.session, machine: this.machine };
  }

  async #where(): Promise<string> {
    try {
      const { directory } = await api.terminalProcess(this.session, this.terminal);
      if (directory !== null) return directory;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
    return home(this.#place);
  }

  async #submit(event: Event): Promise<void> {
    event.preventDefault();
    if (destination(this.directory, "x") === null) {
      this.problem = "Say an absolute path, like /root, without “..”.";
      return;
    }
    this.problem = "";
    try {
      const there = await namesIn(this.#place, this.directory.trim());
      // Too many to be told: any of them may be there.
      this.taken = this.files.map((file) => file.name).filter((name) => there === null || there.has(name));
      if (this.taken.length > 0) this.stage = "replacing";
      else await this.#send(this.files);
    } catch (error) {
      this.#failed(error);
    }
  }

  async #send(files: readonly File[]): Promise<void> {
    this.files = files;
    this.stage = "sending";
    this.#abort = new AbortController();
    this.done = 0;
    let before = 0;
    for (const file of files) {
      this.name = file.name;
      this.sent = before;
      const path = destination(this.directory, file.name);
      try {
        if (path === null) throw new ApiError(0, "invalid", "There is no such place.");
        await putFile(this.#place, path, file, (bytes) => (this.sent = before + bytes), this.#abort.signal);
        this.done += 1;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        this.refused = [...this.refused, { name: file.name, why: `was not uploaded: ${error.message}` }];
        if (error.code === "aborted") break;
      }
      before += file.size;
    }
    this.stage = "done";
    announce(this.#result());
  }

  #failed(error: unknown): void {
    this.problem = refusalOf(error);
  }

  #close(): void {
    this.stage = "closed";
    this.files = [];
    this.dispatchEvent(new CustomEvent("close"));
  }

  #result(): string {
    if (this.done === 0) return "Nothing was uploaded.";
    return `${this.done === 1 ? "1 file is" : `${this.done} files are`} in ${this.directory.trim()} now.`;
  }

  #key(event: KeyboardEvent): void {
    if (event.key !== "Escape" || this.stage === "sending") return;
    event.preventDefault();
    event.stopPropagation();
    this.#close();
  }

  protected override render(): TemplateResult | typeof nothing {
    if (this.stage === "closed") return nothing;
    return html`<section class="upload" aria-label="Upload" @keydown=${(event: KeyboardEvent) => this.#key(event)}>
      ${this.#stage()}
      ${this.refused.length === 0
        ? nothing
        : html`<ul class="upload-refused">
            ${this.refused.map(({ name, why }) => html`<li><strong>${name}</strong> ${why}</li>`)}
          </ul>`}
      ${this.problem === "" ? nothing : html`<p class="upload-problem" role="alert">${this.problem}</p>`}
    </section>`;
  }

  #stage(): TemplateResult {
    if (this.stage === "choosing" && this.files.length > 0) return this.#choosing();
    if (this.stage === "replacing") return this.#replacing();
    if (this.stage === "sending") return this.#sending();
    return html`<p role="status">${this.stage === "done" ? this.#result() : "None of this can be uploaded."}</p>
      <div class="actions"><button type="button" class="button small" @click=${() => this.#close()}>Close</button></div>`;
  }

  #choosing(): TemplateResult {
    const [first] = this.files;
    const what = this.files.length === 1 ? (first?.name ?? "") : `${this.files.length} files`;
    return html`<form @submit=${(event: Event) => void this.#submit(event)}>
      <p>Upload <strong>${what}</strong> (${size(this.#total())}) to</p>
      <input
        aria-label="Directory in the machine"
        required
        spellcheck="false"
        autocomplete="off"
        placeholder=${this.directory === "" ? "Looking where the shell is…" : ""}
        .value=${this.directory}
        @input=${(event: Event) => (this.directory = (event.target as HTMLInputElement).value)}
      />
      <div class="actions">
        <button class="button small primary" ?disabled=${this.directory === ""}>Upload</button>
        <button type="button" class="button small" @click=${() => this.#close()}>Cancel</button>
      </div>
    </form>`;
  }

  #replacing(): TemplateResult {
    const rest = this.files.filter((file) => !this.taken.includes(file.name));
    const names = `${this.taken.slice(0, 3).join(", ")}${this.taken.length > 3 ? ` and ${this.taken.length - 3} more` : ""}`;
    return html`<p role="alert"><strong>${names}</strong> ${this.taken.length === 1 ? "is" : "are"} in ${this.directory.trim()} already.</p>
      <div class="actions">
        <button type="button" class="button small danger" @click=${() => void this.#send(this.files)}>Replace</button>
        ${rest.length === 0
          ? nothing
          : html`<button type="button" class="button small" @click=${() => void this.#send(rest)}>Upload the others</button>`}
        <button type="button" class="button small" @click=${() => this.#close()}>Cancel</button>
      </div>`;
  }

  #sending(): TemplateResult {
    const share = progressOf(this.sent, this.#total());
    // The last byte has left us; the machine still writes.
    const words = share === 1 ? "Writing it in the machine…" : `${percent(share)} of ${size(this.#total())}`;
    return html`<p>Uploading <strong>${this.name}</strong> to ${this.directory.trim()}</p>
      <progress max="1" .value=${share} aria-label="Upload"></progress>
      <p class="small-text quiet" role="status">${words}</p>
      <div class="actions"><button type="button" class="button small" @click=${() => this.#abort.abort()}>Cancel</button></div>`;
  }

  #total(): number {
    return this.files.reduce((sum, file) => sum + file.size, 0);
  }
}

customElements.define("pg-upload", UploadPanel);
