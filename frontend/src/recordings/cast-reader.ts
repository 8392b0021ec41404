/** A marker's label, by the number of its event. */
export type Marker = readonly [event: number, label: string];

const NEWLINE = 0x0a;
/** Bytes that say whether what was read is still there: more than the recorder's last line differs in. */
const TAIL = 64;

const NEWLINES = Uint8Array.of(NEWLINE);

/** What was read is no recording. */
export class NoRecording extends Error {
  override readonly name = "NoRecording";

  constructor() {
    super("This is no recording that can be played here.");
  }
}

/**
 * Reads asciicast v3 as it comes, in pieces that end anywhere. Only whole lines count: a reading that was cut goes on behind
 * the last of them. Events lie in columns, since there may be millions. Throws NoRecording.
 */
export class CastReader {
  cols = 80;
  rows = 24;
  /** Whether the first line has been read. */
  begun = false;
  /** When each event was, in milliseconds since the beginning. */
  readonly times: number[] = [];
  /** What each is: "o" output, "r" a size, "m" a marker, "x" the end. */
  readonly codes: string[] = [];
  readonly data: string[] = [];
  readonly markers: Marker[] = [];
  /** Of whole lines so far. */
  bytes = 0;
  /** The last of them. */
  tail: Uint8Array = new Uint8Array();
  /** Why nothing more follows; empty while something may. */
  end = "";
  #rest: Uint8Array[] = [];
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** The next bytes. */
  push(piece: Uint8Array): void {
    const last = piece.lastIndexOf(NEWLINE);
    if (last >= 0) {
      const whole = joined([...this.#rest, piece.subarray(0, last)]);
      this.#rest = [];
      this.bytes += whole.length + 1;
      this.tail = joined([this.tail, whole, NEWLINES]).slice(-TAIL);
      for (const line of this.#decoder.decode(whole).split("\n")) this.#line(line);
    }
    if (last + 1 < piece.length) this.#rest.push(piece.slice(last + 1));
  }

  /** The reading was cut: what comes next begins behind the last whole line. */
  forgetRest(): void {
    this.#rest = [];
  }

  #line(line: string): void {
    if (!this.begun) return this.#header(line);
    if (line.startsWith("[")) return this.#event(line);
    // The recorder says so behind each of its batches; what is more in it is its own matter.
    if (line.startsWith("# position ")) this.end = reasonIn(line.slice("# position ".length));
  }

  #header(line: string): void {
    const { version, term } = parsed(line) as { version?: unknown; term?: { cols?: unknown; rows?: unknown } };
    if (version !== 3 || typeof term?.cols !== "number" || typeof term.rows !== "number") throw new NoRecording();
    this.cols = term.cols;
    this.rows = term.rows;
    this.begun = true;
  }

  #event(line: string): void {
    const [interval, code, data] = parsed(line) as [unknown, unknown, unknown];
    if (typeof interval !== "number" || typeof code !== "string" || typeof data !== "string") throw new NoRecording();
    if (code === "m") this.markers.push([this.times.length, data]);
    this.times.push((this.times.at(-1) ?? 0) + Math.round(interval * 1000));
    this.codes.push(code);
    this.data.push(data);
  }
}

function reasonIn(values: string): string {
  const end = (parsed(values) as unknown[])[6];
  return typeof end === "string" ? end : "";
}

function parsed(text: string): object {
  try {
    return JSON.parse(text) as object;
  } catch {
    throw new NoRecording();
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
