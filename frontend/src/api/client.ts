import { backoff } from "../terminal/backoff.js";
import type { SessionStats } from "./stats.js";
import type { SessionInfo, TerminalInfo, TerminalOpening, TerminalProcess } from "./types.js";

/** What the API refused, in words for a person. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Whether the same request may be answered a moment later: the server is away (0: no answer at all), or has too much to do. */
export function mayPass(status: number): boolean {
  return status === 0 || status === 429 || status >= 500;
}

/** What a person is told of a refusal. Throws what is none: a defect of ours. */
export function refusalOf(error: unknown): string {
  if (!(error instanceof ApiError)) throw error;
  return error.message;
}

export const ROOT = "/api/v1";
const PATIENCE = 30_000;

/** Every page of a signed-in person has it in the form that signs out. */
export function csrfToken(): string {
  return document.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]")?.value ?? "";
}

/** What the server refused, from the body of its answer. */
export function problemOf(status: number, text: string): ApiError {
  const fallback = `The server answered ${status}.`;
  try {
    const body = JSON.parse(text) as { code?: unknown; detail?: unknown; title?: unknown };
    const words = [body.detail, body.title].find((part) => typeof part === "string" && part !== "");
    return new ApiError(status, typeof body.code === "string" ? body.code : "unknown", String(words ?? fallback));
  } catch {
    return new ApiError(status, "unknown", fallback);
  }
}

type Body = Readonly<Record<string, unknown>>;

interface Manner {
  /** What stands before the path. */
  readonly root?: string;
  /** Done twice it is as done once, so that it may be sent again when no answer came. */
  readonly repeatable?: boolean;
}

/** How often a request is sent: browsers give up what is on its way when the network of their host changes. */
const MOST_TRIES = 3;
const AGAIN_BASE = 500;

/** Raises ApiError with what the server refused, in its words. */
export async function call(method: string, path: string, body?: Body, manner: Manner = {}): Promise<Response> {
  const { root = ROOT, repeatable = method === "GET" || method === "DELETE" } = manner;
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const request: RequestInit = {
    method,
    headers,
    credentials: "same-origin",
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  const { response, sent } = await send(root + path, request, repeatable ? MOST_TRIES : 1);
  const gone = method === "DELETE" && sent > 1 && response.status === 404;
  if (!response.ok && !gone) throw problemOf(response.status, await response.text().catch(() => ""));
  return response;
}

/** The answer, and how often it was asked for. */
async function send(url: string, request: RequestInit, tries: number): Promise<{ response: Response; sent: number }> {
  for (let sent = 1; ; sent++) {
    try {
      return { response: await fetch(url, { ...request, signal: AbortSignal.timeout(PATIENCE) }), sent };
    } catch (error) {
      if (sent === tries || !(error instanceof TypeError))
        throw new ApiError(0, "network", `The server can’t be reached. Check your connection${tries > 1 ? "" : ", look whether it was done,"} and try again.`);
      await new Promise((resolve) => setTimeout(resolve, backoff(sent, Math.random, AGAIN_BASE)));
    }
  }
}

/** What the server answered. Raises ApiError where the line was cut before all of it had come. */
export async function bodyOf<T>(response: Response): Promise<T> {
  try {
    return (await response.json()) as T;
  } catch {
    throw new ApiError(0, "network", "The server’s answer was cut off. Look whether it was done before you try again.");
  }
}

export async function answer<T>(method: string, path: string, body?: Body, manner?: Manner): Promise<T> {
  return bodyOf<T>(await call(method, path, body, manner));
}

/** Asks for a state that a session may be in already. */
const reach = (path: string): Promise<SessionInfo> => answer<SessionInfo>("POST", path, undefined, { repeatable: true });

const at = (id: string): string => `/sessions/${encodeURIComponent(id)}`;

const terminalAt = (id: string, terminal: string): string => `${at(id)}/terminals/${encodeURIComponent(terminal)}`;

export const api = {
  session: (id: string) => answer<SessionInfo>("GET", at(id)),
  rename: (id: string, name: string) => answer<SessionInfo>("PATCH", at(id), { name }),
  extend: (id: string, ttlSeconds: number) =>
    answer<SessionInfo>("POST", `${at(id)}/extend`, { ttl_seconds: ttlSeconds }),
  pause: (id: string) => reach(`${at(id)}/pause`),
  resume: (id: string) => reach(`${at(id)}/resume`),
  stopRecording: (id: string) => reach(`${at(id)}/recordings/stop`),
  stats: (id: string) => answer<SessionStats>("GET", `${at(id)}/stats`),
  end: async (id: string): Promise<void> => void (await call("DELETE", at(id))),
  openTerminal: (id: string, opening: TerminalOpening) =>
    answer<TerminalInfo>("POST", `${at(id)}/terminals`, { ...opening }),
  renameTerminal: (id: string, terminal: string, name: string) =>
    answer<TerminalInfo>("PATCH", terminalAt(id, terminal), { name }),
  terminalProcess: (id: string, terminal: string) =>
    answer<TerminalProcess>("GET", `${terminalAt(id, terminal)}/process`),
  closeTerminal: async (id: string, terminal: string): Promise<void> =>
    void (await call("DELETE", terminalAt(id, terminal))),
};

/** The address of a socket on the server that this page came from. */
export function socketAddress(path: string): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
}
