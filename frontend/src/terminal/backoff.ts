const BASE_MS = 250;
const CAP_MS = 10_000;
/** Most cuts are over at once. */
const FIRST_MS = 100;

/** How long to wait before attempt `attempt` (from 1): full jitter, so that a class does not come back as one wave. */
export function backoff(attempt: number, random: () => number, base = BASE_MS): number {
  if (attempt <= 1 && base === BASE_MS) return random() * FIRST_MS;
  return random() * Math.min(CAP_MS, base * 2 ** Math.min(attempt, 16));
}
