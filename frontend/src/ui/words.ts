/** Numbers and states in words. Pure. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes, in the units of limits: 1_610_612_736 -> "1.5 GiB". `playground/words.py` says the same. */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // What would be rounded to 1024 of a unit is 1 of the next.
  while (value >= 1023.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = value >= 100 || unit === 0 ? String(Math.round(value)) : value.toFixed(1).replace(/\.0$/, "");
  return `${digits} ${UNITS[unit] ?? ""}`;
}

/** 2467 -> "41:07"; 7501 -> "2:05:01". Never negative. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 60) % 60, whole % 60].map((part) => String(part).padStart(2, "0"));
  const hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${parts.join(":")}` : `${Number(parts[0])}:${parts[1] ?? ""}`;
}

/** 75 -> "1 minute 15 seconds"; at most two units. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const units: [number, string][] = [
    [Math.floor(whole / 3600), "hour"],
    [Math.floor(whole / 60) % 60, "minute"],
    [whole % 60, "second"],
  ];
  const named = units.filter(([count]) => count > 0).slice(0, 2);
  if (named.length === 0) return "0 seconds";
  return named.map(([count, unit]) => `${count} ${unit}${count === 1 ? "" : "s"}`).join(" ");
}

export function percent(progress: number): string {
  return `${Math.floor(Math.min(1, Math.max(0, progress)) * 100)} %`;
}

/** 3 -> "3rd". */
export function ordinal(number: number): string {
  const tens = number % 100;
  const ending = tens >= 11 && tens <= 13 ? "th" : (["th", "st", "nd", "rd"][number % 10] ?? "th");
  return `${number}${ending}`;
}

/** "27 Nov 2026, 10:06": an instant of the server on this browser's clock, in its language. */
export function moment(instant: string): string {
  return new Date(instant).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}
