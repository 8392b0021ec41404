import { expect, it } from "vitest";
import { browserWorld } from "../src/terminal/browser-world.js";

it("gives clients numbers that fit into a u64 and are not nought", () => {
  const ids = new Set(Array.from({ length: 200 }, () => browserWorld.clientId()));
  expect(ids.size).toBe(200);
  for (const id of ids) {
    expect(id).toMatch(/^\d+$/);
    expect(BigInt(id) > 0n && BigInt(id) < 1n << 64n).toBe(true);
  }
});
