import type { SessionStats } from "../api/stats.js";
import type { NetworkInfo } from "../api/types.js";
import { duration, percent, size } from "../ui/words.js";

export type Level = "calm" | "high" | "full";

/** One thing that a session uses, against what it may. */
export interface Meter {
  readonly key: "cpu" | "credit" | "memory" | "disk" | "pids" | "network";
  readonly name: string;
  /** A name that fits over the terminals; null: it is not shown there. */
  readonly short: string | null;
  /** "120 MiB of 512 MiB". */
  readonly words: string;
  /** 0 to 1; null: there is no limit. */
  readonly share: number | null;
  readonly level: Level;
  /** What limits it, for who wants to know. */
  readonly mechanism: string;
}

const HIGH = 0.8;
const FULL = 0.95;

/** All that a panel shows, from one reading. Pure. */
export function meters(stats: SessionStats): readonly Meter[] {
  const { cpu, credit, memory, disk, pids } = stats;
  const throttled = cpu.throttled ? ", slowed down until credit is earned back" : "";
  return [
    meter(
      { key: "cpu", name: "CPU", short: "CPU", mechanism: "The kernel’s scheduler gives the machine’s control group so much time in every 100 ms (cpu.max, in cgroup v1 cpu.cfs_quota_us)." },
      `${number(cpu.used_cores)} of ${cores(cpu.limit_cores)}${throttled}`,
      ratio(cpu.used_cores, cpu.limit_cores),
    ),
    ...(credit === null ? [] : [creditMeter(credit)]),
    meter(
      { key: "memory", name: "Memory", short: "Mem", mechanism: "Beyond it the kernel kills a process of the machine (memory.max, in cgroup v1 memory.limit_in_bytes). There is no swap." },
      `${size(memory.used_bytes)} of ${size(memory.limit_bytes)}`,
      ratio(memory.used_bytes, memory.limit_bytes),
    ),
    meter(
      { key: "disk", name: "Disk", short: "Disk", mechanism: "What you change lies in a layer of your own over the image's layers, which all machines share. The site measures it." },
      `${size(disk.used_bytes)} of ${size(disk.limit_bytes)}`,
      ratio(disk.used_bytes, disk.limit_bytes),
    ),
    meter(
      { key: "pids", name: "Processes", short: null, mechanism: "Processes and threads together; beyond it the kernel starts no more (pids.max)." },
      `${pids.used} of ${pids.limit}`,
      ratio(pids.used, pids.limit),
    ),
    networkMeter(stats.network),
  ];
}

type Kind = Pick<Meter, "key" | "name" | "short" | "mechanism">;

function meter(kind: Kind, words: string, share: number | null): Meter {
  const level = share === null || share < HIGH ? "calm" : share < FULL ? "high" : "full";
  // A CPU at its limit is at work, and nothing is about to end.
  return { ...kind, words, share, level: kind.key === "cpu" ? "calm" : level };
}

function creditMeter(credit: NonNullable<SessionStats["credit"]>): Meter {
  const spent = Math.max(0, credit.limit_seconds - credit.left_seconds);
  return meter(
    { key: "credit", name: "CPU credit spent", short: null, mechanism: "Work above the profile’s baseline spends credit, rest below it earns it back. When all of it is spent, the machine gets its baseline and no more." },
    `${minutes(spent)} of ${minutes(credit.limit_seconds)} min`,
    ratio(spent, credit.limit_seconds),
  );
}

function networkMeter(network: SessionStats["network"]): Meter {
  const kind: Kind = { key: "network", name: "Network", short: null, mechanism: "A network namespace of its own: what crosses its interfaces is counted." };
  const rate = `↓ ${size(network.received_bytes_per_second)}/s  ↑ ${size(network.sent_bytes_per_second)}/s`;
  if (network.limit_bytes === null) return meter(kind, `${size(network.used_bytes)} in all, ${rate}`, null);
  const words = `${size(network.used_bytes)} of ${size(network.limit_bytes)}, ${rate}`;
  return meter(kind, words, ratio(network.used_bytes, network.limit_bytes));
}

/** What may be reached from the session's machines. Pure. */
export function reach(network: NetworkInfo): string {
  switch (network.egress) {
    case "none":
      return "Nothing beyond this session can be reached from here.";
    case "internet":
      return "The internet can be reached from here.";
    case "allowlist":
      return `From here only ${network.allowed.join(", ")} can be reached.`;
  }
}

function ratio(used: number, limit: number): number {
  return limit > 0 ? Math.min(1, Math.max(0, used / limit)) : 0;
}

/** 0.256 -> "0.26 cores". */
function cores(count: number): string {
  return `${number(count)} ${count === 1 ? "core" : "cores"}`;
}

/** 150 -> "2.5". */
function minutes(seconds: number): string {
  return String(Number((seconds / 60).toFixed(1)));
}

/** At most two digits behind the point. */
function number(count: number): string {
  return String(Number(count.toFixed(2)));
}

/** "CPU 12 %" for who hears it. */
export function spoken(one: Meter): string {
  return one.share === null ? `${one.name}: ${one.words}` : `${one.name} ${percent(one.share)}: ${one.words}`;
}

/** What an ended session used, as terms and values. Pure. */
export function totals(stats: SessionStats): readonly (readonly [string, string])[] {
  if (stats.sampled_at === null) return [];
  return [
    ["CPU time", stats.cpu.seconds < 1 ? "under a second" : duration(stats.cpu.seconds)],
    ["Most memory", size(stats.memory.peak_bytes)],
    ["Most disk", size(stats.disk.peak_bytes)],
    ["Network", size(stats.network.used_bytes)],
  ];
}

/** Points of a line through the shares, the newest at the right end, in a box of 100 by 24. Pure. */
export function line(shares: readonly number[], most: number): string {
  const step = 100 / Math.max(1, most - 1);
  const start = 100 - step * (shares.length - 1);
  return shares.map((share, index) => `${(start + step * index).toFixed(1)},${(23 - 22 * share).toFixed(1)}`).join(" ");
}
