import { api, refusalOf } from "../api/client.js";
import type { TerminalInfo } from "../api/types.js";
import { TerminalList } from "./terminal-list.js";

/** How long a remark stays, in milliseconds. */
const REMARK_STAYS = 6000;

/** A terminal that is to be opened; what is missing, the server chooses. */
interface Wanted {
  readonly machine?: string;
  readonly cols?: number;
  readonly rows?: number;
}

/** What the server is asked to do with a session's terminals, and what came of it. */
export class TerminalRequests {
  readonly #changed: () => void;
  readonly #list = new TerminalList();
  #session = "";
  #opening = false;
  #problem = "";

  /** `changed` hears that `opening` or `problem` has. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  set session(session: string) {
    this.#session = session;
  }

  /** A terminal is being opened; another one has to wait. */
  get opening(): boolean {
    return this.#opening;
  }

  /** Why the last request did nothing; empty: it did. */
  get problem(): string {
    return this.#problem;
  }

  /** A list of the server, with what was done here and it did not know of yet. */
  correct(told: readonly TerminalInfo[]): readonly TerminalInfo[] {
    return this.#list.correct(told, Date.now());
  }

  /** null: it was not opened. */
  async open(wanted: Wanted): Promise<TerminalInfo | null> {
    if (this.#opening) return null;
    this.#opening = true;
    const terminal = await this.#try(() => api.openTerminal(this.#session, wanted));
    if (terminal !== null) this.#list.opened(terminal, Date.now());
    this.#opening = false;
    this.#changed();
    return terminal;
  }

  /** Whether it is closed now. */
  async close(id: string): Promise<boolean> {
    const done = await this.#try(() => api.closeTerminal(this.#session, id).then(() => true));
    if (done !== null) this.#list.closed(id);
    return done !== null;
  }

  /** null: it keeps its name. */
  rename(id: string, name: string): Promise<TerminalInfo | null> {
    return this.#try(() => api.renameTerminal(this.#session, id, name));
  }

  /** The problem was read. */
  forget(): void {
    this.#tell("");
  }

  /** Says something in the place of problems for a while. */
  say(remark: string): void {
    this.#tell(remark);
    setTimeout(() => (this.#problem === remark ? this.#tell("") : undefined), REMARK_STAYS);
  }

  async #try<T>(request: () => Promise<T>): Promise<T | null> {
    this.#tell("");
    try {
      return await request();
    } catch (error) {
      this.#tell(refusalOf(error));
      return null;
    }
  }

  #tell(problem: string): void {
    this.#problem = problem;
    this.#changed();
  }
}
