import { describe, expect, it } from "vitest";
import { add, evened, insert, maximise, reconcile, remove, resize, show, split, turn } from "../src/terminal/layout-changes.js";
import { TerminalList } from "../src/terminal/terminal-list.js";
import { dropZone, neighbour, place } from "../src/terminal/layout-geometry.js";
import { keepLayout, keptLayout, parseLayout } from "../src/terminal/layout-memory.js";
import {
  currentGroup,
  flattened,
  groupOf,
  groups,
  LEAST_SHARE,
  shown,
  single,
  terminals,
  type Layout,
  type LayoutNode,
  type Side,
} from "../src/terminal/layout.js";

const SIDES: readonly Side[] = ["left", "right", "top", "bottom"];

function checkNode(node: LayoutNode, ids: Set<number>, isRoot: boolean): void {
  expect(ids.has(node.id)).toBe(false);
  ids.add(node.id);
  if (node.kind === "group") {
    if (!isRoot) expect(node.tabs.length).toBeGreaterThan(0);
    expect(node.active === null ? node.tabs.length === 0 : node.tabs.includes(node.active)).toBe(true);
    return;
  }
  expect(node.parts.length).toBeGreaterThan(1);
  expect(node.sizes.length).toBe(node.parts.length);
  expect(node.sizes.reduce((sum, size) => sum + size, 0)).toBeCloseTo(1, 6);
  for (const size of node.sizes) expect(size).toBeGreaterThan(0);
  for (const part of node.parts) {
    if (part.kind === "split") expect(part.axis).not.toBe(node.axis);
    checkNode(part, ids, false);
  }
}

/** All that always holds. */
function check(layout: Layout, expected?: ReadonlySet<string>): void {
  checkNode(layout.root, new Set(), true);
  const all = terminals(layout);
  expect(new Set(all).size).toBe(all.length);
  if (expected !== undefined) expect(new Set(all)).toEqual(expected);
  if (all.length === 0) expect(layout.current).toBe(null);
  else expect(groupOf(layout, layout.current ?? "")?.active).toBe(layout.current);
  if (layout.maximised) expect(groups(layout.root).length).toBeGreaterThan(1);
  const placed = place(layout.root);
  const area = placed.groups.reduce((sum, { box }) => sum + box.width * box.height, 0);
  expect(area).toBeCloseTo(1, 6);
  expect(placed.borders.length).toBe(placed.groups.length - 1);
}

function rounded(layout: Layout | null): unknown {
  if (layout === null) return null;
  return place(layout.root).groups.map(({ group, box }) => [group.tabs, ...Object.values(box).map((n) => Number(n).toFixed(6))]);
}

/** Small, fast, and the same every time. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe("whatever is done to a layout", () => {
  it.each(Array.from({ length: 25 }, (_, seed) => seed))("keeps its promises (%i)", (seed) => {
    const pick = random(seed);
    const there = new Set(["a", "b"]);
    let layout = single([...there]);
    for (let step = 0; step < 80; step += 1) {
      const all = [...there];
      const one = all[pick(all.length)] ?? "nobody";
      const group = groups(layout.root)[pick(groups(layout.root).length)]?.id ?? 0;
      const fresh = `t${step}`;
      const before = layout;
      switch (pick(11)) {
        case 0:
          layout = add(layout, fresh);
          there.add(fresh);
          break;
        case 1:
          layout = split(layout, fresh, group, SIDES[pick(4)] ?? "left");
          there.add(fresh);
          break;
        case 2:
          layout = split(layout, one, group, SIDES[pick(4)] ?? "left");
          if (one === "nobody" && terminals(layout).includes(one)) there.add(one);
          break;
        case 3:
          layout = insert(layout, one, group, pick(5));
          if (one === "nobody" && terminals(layout).includes(one)) there.add(one);
          break;
        case 4:
        case 5:
          layout = remove(layout, one);
          there.delete(one);
          break;
        case 6:
          layout = resize(layout, pick(20), pick(3), pick(200) / 100 - 0.5);
          break;
        case 7:
          layout = maximise(layout, pick(2) === 0);
          break;
        case 8:
          layout = turn(layout, pick(2) === 0 ? 1 : -1);
          break;
        case 9:
          if (pick(4) === 0) there.delete(one);
          if (pick(2) === 0) there.add(fresh);
          layout = reconcile(layout, [...there]);
          break;
        default:
          layout = evened(layout);
      }
      check(layout, there);
      check(flattened(layout), there);
      check(before);
      const again = parseLayout(JSON.stringify(layout));
      if (there.size > 0) {
        expect(again).not.toBe(null);
        if (again !== null) check(again, there);
        expect(rounded(again)).toEqual(rounded(layout));
      }
    }
  });
});

describe("tabs", () => {
  it("come in front when they are added, and give way to the one beside them", () => {
    const layout = add(add(single(["a"]), "b"), "c");
    expect(layout.current).toBe("c");
    expect(remove(layout, "c").current).toBe("b");
    expect(remove(show(layout, "a"), "a").current).toBe("b");
    expect(remove(layout, "a").current).toBe("c");
  });

  it("can be put elsewhere in their row", () => {
    const layout = single(["a", "b", "c"]);
    expect(terminals(insert(layout, "a", 1, 2))).toEqual(["b", "a", "c"]);
    expect(terminals(insert(layout, "c", 1, 0))).toEqual(["c", "a", "b"]);
    expect(terminals(insert(layout, "b", 1, 1))).toEqual(["a", "b", "c"]);
    expect(terminals(insert(layout, "a", 1, Infinity))).toEqual(["b", "c", "a"]);
    expect(insert(layout, "a", 99, 0)).toBe(layout);
  });

  it("go round", () => {
    const layout = single(["a", "b", "c"]);
    expect(turn(layout, -1).current).toBe("c");
    expect(turn(turn(layout, -1), 1).current).toBe("a");
    expect(turn(single([]), 1)).toEqual(single([]));
  });
});

describe("splits", () => {
  it("nest, and lie flat along one axis", () => {
    const two = split(single(["a"]), "b", 1, "right");
    const three = split(two, "c", groupOf(two, "b")?.id ?? 0, "right");
    expect(three.root).toMatchObject({ axis: "row", sizes: [0.5, 0.25, 0.25] });
    const nested = split(three, "d", groupOf(three, "c")?.id ?? 0, "top");
    expect(nested.root).toMatchObject({ parts: [{ tabs: ["a"] }, { tabs: ["b"] }, { axis: "column", sizes: [0.5, 0.5] }] });
    expect(terminals(nested)).toEqual(["a", "b", "d", "c"]);
    check(nested);
  });

  it("go away with their last terminal", () => {
    const two = split(single(["a"]), "b", 1, "bottom");
    expect(remove(two, "a")).toMatchObject({ root: { kind: "group", tabs: ["b"] }, current: "b" });
    expect(remove(two, "b")).toMatchObject({ root: { kind: "group", tabs: ["a"] }, current: "a" });
    expect(terminals(remove(remove(two, "b"), "a"))).toEqual([]);
  });

  it("take a tab out of its group", () => {
    const layout = split(single(["a", "b"]), "b", 1, "left");
    expect(terminals(layout)).toEqual(["b", "a"]);
    expect(layout.current).toBe("b");
    expect(split(layout, "a", groupOf(layout, "a")?.id ?? 0, "left")).toMatchObject({ current: "a" });
    expect(groups(split(layout, "a", groupOf(layout, "b")?.id ?? 0, "bottom").root).length).toBe(2);
  });

  it("keep a least size", () => {
    const layout = split(single(["a"]), "b", 1, "right");
    const { id } = layout.root;
    expect(resize(layout, id, 0, 0).root).toMatchObject({ sizes: [LEAST_SHARE, 1 - LEAST_SHARE] });
    expect(resize(layout, id, 0, 7).root).toMatchObject({ sizes: [1 - LEAST_SHARE, expect.closeTo(LEAST_SHARE, 9)] });
    expect(resize(layout, id, 0, NaN)).toEqual(layout);
    expect(resize(layout, id, 1, 0.5)).toEqual(layout);
  });

  it("can be left for one of them, and come back", () => {
    const layout = maximise(split(single(["a"]), "b", 1, "right"), true);
    expect(groups(shown(layout)).map((group) => group.tabs)).toEqual([["b"]]);
    expect(groups(shown(maximise(layout, false))).length).toBe(2);
    expect(maximise(single(["a", "b"]), true).maximised).toBe(false);
    expect(remove(layout, "b").maximised).toBe(false);
  });

  it("have neighbours", () => {
    // a | b over c
    const row = split(single(["a"]), "b", 1, "right");
    const layout = split(row, "c", groupOf(row, "b")?.id ?? 0, "bottom");
    const from = (terminal: string, side: Side): string | null => neighbour(show(layout, terminal), side);
    expect([from("a", "right"), from("b", "left"), from("c", "left")]).toEqual(["b", "a", "a"]);
    expect([from("b", "bottom"), from("c", "top"), from("a", "top"), from("c", "right")]).toEqual(["c", "b", null, null]);
  });

  it("are dropped into at their edges", () => {
    expect([dropZone(0.1, 0.5), dropZone(0.9, 0.5), dropZone(0.5, 0.05), dropZone(0.5, 0.95)]).toEqual(SIDES);
    expect(dropZone(0.5, 0.5)).toBe("middle");
  });
});

describe("terminals that come and go elsewhere", () => {
  it("join the current group, behind its tabs", () => {
    const layout = split(single(["a"]), "b", 1, "right");
    const more = reconcile(layout, ["a", "b", "c"]);
    expect(groupOf(more, "c")?.tabs).toEqual(["b", "c"]);
    expect(more.current).toBe("b");
  });

  it("leave no hole", () => {
    const layout = split(single(["a"]), "b", 1, "right");
    expect(reconcile(layout, ["a"])).toMatchObject({ root: { kind: "group" }, current: "a" });
    expect(reconcile(layout, ["x", "y"])).toMatchObject({ root: { tabs: ["x", "y"] }, current: "x" });
    expect(terminals(reconcile(layout, []))).toEqual([]);
    expect(reconcile(layout, ["a", "b"])).toEqual(layout);
    expect(currentGroup(reconcile(single([]), ["n"])).active).toBe("n");
  });
});

describe("what was kept", () => {
  it.each([
    null,
    "",
    "nonsense",
    "7",
    "[]",
    "{}",
    '{"root": 7}',
    '{"root": {"kind": "group"}}',
    '{"root": {"kind": "group", "tabs": ["a", "a"]}}',
    '{"root": {"kind": "group", "tabs": []}}',
    '{"root": {"kind": "split", "axis": "row", "parts": [], "sizes": []}}',
    '{"root": {"kind": "split", "axis": "diagonal", "parts": [{"tabs": ["a"]}], "sizes": [1]}}',
    '{"root": {"kind": "split", "axis": "row", "parts": [{"tabs": ["a"]}, {"tabs": ["b"]}], "sizes": [1]}}',
    '{"root": {"kind": "split", "axis": "row", "parts": [{"tabs": ["a"]}, {"tabs": ["b"]}], "sizes": [0, 1]}}',
    '{"root": {"kind": "split", "axis": "row", "parts": [{"tabs": ["a"]}, {"tabs": ["b"]}], "sizes": [1e999, 1]}}',
  ])("is no layout: %s", (text) => {
    expect(parseLayout(text)).toBe(null);
  });

  it("is mended where it can be", () => {
    const text = JSON.stringify({
      root: {
        kind: "split",
        axis: "row",
        parts: [{ tabs: ["a", 7], active: "gone" }, { tabs: ["a"] }, { tabs: ["b"] }],
        sizes: [0.5, 0.5, 1],
      },
      current: "gone",
      maximised: "yes",
    });
    const layout = parseLayout(text);
    expect(layout).not.toBe(null);
    if (layout === null) return;
    check(layout, new Set(["a", "b"]));
    expect(layout).toMatchObject({ current: "a", maximised: false });
  });

  it("is not deeper than it can be drawn", () => {
    const nested = (depth: number): string =>
      `${'{"kind": "split", "axis": "row", "sizes": [1], "parts": ['.repeat(depth)}{"tabs": ["a"]}${"]}".repeat(depth)}`;
    expect(parseLayout(`{"root": ${nested(3)}}`)).not.toBe(null);
    expect(parseLayout(`{"root": ${nested(30)}}`)).toBe(null);
    expect(parseLayout(`{"root": ${nested(100_000)}}`)).toBe(null);
  });

  it("belongs to a session, and the oldest make room", () => {
    let kept: string | null = "garbage";
    for (let at = 0; at < 100; at += 1) kept = keepLayout(kept, `s${at}`, single([`t${at}`]), at);
    expect(keptLayout(kept, "s99")).toEqual(single(["t99"]));
    expect(keptLayout(kept, "s0")).toBe(null);
    expect(Object.keys(JSON.parse(kept ?? "{}") as object).length).toBe(40);
    expect(keptLayout(kept, "__proto__")).toBe(null);
  });
});

describe("lists that are older than what was done here", () => {
  const info = (id: string) => ({ id, name: id, is_named: false, is_main: false, machine: "main" });
  const ids = (list: TerminalList, there: readonly string[], now: number) => list.correct(there.map(info), now).map(({ id }) => id);

  it("take nothing away and bring nothing back", () => {
    const list = new TerminalList();
    list.opened(info("new"), 1000);
    list.closed("gone");
    expect(ids(list, ["a", "gone"], 1500)).toEqual(["a", "new"]);
    expect(ids(list, ["a", "new"], 1500)).toEqual(["a", "new"]);
    // Closed elsewhere, soon after.
    expect(ids(list, ["a"], 1600)).toEqual(["a"]);
    list.opened(info("lost"), 1000);
    expect(ids(list, ["a"], 9000)).toEqual(["a"]);
    list.opened(info("other"), 9000);
    list.closed("other");
    expect(ids(list, ["a", "other"], 9001)).toEqual(["a"]);
  });
});
