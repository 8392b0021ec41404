import { answer, call } from "../api/client.js";

export type Role = "observer" | "helper";

export interface ShareLink {
  readonly id: string;
  readonly role: Role;
  readonly created_at: string;
  /** null: with the session. */
  readonly expires_at: string | null;
  readonly is_open: boolean;
  /** Known of a link that was just made. */
  readonly url: string | null;
}

export interface GuestInfo {
  readonly id: string;
  readonly name: string;
  /** helper: types. */
  readonly role: Role;
  readonly is_asking: boolean;
  readonly is_administrator: boolean;
  readonly is_here: boolean;
  readonly since: string;
}

interface List<T> {
  readonly items: readonly T[];
}

const at = (session: string, what: string): string => `/sessions/${encodeURIComponent(session)}/${what}`;

export const sharingApi = {
  links: async (session: string) => (await answer<List<ShareLink>>("GET", at(session, "share-links"))).items,
  makeLink: (session: string, role: Role, ttlSeconds: number | null) =>
    answer<ShareLink>("POST", at(session, "share-links"), { role, ttl_seconds: ttlSeconds }),
  revoke: async (session: string, link: string): Promise<void> =>
    void (await call("DELETE", at(session, `share-links/${link}`))),
  guests: async (session: string) => (await answer<List<GuestInfo>>("GET", at(session, "guests"))).items,
  setRole: (session: string, guest: string, role: Role) =>
    answer<GuestInfo>("PATCH", at(session, `guests/${guest}`), { role }),
  remove: async (session: string, guest: string): Promise<void> =>
    void (await call("DELETE", at(session, `guests/${guest}`))),
};
