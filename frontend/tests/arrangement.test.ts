import { describe, expect, it } from "vitest";
import type { TerminalInfo } from "../src/api/types.js";
import {
  closable,
  EMPTY,
  namesOf,
  titleInFront,
  withCall,
  withInfo,
  withLayout,
  withOpened,
  withoutTerminal,
  withTerminals,
  withTitle,
  type Arrangement,
} from "../src/terminal/arrangement.js";
import { groups, single, terminals, type Layout } from "../src/terminal/layout.js";
import { insert, show, split } from "../src/terminal/layout-changes.js";
import { tabAction, type TabAction } from "../src/terminal/tab-keys.js";
import { arrangedBy, dropped, sent, stepped } from "../src/terminal/tab-moves.js";

function info(id: string, fields: Partial<TerminalInfo> = {}): TerminalInfo {
  return { id, machine: "main", name: id, is_named: true, is_main: id === "a", ...fields } as TerminalInfo;
}

const rows = (layout: Layout): string[] => groups(layout.root).map(({ tabs }) => tabs.join(""));
const three: Arrangement = withTerminals(EMPTY, [info("a"), info("b"), info("c")]);

describe("an arrangement", () => {
  it("takes new terminals behind the others and leaves what is in front", () => {
    const more = withTerminals(three, [info("a"), info("b"), info("c"), info("d")]);
    expect(rows(more.layout)).toEqual(["abcd"]);
    expect(more.layout.current).toBe("a");
  });

  it("opens one where the person wanted it, once, also when the server has told of it already", () => {
    const wanted = split(three.layout, "d", 1, "right");
    const opened = withOpened(three, info("d"), wanted);
    expect(rows(opened.layout)).toEqual(["abc", "d"]);
    const told = withTerminals(three, [...three.terminals, info("d")]);
    expect(withOpened(told, info("d"), split(told.layout, "d", 1, "right")).terminals).toHaveLength(4);
  });

  it("shows a new one even where its place has gone meanwhile", () => {
    const opened = withOpened(three, info("d"), insert(three.layout, "d", 99, Infinity));
    expect(terminals(opened.layout)).toEqual(["a", "b", "c", "d"]);
  });

  it("hears a bell until the terminal is looked at", () => {
    const rang = withCall(withCall(three, "b"), "c");
    const looked = withLayout(rang, show(rang.layout, "b"));
    expect([...looked.calls]).toEqual(["c"]);
    const same = withLayout(looked, show(looked.layout, "a"));
    expect(same.calls).toBe(looked.calls);
  });

  it("hears no more of one that is closed in front", () => {
    const left = withoutTerminal(withCall(three, "b"), "a");
    expect([left.layout.current, [...left.calls]]).toEqual(["b", []]);
    expect(left.terminals.map(({ id }) => id)).toEqual(["b", "c"]);
  });

  it("says what programs call themselves, cleaned, unless a person chose the name", () => {
    const named = withTerminals(EMPTY, [info("a", { is_named: false, name: "sh" }), info("b")]);
    const titled = withTitle(withTitle(named, "a", "vim\u202e x"), "b", "top");
    expect(namesOf(titled)).toEqual(new Map([["a", "vim x"], ["b", "b"]]));
    expect(titleInFront(titled)).toBe("vim x");
    expect(titleInFront(named)).toBe("");
  });

  it("takes other words of the server about one", () => {
    expect(namesOf(withInfo(three, info("b", { name: "logs" }))).get("b")).toBe("logs");
  });

  it("keeps what belongs to the session from being closed, and what is not there", () => {
    expect([closable(three, "a"), closable(three, "b"), closable(three, "x"), closable(three, null)]).toEqual([false, true, false, false]);
  });
});

describe("moving tabs", () => {
  const beside = split(single(["a", "b", "c"]), "c", 1, "right");

  it("drops among tabs and into splits", () => {
    expect(rows(dropped(beside, "c", { kind: "tab", group: 1, index: 0 }))).toEqual(["cab"]);
    expect(rows(dropped(beside, "b", { kind: "split", group: 1, side: "top" }))).toEqual(["b", "a", "c"]);
  });

  it("sends to the group on that side, else to a split of its own", () => {
    expect(rows(sent(beside, "a", "right"))).toEqual(["b", "ca"]);
    expect(rows(sent(beside, "a", "left"))).toEqual(["a", "b", "c"]);
    expect(sent(beside, "x", "left")).toBe(beside);
  });

  it("steps along the row and not beyond its ends", () => {
    expect(rows(stepped(beside, "a", 1))).toEqual(["ba", "c"]);
    expect(rows(stepped(beside, "b", -1))).toEqual(["ba", "c"]);
    expect(stepped(beside, "a", -1)).toBe(beside);
    expect(stepped(beside, "b", 1)).toBe(beside);
  });

  it("follows the keys of the page", () => {
    const here = show(beside, "a");
    expect(arrangedBy(here, "next-tab")?.current).toBe("b");
    expect(arrangedBy(here, "go-right")?.current).toBe("c");
    expect(arrangedBy(here, "maximise")?.maximised).toBe(true);
    // To where nothing is: handled, and nothing changes.
    expect(arrangedBy(here, "go-left")).toBe(here);
    expect(arrangedBy(here, "search")).toBeNull();
  });
});

describe("keys on a tab", () => {
  const on = (key: string, held = "", id = "b"): TabAction | null =>
    tabAction({ key, ctrlKey: held === "C", shiftKey: false, altKey: held === "A", metaKey: held === "M" }, ["a", "b", "c"], id);

  it.each([
    ["Delete", { kind: "close" }],
    ["F2", { kind: "rename" }],
    ["Enter", { kind: "enter" }],
    ["ArrowDown", { kind: "enter" }],
    ["ArrowLeft", { kind: "show", id: "a" }],
    ["ArrowRight", { kind: "show", id: "c" }],
    ["Home", { kind: "show", id: "a" }],
    ["End", { kind: "show", id: "c" }],
  ])("%s", (key, action) => expect(on(key)).toEqual(action));

  it("goes around the ends", () => {
    expect([on("ArrowLeft", "", "a"), on("ArrowRight", "", "c")]).toEqual([{ kind: "show", id: "c" }, { kind: "show", id: "a" }]);
  });

  it("moves the tab with Ctrl", () => {
    expect([on("ArrowLeft", "C"), on("ArrowRight", "C")]).toEqual([{ kind: "step", step: -1 }, { kind: "step", step: 1 }]);
  });

  it("leaves the rest to the browser", () => {
    expect([on("x"), on("Delete", "A"), on("ArrowLeft", "M"), on("ArrowUp")]).toEqual([null, null, null, null]);
  });
});
