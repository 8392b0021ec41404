/** What the API answers; the server's `playground/sessions/public.py` is the other side. */

export type SessionState = "pending" | "starting" | "running" | "paused" | "stopping" | "ended";

export interface TerminalInfo {
  readonly id: string;
  readonly machine: string;
  readonly name: string;
  /** Somebody chose the name; else it is that of the command. */
  readonly is_named: boolean;
  readonly is_main: boolean;
}

export interface QueuePlace {
  /** 1 is next. */
  readonly position: number;
  /** Until it runs; null while the host is full. */
  readonly estimate_seconds: number | null;
}

/** What a new terminal is to be; what is left out is as usual. */
export interface TerminalOpening {
  readonly machine?: string;
  readonly cols?: number;
  readonly rows?: number;
}

/** What runs in a terminal, as its machine says. */
export interface TerminalProcess {
  /** A program in the foreground; null while the shell waits. */
  readonly command: string | null;
  readonly directory: string | null;
}

/** What the machines of a session reach beyond it. */
export interface NetworkInfo {
  readonly egress: "none" | "internet" | "allowlist";
  /** With the egress `allowlist`: host names and networks. */
  readonly allowed: readonly string[];
}

export interface SessionInfo {
  readonly id: string;
  readonly name: string;
  readonly state: SessionState;
  readonly reason: string | null;
  readonly message: string;
  /** While it waits for a machine to be made. */
  readonly queue: QueuePlace | null;
  readonly image: string;
  readonly profile: string;
  readonly network: NetworkInfo;
  readonly terminals: readonly TerminalInfo[];
  /** What its terminals show is recorded. */
  readonly is_recorded: boolean;
  /** Its profile wants it recorded: that can't be stopped. */
  readonly is_recording_required: boolean;
  /** When its owner stopped it. */
  readonly recording_stopped_at: string | null;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly expires_at: string | null;
  readonly ended_at: string | null;
  readonly exit_code: number | null;
}

export interface ImageInfo {
  readonly id: string;
  readonly title: string;
  readonly state: "absent" | "preparing" | "ready" | "failed";
  /** 0 to 1 while it is being prepared; null: unknown. */
  readonly progress: number | null;
  readonly message: string;
  readonly size_bytes: number | null;
}

export type SiteEvent =
  | {
      readonly type: "snapshot";
      /** Changes up to this one are in it. */
      readonly sequence: number;
      readonly sessions: readonly SessionInfo[];
      readonly images: readonly ImageInfo[];
    }
  | {
      readonly type: "session.changed" | "session.ended";
      readonly sequence: number;
      /** What happened, as in the session's history, and more about it. */
      readonly kind: string;
      readonly data: Readonly<Record<string, unknown>>;
      readonly session: SessionInfo;
    }
  | { readonly type: "image.changed"; readonly image: ImageInfo };

const SITE_EVENTS = new Set(["snapshot", "session.changed", "session.ended", "image.changed"]);

/** A message of the events socket; null for kinds that a newer server may add. */
export function siteEvent(text: string): SiteEvent | null {
  const value = JSON.parse(text) as { type?: unknown };
  if (typeof value.type !== "string" || !SITE_EVENTS.has(value.type)) return null;
  return value as SiteEvent;
}
