import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { answer, api, ApiError, call, mayPass } from "../src/api/client.js";

describe("an answer of the server", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("that is cut off in its middle is told of like one that did not come", async () => {
    const cut = new ReadableStream({
      start(body) {
        body.enqueue(new TextEncoder().encode('{"id": "s", "sta'));
        body.error(new TypeError("network error"));
      },
    });
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(cut)));
    const failure = await answer("GET", "/sessions/s").catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApiError);
    expect((failure as ApiError).code).toBe("network");
  });
});

describe("a request whose answer does not come", () => {
  const answers = (...given: (Response | Error)[]): ReturnType<typeof vi.fn> => {
    const asked = vi.fn(() => {
      const next = given.shift() ?? new TypeError("Failed to fetch");
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    });
    vi.stubGlobal("fetch", asked);
    return asked;
  };
  const lost = new TypeError("Failed to fetch");
  /** What it came to, however long that takes. */
  const outcome = async (request: Promise<unknown>): Promise<unknown> => {
    const settled = request.catch((error: unknown) => error);
    await vi.runAllTimersAsync();
    return settled;
  };

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("document", { querySelector: () => null });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it("is sent again where that does no harm", async () => {
    const asked = answers(lost, lost, Response.json({ id: "s", state: "paused" }));
    expect(await outcome(api.pause("s"))).toEqual({ id: "s", state: "paused" });
    expect(asked).toHaveBeenCalledTimes(3);
  });

  it("is given up after a while", async () => {
    const asked = answers();
    expect(await outcome(api.session("s"))).toMatchObject({ status: 0, code: "network" });
    expect(asked).toHaveBeenCalledTimes(3);
  });

  it("is sent once where it would make a second thing", async () => {
    const asked = answers(lost, lost);
    expect(await outcome(api.openTerminal("s", {}))).toMatchObject({ status: 0, code: "network" });
    expect(await outcome(api.extend("s", 60))).toMatchObject({ status: 0, code: "network" });
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it("is not sent again when the server took too long", async () => {
    const asked = answers(new DOMException("timed out", "TimeoutError"), Response.json({}));
    expect(await outcome(api.session("s"))).toMatchObject({ status: 0, code: "network" });
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it("has deleted what is not there any more", async () => {
    const gone = (): Response => Response.json({ code: "terminal_unknown", detail: "gone" }, { status: 404 });
    answers(lost, gone());
    expect(await outcome(api.closeTerminal("s", "t"))).toBeUndefined();
    answers(gone());
    expect(await outcome(call("DELETE", "/sessions/s"))).toMatchObject({ status: 404, code: "terminal_unknown" });
  });
});

describe("a refusal", () => {
  it.each([0, 429, 500, 503])("with status %d may pass", (status) => expect(mayPass(status)).toBe(true));
  it.each([400, 401, 403, 404, 410, 416])("with status %d is for good", (status) => expect(mayPass(status)).toBe(false));
});
