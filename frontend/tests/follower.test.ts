import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ImageInfo, SessionInfo } from "../src/api/types.js";
import { SessionFollower } from "../src/sessions/follower.js";

const session = (state: string): SessionInfo => ({ id: "s", state }) as SessionInfo;

/** The events socket of the page that is open. */
class Events {
  static last: Events;
  onmessage: ((message: { data: string }) => void) | null = null;

  constructor() {
    Events.last = this;
  }

  tell(event: object): void {
    this.onmessage?.({ data: JSON.stringify(event) });
  }
}

describe("a session's page", () => {
  const seen: string[] = [];
  const answers: ((session: SessionInfo) => void)[] = [];

  beforeEach(() => {
    vi.useFakeTimers();
    seen.length = answers.length = 0;
    vi.stubGlobal("WebSocket", Events);
    vi.stubGlobal("location", { protocol: "http:", host: "host" });
    vi.stubGlobal("addEventListener", () => undefined);
    vi.stubGlobal("document", { addEventListener: () => undefined });
    vi.stubGlobal("fetch", () => new Promise((resolve) => answers.push((told) => resolve(Response.json(told)))));
    const changed = (now: SessionInfo): void => void seen.push(now.state);
    new SessionFollower(session("running"), { id: "i" } as ImageInfo, changed, () => undefined).start();
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("asks while it hears nothing", async () => {
    await vi.advanceTimersByTimeAsync(2000);
    answers[0]?.(session("paused"));
    await vi.advanceTimersByTimeAsync(0);
    expect(seen).toEqual(["paused"]);
  });

  it("does not go back to what was asked before something was heard", async () => {
    await vi.advanceTimersByTimeAsync(2000);
    Events.last.tell({ type: "session.changed", sequence: 1, kind: "paused", data: {}, session: session("paused") });
    answers[0]?.(session("running"));
    await vi.advanceTimersByTimeAsync(0);
    expect(seen).toEqual(["paused"]);
  });
});
