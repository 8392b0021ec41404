import type { World } from "./connection.js";

/** The real outside. */
export const browserWorld: World = {
  connect: (url, protocol) => new WebSocket(url, protocol),
  setTimeout: (call, milliseconds) => window.setTimeout(call, milliseconds),
  clearTimeout: (timer) => window.clearTimeout(timer),
  random: () => Math.random(),
  hidden: () => document.hidden,
  clientId: () => {
    const [high = 0, low = 1] = crypto.getRandomValues(new Uint32Array(2));
    return ((BigInt(high) << 32n) | BigInt(low) | 1n).toString();
  },
};
