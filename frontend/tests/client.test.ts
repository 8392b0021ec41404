import { afterEach, describe, expect, it, vi } from "vitest";
import { answer, ApiError, mayPass } from "../src/api/client.js";

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

describe("a refusal", () => {
  it.each([0, 429, 500, 503])("with status %d may pass", (status) => expect(mayPass(status)).toBe(true));
  it.each([400, 401, 403, 404, 410, 416])("with status %d is for good", (status) => expect(mayPass(status)).toBe(false));
});
