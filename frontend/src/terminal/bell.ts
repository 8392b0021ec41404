import type { TerminalSettings } from "./settings.js";

/** Milliseconds between two bells: a program that rings in a loop is heard as one. */
const QUIET = 400;
const LENGTH = 0.12;

let last = -Infinity;
let context: AudioContext | null = null;

/** Whether enough time has passed since the last bell that counted. */
export function bellIsDue(now: number): boolean {
  if (now - last < QUIET) return false;
  last = now;
  return true;
}

/** A short, soft tone. Browsers allow none before the person has clicked or typed on the page. */
function playBell(): void {
  context ??= new AudioContext();
  const tone = context.createOscillator();
  const loudness = context.createGain();
  const now = context.currentTime;
  tone.frequency.value = 660;
  loudness.gain.setValueAtTime(0.12, now);
  loudness.gain.exponentialRampToValueAtTime(0.001, now + LENGTH);
  tone.connect(loudness).connect(context.destination);
  tone.start(now);
  tone.stop(now + LENGTH);
}

/** Rings as the settings say, on `pane`; not when it has just done so: answers whether it did. */
export function ring(pane: HTMLElement, { bellFlash, bellSound }: TerminalSettings): boolean {
  if (!bellIsDue(performance.now())) return false;
  if (bellSound) playBell();
  if (bellFlash) {
    pane.classList.remove("rings");
    requestAnimationFrame(() => pane.classList.add("rings"));
  }
  return true;
}
