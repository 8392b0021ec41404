import type { CastReader } from "./cast-reader.js";
import { Timeline } from "./timeline.js";

/** What the player hears of its driver. */
export type Dispatch = (event: string, data?: unknown) => void;

export interface DriverOptions {
  /** Longer pauses are cut to it; milliseconds. */
  readonly longest: number;
  readonly speed: number;
  /** How long it plays in all, as far as that is known before all of it is there; milliseconds. */
  readonly total: number;
}

/** Milliseconds of output that are drawn together. */
const TOGETHER = 16;
/** Characters that are given to the terminal at once; between two such pieces the page can draw and hear. */
const AT_ONCE = 1 << 20;
/** Milliseconds without anything to show, before that is said. */
const PATIENCE = 700;

type Where = number | string | { readonly marker: number | "prev" | "next" };

/**
 * Plays what a reader has so far while it gets more: a driver of asciinema-player, whose own ones want the whole recording before
 * they begin, or can't seek. Moves to what is not there yet wait for it. Times are milliseconds on the timeline, unless the
 * player asks or is told: its are seconds.
 */
export class CastDriver {
  readonly #reader: CastReader;
  readonly #dispatch: Dispatch;
  readonly #began: Promise<void>;
  #begin: () => void = () => undefined;
  #refuse: (error: Error) => void = () => undefined;
  #timeline: Timeline;
  #options: DriverOptions;
  /** How many events the screen has seen. */
  #shown = 0;
  #playing = false;
  /** The clock: it stood at `#moment` when the browser's said `#since`; null: it stands there still. */
  #moment = 0;
  #since: number | null = null;
  /** A move whose end is not there yet. */
  #target: number | null = null;
  /** All that can be had is there, and nothing more will come. */
  #whole = false;
  /** All that can be had now is there. */
  #caughtUp = false;
  #loading = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;
  /** Which move is the latest; earlier ones stop. */
  #move = 0;
  #told = "";

  constructor(reader: CastReader, dispatch: Dispatch, options: DriverOptions) {
    this.#reader = reader;
    this.#dispatch = dispatch;
    this.#options = options;
    this.#timeline = new Timeline(reader.times, options.longest);
    this.#began = new Promise((resolve, reject) => {
      this.#begin = resolve;
      this.#refuse = reject;
    });
    void this.#began.catch(() => undefined);
  }

  // What the source says.

  /** The reader has more. */
  more(): void {
    this.#timeline.extend();
    this.#caughtUp = false;
    if (!this.#reader.begun) return;
    if (this.#told === "") {
      this.#reset();
      this.#tellTime();
      this.#begin();
    }
    this.#tellLength();
    this.#goOn();
  }

  caughtUp(): void {
    this.#caughtUp = true;
    this.#whole = this.#reader.end !== "";
    this.#goOn();
  }

  /** Nothing more will come. */
  finish(): void {
    this.#caughtUp = true;
    this.#whole = true;
    this.#tellLength();
    this.#goOn();
  }

  fail(error: Error): void {
    this.stop();
    this.#refuse(error);
    this.#dispatch("error", { name: error.name, message: error.message });
  }

  // What the page wants.

  set speed(speed: number) {
    this.#setClock(this.#now());
    this.#options = { ...this.#options, speed };
    this.#tellTime();
    this.#schedule();
  }

  /** Other pauses: the same moment, which is elsewhere on the new timeline. */
  cut(longest: number, total: number): void {
    const before = this.#timeline;
    const now = this.#target ?? this.#now();
    this.#options = { ...this.#options, longest, total };
    this.#timeline = new Timeline(this.#reader.times, longest);
    const moment = before.translated(now, this.#timeline);
    if (this.#target === null) this.#setClock(moment);
    else this.#target = moment;
    this.#tellLength();
    this.#tellTime();
    this.#schedule();
    this.#goOn();
  }

  // What the player asks.

  readonly init = (): Promise<void> => this.#began;

  readonly play = (): boolean => {
    const over = this.#whole && this.#target === null && this.#shown >= this.#timeline.at.length;
    this.#playing = true;
    this.#dispatch("play");
    if (over) this.#goTo(0);
    else this.#start();
    return true;
  };

  readonly pause = (): boolean => {
    this.#playing = false;
    this.#setClock(this.#now(), false);
    clearTimeout(this.#timer);
    if (this.#target === null) this.#foundIt();
    this.#dispatch("pause");
    this.#tellTime();
    return true;
  };

  readonly seek = (where: Where): boolean => {
    this.#goTo(Math.min(Math.max(this.#momentOf(where), 0), this.#total()));
    return true;
  };

  /** To the next output, or the one before. */
  readonly step = (n = 1): void => {
    if (this.#playing) return;
    const { codes } = this.#reader;
    let event = n > 0 ? this.#shown : this.#shown - 2;
    while (event >= 0 && event < codes.length && codes[event] !== "o") event += Math.sign(n);
    if (event < 0 || event >= codes.length) return;
    this.#setClock(this.#timeline.at[event] ?? 0, false);
    void this.#show(event + 1, ++this.#move);
    this.#tellTime();
  };

  readonly stop = (): void => {
    this.#move++;
    this.#playing = false;
    this.#setClock(this.#now(), false);
    clearTimeout(this.#timer);
    clearTimeout(this.#patience);
  };

  readonly getDuration = (): number | undefined => (this.#reader.begun ? this.#total() / 1000 : undefined);

  readonly getTiming = (): { time: number; rate: number; sampledAt: number } => ({
    time: (this.#target ?? this.#now()) / 1000,
    rate: this.#since === null ? 0 : this.#options.speed,
    sampledAt: performance.timeOrigin + performance.now(),
  });

  #now(): number {
    if (this.#since === null) return this.#moment;
    return this.#moment + (performance.now() - this.#since) * this.#options.speed;
  }

  #setClock(moment: number, runs = this.#since !== null): void {
    this.#moment = moment;
    this.#since = runs ? performance.now() : null;
  }

  #total(): number {
    return this.#whole ? this.#timeline.last : Math.max(this.#options.total, this.#timeline.last);
  }

  #momentOf(where: Where): number {
    const now = this.#target ?? this.#now();
    if (typeof where === "number") return where * 1000;
    if (typeof where !== "string") return this.#momentOfMarker(where.marker, now);
    const step = { "<<": -5000, ">>": 5000, "<<<": -0.1 * this.#total(), ">>>": 0.1 * this.#total() }[where];
    return step === undefined ? (Number.parseFloat(where) / 100) * this.#total() : now + step;
  }

  #momentOfMarker(which: number | "prev" | "next", now: number): number {
    const moments = this.#reader.markers.map(([event]) => this.#timeline.at[event] ?? 0);
    if (which === "next") return moments.find((moment) => moment > now) ?? this.#total();
    if (which === "prev") return moments.filter((moment) => moment < now - (this.#playing ? 1000 : 0)).at(-1) ?? 0;
    return moments[which] ?? now;
  }

  #goTo(moment: number): void {
    const move = ++this.#move;
    clearTimeout(this.#timer);
    this.#setClock(moment, false);
    if (moment > this.#timeline.last && !this.#whole) {
      this.#target = moment;
      this.#awaitMore();
      this.#tellTime();
      return;
    }
    this.#target = null;
    this.#tellTime();
    void this.#arrive(moment, move);
  }

  async #arrive(moment: number, move: number): Promise<void> {
    if (!(await this.#show(this.#timeline.playedAt(moment), move))) return;
    this.#foundIt();
    this.#dispatch("seeked");
    if (this.#playing) this.#start();
  }

  /** Brings the screen to where it has seen so many events. False: another move came between. */
  async #show(events: number, move: number): Promise<boolean> {
    if (events < this.#shown) this.#reset();
    while (this.#shown < events) {
      this.#give(events);
      if (this.#shown < events) {
        await new Promise((resolve) => setTimeout(resolve));
        if (move !== this.#move) return false;
      }
    }
    return true;
  }

  /** Shows events up to that one, as many as may be shown at once. */
  #give(until: number): void {
    const { codes, data } = this.#reader;
    let output: string[] = [];
    const flush = (): void => {
      if (output.length > 0) this.#dispatch("output", output);
      output = [];
    };
    for (let size = 0; this.#shown < until && size < AT_ONCE; this.#shown++) {
      const code = codes[this.#shown] ?? "";
      const text = data[this.#shown] ?? "";
      if (code === "o") {
        output.push(text);
        size += text.length;
      } else if (code === "r") {
        flush();
        const [cols, rows] = text.split("x").map(Number);
        this.#dispatch("resize", { cols, rows });
      }
    }
    flush();
  }

  #reset(): void {
    this.#shown = 0;
    this.#dispatch("reset", { size: { cols: this.#reader.cols, rows: this.#reader.rows }, init: "", theme: null });
  }

  #start(): void {
    if (this.#target !== null) return this.#awaitMore();
    this.#setClock(this.#now(), true);
    this.#dispatch("playing");
    this.#tellTime();
    this.#schedule();
  }

  /** Plays the next events when it is time, or says that there are none. */
  #schedule(): void {
    clearTimeout(this.#timer);
    if (!this.#playing || this.#since === null) return;
    const next = this.#timeline.at[this.#shown];
    if (next !== undefined) {
      this.#timer = setTimeout(() => this.#run(), Math.max(0, (next - this.#now()) / this.#options.speed));
      return;
    }
    this.#setClock(this.#timeline.last, false);
    this.#tellTime();
    if (this.#whole) {
      this.#playing = false;
      this.#dispatch("ended");
    } else this.#awaitMore();
  }

  #run(): void {
    this.#give(this.#timeline.playedAt(this.#now() + TOGETHER));
    this.#schedule();
  }

  /** More has come, or nothing will: whatever waited for it goes on. */
  #goOn(): void {
    if (this.#target !== null) {
      if (this.#target <= this.#timeline.last || this.#whole) this.#goTo(Math.min(this.#target, this.#total()));
    } else if (this.#playing && this.#since === null && this.#told !== "") {
      if (this.#shown === this.#timeline.at.length && !this.#whole) return;
      this.#foundIt();
      this.#start();
    }
  }

  /** After a while, says that something is being fetched; not where a recording that grows has nothing new. */
  #awaitMore(): void {
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => {
      if (this.#caughtUp && this.#target === null) return;
      this.#loading = true;
      this.#dispatch("loading");
    }, PATIENCE);
  }

  #foundIt(): void {
    clearTimeout(this.#patience);
    // "play" takes the sign away and starts nothing.
    if (this.#loading) this.#dispatch("play");
    this.#loading = false;
  }

  #tellTime(): void {
    this.#dispatch("timing", this.getTiming());
  }

  /** How long it is, and where its markers are; only when that has changed. */
  #tellLength(): void {
    const { markers } = this.#reader;
    const told = `${this.#total()} ${markers.length} ${this.#options.longest}`;
    if (told === this.#told) return;
    this.#told = told;
    const places = markers.map(([event, label]) => [(this.#timeline.at[event] ?? 0) / 1000, label]);
    this.#dispatch("metadata", { duration: this.#total() / 1000, markers: places });
  }
}
