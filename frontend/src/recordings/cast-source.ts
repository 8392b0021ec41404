import { ApiError, mayPass, problemOf } from "../api/client.js";
import { NoRecording, type CastReader } from "./cast-reader.js";

/** Milliseconds between two looks whether a recording has grown. */
const LOOK_EVERY = 2000;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;
/** An answer that stands still for so long is given up, and asked for again. */
const STILL = 30_000;

/** What has been read is not there any more: where recording was stopped, its last moment may be taken back. */
export class TakenBack extends Error {
  override readonly name = "TakenBack";
}

export interface SourceListener {
  /** The reader has more. */
  more(): void;
  /** All that there was is read. */
  caughtUp(): void;
  /** Whether anybody looks: for nobody, nothing is asked again. */
  isWatched(): boolean;
}

/**
 * Fills a reader from an address, in one go where nothing comes between. What was cut goes on at the byte, as often as it takes;
 * what still grows is looked at again and again. Returns when nothing more can come; throws NoRecording, TakenBack, and ApiError for
 * what the server refuses.
 */
export async function fill(reader: CastReader, url: string, grows: boolean, listener: SourceListener, signal: AbortSignal): Promise<void> {
  let pause = FIRST_PAUSE;
  while (!signal.aborted) {
    let whole = false;
    const before = reader.bytes;
    try {
      await readOn(reader, url, listener, signal);
      whole = true;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError || error instanceof NoRecording || error instanceof TakenBack) throw error;
      reader.forgetRest();
    }
    if (whole) listener.caughtUp();
    if (reader.end !== "" || (whole && !grows)) return;
    pause = whole || reader.bytes > before ? FIRST_PAUSE : Math.min(pause * 2, LONGEST_PAUSE);
    await waited(whole ? LOOK_EVERY : pause, signal);
    while (whole && !listener.isWatched() && !signal.aborted) await waited(LOOK_EVERY, signal);
  }
}

/** One answer, from where the reader is. Throws ApiError for a refusal, anything else for a line that was cut. */
async function readOn(reader: CastReader, url: string, listener: SourceListener, signal: AbortSignal): Promise<void> {
  const attempt = new AbortController();
  const giveUp = (): void => attempt.abort();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const alive = (): void => {
    clearTimeout(timer);
    timer = setTimeout(giveUp, STILL);
  };
  signal.addEventListener("abort", giveUp);
  alive();
  try {
    // With the last that is there: to see that it still is, and because a range that is empty would be refused.
    const before = reader.tail;
    const begin = reader.bytes - before.length;
    const response = await fetch(url, {
      credentials: "same-origin",
      cache: "no-store",
      signal: attempt.signal,
      ...(before.length > 0 ? { headers: { Range: `bytes=${begin}-` } } : {}),
    });
    if (response.status === 416) throw new TakenBack();
    if (mayPass(response.status)) throw new TypeError(`The server answered ${response.status}.`);
    if (!response.ok || response.body === null) throw problemOf(response.status, await response.text());
    // A proxy may answer with the whole.
    let at = response.status === 206 ? begin : 0;
    const body = response.body.getReader();
    for (let piece = await body.read(); !piece.done; piece = await body.read()) {
      alive();
      const known = piece.value.subarray(0, Math.max(0, begin + before.length - at));
      if (known.some((byte, index) => at + index >= begin && byte !== before[at + index - begin])) throw new TakenBack();
      at += piece.value.length;
      if (known.length === piece.value.length) continue;
      reader.push(piece.value.subarray(known.length));
      listener.more();
    }
    if (at < begin + before.length) throw new TakenBack();
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
  }
}

function waited(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
