/** What a session's owner is warned of: its end, or a limit that is nearly reached. Pure. */

export interface Warning {
  /** `expired` and `idle` are ends that the clock brings; others are limits, e.g. `network` or `disk main`. */
  readonly about: string;
  /** When it ends; null: nobody can say. */
  readonly at: string | null;
  /** What a person reads where no clock counts down. */
  readonly message: string;
}

type Told = Readonly<Record<string, unknown>>;

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The warnings that stand after a terminal's notice. The same one may come from several terminals and by the events. */
export function heard(warnings: readonly Warning[], told: Told): readonly Warning[] {
  const limit = `${text(told["subject"])} ${text(told["machine"])}`.trim();
  const about = text(told["reason"]) || limit || "limit";
  const others = warnings.filter((warning) => warning.about !== about);
  switch (told["type"]) {
    case "expiring":
    case "warning": {
      const warning = { about, at: text(told["at"]) || null, message: text(told["message"]) };
      const same = warnings.find((other) => other.about === about && other.at === warning.at && other.message === warning.message);
      return same === undefined ? [...others, warning] : warnings;
    }
    case "kept":
      return others;
    case "paused":
      // Its idle clock has stopped.
      return warnings.filter((warning) => warning.about !== "idle");
    default:
      return warnings;
  }
}

/** Without those that the session's present end has made untrue. */
export function stillTrue(warnings: readonly Warning[], expiresAt: string | null): readonly Warning[] {
  const left = warnings.filter((warning) => warning.about !== "expired" || warning.at === expiresAt);
  return left.length === warnings.length ? warnings : left;
}
