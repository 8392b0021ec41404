import { describe, expect, it } from "vitest";
import type { SessionStats } from "../src/api/stats.js";
import { line, meters, reach, spoken, totals, type Meter } from "../src/sessions/meters.js";

const MIB = 2 ** 20;

const IDLE: SessionStats = {
  sampled_at: "2026-11-23T09:30:00.000Z",
  live: true,
  cpu: { used_cores: 0.25, limit_cores: 1, burst_cores: 1, throttled: false, seconds: 75 },
  credit: null,
  memory: { used_bytes: 120 * MIB, limit_bytes: 512 * MIB, peak_bytes: 200 * MIB, oom_kills: 0 },
  pids: { used: 3, limit: 256 },
  disk: { used_bytes: 0, limit_bytes: 2048 * MIB, peak_bytes: 5 * MIB },
  io: { read_bytes: 0, written_bytes: 0, read_bytes_per_second: 0, written_bytes_per_second: 0 },
  network: {
    received_bytes: 1000,
    sent_bytes: 500,
    received_bytes_per_second: 0,
    sent_bytes_per_second: 0,
    used_bytes: 1500,
    limit_bytes: null,
  },
};

function one(stats: SessionStats, key: Meter["key"]): Meter {
  const found = meters(stats).find((meter) => meter.key === key);
  if (found === undefined) throw new Error(`no meter ${key}`);
  return found;
}

describe("meters", () => {
  it("say used and limit in words", () => {
    expect(one(IDLE, "cpu").words).toBe("0.25 of 1 core");
    expect(spoken(one(IDLE, "memory"))).toBe("Memory 23 %: 120 MiB of 512 MiB");
    expect(one(IDLE, "network").share).toBeNull();
  });

  it.each([
    [0.5, "calm"],
    [0.8, "high"],
    [0.94, "high"],
    [0.95, "full"],
    [2, "full"],
  ])("a disk that is %d full is %s", (share, level) => {
    const stats = { ...IDLE, disk: { ...IDLE.disk, used_bytes: share * IDLE.disk.limit_bytes } };
    expect(one(stats, "disk").level).toBe(level);
    expect(one(stats, "disk").share).toBeLessThanOrEqual(1);
  });

  it("say of CPU credit what the bar says: how much of it is spent", () => {
    const stats = { ...IDLE, credit: { left_seconds: 450, limit_seconds: 600 } };
    expect(one(stats, "credit")).toMatchObject({ name: "CPU credit spent", words: "2.5 of 10 min", share: 0.25 });
  });

  it("a limit of nothing divides by nothing", () => {
    expect(one({ ...IDLE, pids: { used: 3, limit: 0 } }, "pids").share).toBe(0);
  });

  it("a busy CPU is no warning, and a slowed one says so", () => {
    const busy = { ...IDLE, cpu: { ...IDLE.cpu, used_cores: 1, throttled: true }, credit: { left_seconds: 0, limit_seconds: 60 } };
    expect(one(busy, "cpu").level).toBe("calm");
    expect(one(busy, "cpu").words).toContain("slowed down");
    expect(one(busy, "credit").words).toBe("1 of 1 min");
    expect(one(busy, "credit").level).toBe("full");
  });
});

describe("what an ended session used", () => {
  it("is in words", () =>
    expect(totals(IDLE)).toEqual([
      ["CPU time", "1 minute 15 seconds"],
      ["Most memory", "200 MiB"],
      ["Most disk", "5 MiB"],
      ["Network", "1.5 KiB"],
    ]));
  it("is not told where nobody looked", () => expect(totals({ ...IDLE, sampled_at: null })).toEqual([]));
});

describe("what is reached", () => {
  it.each([
    [{ egress: "none", allowed: [] }, "Nothing beyond"],
    [{ egress: "internet", allowed: [] }, "The internet"],
    [{ egress: "allowlist", allowed: ["a.example", "198.51.100.0/24"] }, "only a.example, 198.51.100.0/24 can be reached."],
  ] as const)("%o is said in words", (network, words) => expect(reach(network)).toContain(words));
});

describe("the line through the last readings", () => {
  it("ends at the right", () => expect(line([0, 1], 3)).toBe("50.0,23.0 100.0,1.0"));
});
