import { bodyOf, call } from "../api/client.js";
import type { SessionState, TerminalInfo } from "../api/types.js";

/** What a link leads to; the server's `playground/sharing/views.py` is the other side. */
export interface Invitation {
  readonly session: string;
  readonly owner: string;
  readonly role: "observer" | "helper";
  readonly is_recorded: boolean;
  /** null: as long as the session. */
  readonly until: string | null;
}

/** What a guest sees of a session. */
export interface Visit {
  readonly session: {
    readonly id: string;
    readonly name: string;
    readonly owner: string;
    readonly state: SessionState;
    readonly message: string;
    readonly is_recorded: boolean;
    readonly terminals: readonly TerminalInfo[];
  };
  readonly name: string;
  /** helper: may type. */
  readonly role: "observer" | "helper";
  readonly may_ask: boolean;
  readonly is_asking: boolean;
  readonly until: string | null;
}

/** Its addresses are of pages, not of the API: a guest has no account. */
const request = (method: string, path: string, body?: Readonly<Record<string, unknown>>): Promise<Response> =>
  call(method, path, body, { root: "" });

const at = (session: string): string => `/watch/${encodeURIComponent(session)}`;

export const guestApi = {
  look: async (token: string) => bodyOf<Invitation>(await request("POST", "/join/look", { token })),
  /** Answers the address of the page to watch at. */
  enter: async (token: string, name: string): Promise<string> =>
    (await bodyOf<{ page: string }>(await request("POST", "/join/enter", { token, name }))).page,
  visit: async (session: string) => (await bodyOf<{ visit: Visit }>(await request("GET", `${at(session)}/state`))).visit,
  ask: async (session: string): Promise<void> => void (await request("POST", `${at(session)}/ask`)),
  leave: async (session: string): Promise<void> => void (await request("POST", `${at(session)}/leave`)),
};
