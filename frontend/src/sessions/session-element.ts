import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { ImageInfo, SessionInfo } from "../api/types.js";
import { announce } from "../ui/announce.js";
import { ask } from "../ui/question.js";
import type { SessionStats } from "../api/stats.js";
import { isTyping } from "../ui/shortcuts.js";
import { remember, remembered } from "../ui/storage.js";
import { ActingElement } from "../ui/acting-element.js";
import { download, fileName } from "../ui/download.js";
import "../terminal/tabs.js";
import type { TerminalTabs } from "../terminal/tabs.js";
import type { SharingElement } from "../sharing/sharing-element.js";
import { endedView } from "./ended.js";
import { headerView } from "./header.js";
import type { PageData } from "./page-data.js";
import { progressView } from "./progress.js";
import { SessionFollower } from "./follower.js";
import { ServerClock } from "./clock.js";
import "./time-left.js";
import "./warning-bar.js";
import { heard, stillTrue, type Warning } from "./warnings.js";
import "./usage-panel.js";
import { UsageReader } from "./usage-reader.js";

/** A session's page: its start in words, its terminals, its end. */
export class SessionElement extends ActingElement {
  static override properties = {
    page: { attribute: false },
    renaming: { state: true },
    shellTitle: { state: true },
    stats: { state: true },
    unread: { state: true },
    usage: { state: true },
    warnings: { state: true },
  };
  declare page: PageData;
  declare private renaming: boolean;
  declare private shellTitle: string;
  declare private stats: SessionStats | null;
  /** The last reading of what it uses did not work. */
  declare private unread: boolean;
  /** Whether the usage panel is open. */
  declare private usage: boolean;
  declare private warnings: readonly Warning[];
  #clock!: ServerClock;
  #csrf = "";
  #scrollback: string | null = null;
  #follower!: SessionFollower;
  #reader!: UsageReader;

  constructor() {
    super();
    this.renaming = false;
    this.shellTitle = "";
    this.stats = null;
    this.unread = false;
    this.usage = remembered("usage") === "open";
    this.warnings = [];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("keydown", this.#key);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.#key);
  }

  /** `page` as the server wrote it. */
  begin(page: PageData, csrf: string): void {
    this.page = page;
    this.#csrf = csrf;
    this.#clock = new ServerClock(page.now);
    const changed = (session: SessionInfo, image: ImageInfo): void => {
      this.page = { ...this.page, session, image };
    };
    const news = (told: Readonly<Record<string, unknown>>): void => this.#hear(told);
    this.#follower = new SessionFollower(page.session, page.image, changed, news);
    this.#follower.start();
    this.#reader = new UsageReader(page.session.id, (stats) => {
      this.unread = stats === null;
      this.stats = stats ?? this.stats;
    });
    this.#readUsage();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("page")) return;
    const before = changed.get("page") as PageData | undefined;
    if (before !== undefined && before.session.state !== this.page.session.state) this.#readUsage();
    const { state, expires_at: expiresAt } = this.page.session;
    this.warnings = stillTrue(this.warnings, expiresAt);
    const tabs = this.querySelector<TerminalTabs>("pg-terminals");
    if (tabs !== null && state !== "running" && state !== "paused") {
      // The terminals are about to leave the page: what they showed stays for the download.
      this.#scrollback = tabs.text() ?? this.#scrollback;
      tabs.finish();
    }
  }

  protected override updated(changed: PropertyValues<this>): void {
    const { session } = this.page;
    document.title = [this.shellTitle, session.name, "Container Playground"].filter(Boolean).join(" · ");
    const before = changed.get("page") as PageData | undefined;
    if (before?.session.state === "paused" && session.state === "running") this.#goOn();
    if (before?.session.is_recorded === true && !session.is_recorded) announce("Recording has stopped.");
    if (before !== undefined && before.session.state !== "ended" && session.state === "ended") {
      this.querySelector<HTMLElement>(".ended h2")?.focus();
    }
  }

  /** Again and again while it runs; once more when it has ended, for what it used in all. */
  #readUsage(): void {
    const { state } = this.page.session;
    if (state === "running" || state === "paused") return this.#reader.start();
    this.#reader.stop();
    if (state === "ended") void this.#reader.once();
  }

  #goOn(): void {
    announce("The session goes on.");
    this.querySelector<TerminalTabs>("pg-terminals")?.wake();
  }

  #hear(told: Readonly<Record<string, unknown>>): void {
    this.warnings = heard(this.warnings, told);
    this.querySelector<SharingElement>("pg-sharing")?.hear(told);
  }

  readonly #key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const { state } = this.page.session;
    if (state !== "running" && state !== "paused") return;
    if (event.key === "p" && !this.busy) {
      void this.act(() => (state === "paused" ? this.#follower.resume() : this.#follower.pause()));
    } else if (event.key === "u") this.#toggleUsage();
    else return;
    event.preventDefault();
  };

  #extend(): void {
    void this.act(() => this.#follower.extend(this.page.profile.lifetime_seconds));
  }

  /** The warning goes, and its button with it. */
  #extendFromWarning(): void {
    this.#extend();
    this.querySelector<TerminalTabs>("pg-terminals")?.focus();
  }

  #setRenaming(on: boolean): void {
    this.renaming = on;
    this.#focusNext(on ? ".rename input" : ".session-bar .rename-button");
  }

  #toggleUsage(): void {
    this.usage = !this.usage;
    remember("usage", this.usage ? "open" : "closed");
  }

  async #stopRecording(): Promise<void> {
    const { answer } = await ask({
      title: "Stop recording?",
      body: html`<p>What the terminals showed until now stays in your recordings. In this session it can’t be begun again.</p>`,
      answers: [
        { value: "stop", label: "Stop recording", tone: "danger" },
        { value: "", label: "Go on recording" },
      ],
    });
    if (answer === "stop") await this.act(() => this.#follower.stopRecording());
  }

  /** By its own button, with which the focus would go. */
  #closeUsage(): void {
    this.#toggleUsage();
    this.#focusNext(".session-bar .meters");
  }

  /** Gives the keyboard to what takes the place of something that goes away. */
  #focusNext(selector: string): void {
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(selector)?.focus());
  }

  #download(): void {
    if (this.#scrollback !== null) download(fileName(this.page.session.name), this.#scrollback);
  }

  protected override render(): TemplateResult {
    return html`
      ${headerView({
        page: this.page,
        clock: this.#clock,
        busy: this.busy,
        renaming: this.renaming,
        setRenaming: (on) => this.#setRenaming(on),
        rename: (name) => this.act(() => this.#follower.rename(name).finally(() => this.#setRenaming(false))),
        extend: () => this.#extend(),
        stats: this.stats,
        usage: this.usage,
        pause: () => this.act(() => this.#follower.pause()),
        resume: () => this.act(() => this.#follower.resume()),
        toggleUsage: () => this.#toggleUsage(),
        stopRecording: () => void this.#stopRecording(),
        end: () => this.querySelector<HTMLDialogElement>("dialog.confirm")?.showModal(),
      })}
      ${this.problem === ""
        ? nothing
        : html`<p class="bar bar-danger" role="alert">
            <span>${this.problem}</span>
            <button type="button" class="link" @click=${() => (this.problem = "")}>Dismiss</button>
          </p>`}
      <div class="session-body">${this.#body()}</div>
      ${this.#confirm()}
    `;
  }

  #body(): TemplateResult {
    const { session, image } = this.page;
    switch (session.state) {
      case "pending":
      case "starting":
        return progressView(session, image);
      case "running":
      case "paused":
        return html`<div class="terminals-column">
          ${session.state === "paused" ? this.#pausedBar() : nothing}
          <pg-warnings
            .warnings=${this.warnings}
            .time=${this.#clock}
            ?busy=${this.busy}
            @warning-extend=${() => this.#extendFromWarning()}
          ></pg-warnings>
          <pg-terminals
          session=${session.id}
          .terminals=${session.terminals}
          @terminal-title=${(event: CustomEvent<string>) => (this.shellTitle = event.detail)}
          @terminal-status=${(event: CustomEvent<string>) => this.#follower.doubt(event.detail === "open" ? 0 : Infinity)}
          @terminal-exit=${() => this.#follower.doubt(5)}
          @terminal-notice=${(event: CustomEvent<Readonly<Record<string, unknown>>>) => this.#hear(event.detail)}
        ></pg-terminals>
          </div>
          ${this.usage ? this.#usagePanel() : nothing}`;
      case "stopping":
        return html`<section class="progress"><h2>Ending…</h2><p class="quiet">${session.message}</p></section>`;
      case "ended": {
        const scrollback = this.#scrollback === null ? null : () => this.#download();
        return endedView(this.page, this.#csrf, scrollback, this.stats);
      }
    }
  }

  #pausedBar(): TemplateResult {
    const { message } = this.page.session;
    return html`<p class="bar bar-warn" role="status">
      <span>${message || "Paused. Nothing runs and nothing is lost; what you type arrives when it goes on."}</span>
      <button type="button" class="link" ?disabled=${this.busy} @click=${() => void this.#resumeFromBar()}>
        Resume
      </button>
    </p>`;
  }

  /** The bar goes, and its button with it. */
  async #resumeFromBar(): Promise<void> {
    await this.act(() => this.#follower.resume());
    if (this.problem === "") this.querySelector<TerminalTabs>("pg-terminals")?.focus();
  }

  #usagePanel(): TemplateResult {
    return html`<pg-usage
      .stats=${this.stats}
      .network=${this.page.session.network}
      ?failing=${this.unread}
      ?paused=${this.page.session.state === "paused"}
      @usage-close=${() => this.#closeUsage()}
    ></pg-usage>`;
  }

  #confirm(): TemplateResult {
    return html`<dialog class="confirm" aria-labelledby="confirm-title" @close=${(event: Event) => this.#confirmed(event)}>
      <form method="dialog">
        <h2 id="confirm-title">End this session?</h2>
        <p>Its machine and every file in it are removed now. What the terminals showed can still be downloaded.</p>
        <div class="actions">
          <button class="button danger" value="end">End session</button>
          <button class="button" value="" autofocus>Keep it</button>
        </div>
      </form>
    </dialog>`;
  }

  #confirmed(event: Event): void {
    const dialog = event.target as HTMLDialogElement;
    if (dialog.returnValue === "end") void this.act(() => this.#follower.end());
    dialog.returnValue = "";
  }
}

customElements.define("pg-session", SessionElement);
