import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Terminal } from "@xterm/headless";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { bellIsDue } from "../src/terminal/bell.js";
import { pageKey } from "../src/terminal/keys.js";
import { cleanTitle, labels } from "../src/terminal/labels.js";
import { judgeLink, shownTarget } from "../src/terminal/links.js";
import { inspectPaste, oneLine, preview } from "../src/terminal/paste.js";
import { countWords } from "../src/terminal/sentences.js";
import { drawnSize, fontSize, parseSettings, THEMES, USUAL } from "../src/terminal/settings.js";
import { NO_MODIFIERS, pressed, touchKey, TOUCH_KEYS, typedWith, used, type Modifiers } from "../src/terminal/touch-keys.js";
import { destination, MOST_BYTES, MOST_FILES, planUpload, progressOf } from "../src/terminal/upload-plan.js";

describe("keys of the page", () => {
  const press = (key: string, held: string): string | null =>
    pageKey(
      { key, ctrlKey: held.includes("C"), shiftKey: held.includes("S"), altKey: held.includes("A"), metaKey: held.includes("M") },
      false,
    );

  it.each([
    ["Enter", "CS", "new"],
    ["E", "CS", "split-right"],
    ["O", "CS", "split-bottom"],
    ["X", "CS", "maximise"],
    ["K", "CS", "clear"],
    ["PageDown", "CS", "next-tab"],
    ["ArrowLeft", "AS", "go-left"],
    ["+", "C", "larger"],
    ["+", "CS", "larger"],
    ["=", "C", "larger"],
    ["-", "C", "smaller"],
    ["0", "C", "usual-size"],
    [",", "C", "settings"],
  ])("%s with %s", (key, held, meaning) => expect(press(key, held)).toBe(meaning));

  it.each([
    ["_", "CS"],
    ["Enter", "C"],
    ["ArrowLeft", "CS"],
    ["ArrowLeft", "A"],
    ["ArrowLeft", "CAS"],
    ["e", "C"],
    ["x", "C"],
    ["k", "C"],
    ["o", "C"],
    ["b", "A"],
    ["B", "AS"],
    ["PageDown", "S"],
    ["+", "CM"],
    ["@", "CA"],
  ])("%s with %s is the shell's", (key, held) => expect(press(key, held)).toBe(null));
});

describe("keys of a phone", () => {
  const held = (ctrl: Modifiers["ctrl"], alt: Modifiers["alt"] = "off"): Modifiers => ({ ctrl, alt });
  const key = (name: string, modifiers = NO_MODIFIERS, application = false): string => {
    const found = TOUCH_KEYS.find((each) => each.name === name);
    if (found === undefined) throw new Error(name);
    return touchKey(found, modifiers, application);
  };

  it("send what a keyboard sends", () => {
    expect([key("Up"), key("Up", NO_MODIFIERS, true), key("Home key"), key("PgUp, page up"), key("Esc"), key("Tab")]).toEqual([
      "\x1b[A",
      "\x1bOA",
      "\x1b[H",
      "\x1b[5~",
      "\x1b",
      "\t",
    ]);
    expect([key("Left", held("once")), key("Left", held("off", "locked"), true), key("PgDn, page down", held("once", "once"))]).toEqual([
      "\x1b[1;5D",
      "\x1b[1;3D",
      "\x1b[6;7~",
    ]);
    expect(key("Slash", held("once"))).toBe("/");
  });

  it("hold Ctrl and Alt for what is typed next", () => {
    expect([typedWith("c", held("once")), typedWith("b", held("off", "once")), typedWith("c", held("locked", "once"))]).toEqual([
      "\x03",
      "\x1bb",
      "\x1b\x03",
    ]);
    expect(typedWith("hello", held("once", "once"))).toBe("hello");
    expect(typedWith("é", held("off", "once"))).toBe("\x1bé");
    expect(used(held("once", "locked"))).toEqual(held("off", "locked"));
    expect(pressed(pressed(pressed("off")))).toBe("off");
  });
});

describe("names on the tabs", () => {
  const terminal = (id: string, name: string, is_named = false, machine = "main") => ({ id, name, is_named, machine, is_main: false });
  const told = (...all: ReturnType<typeof terminal>[]) => (titles: [string, string][]) => [...labels(all, new Map(titles)).values()];

  it("are chosen, or the program's, or the command's", () => {
    expect(told(terminal("a", "bash"), terminal("b", "logs", true))([["a", "vim x"], ["b", "tail"]])).toEqual(["vim x", "logs"]);
    expect(told(terminal("a", "bash"))([["a", ""]])).toEqual(["bash"]);
  });

  it("are told apart", () => {
    expect(told(terminal("a", "bash"), terminal("b", "bash"), terminal("c", "bash"))([])).toEqual(["bash", "bash 2", "bash 3"]);
    expect(told(terminal("a", "bash"), terminal("b", "bash", false, "db"))([])).toEqual(["main: bash", "db: bash"]);
  });

  it("hold nothing unseen", () => {
    expect(cleanTitle(" a\x1b[1m\u202eb\nc\u2066 ")).toBe("a[1mbc");
    expect([...cleanTitle("😀".repeat(500))].length).toBe(80);
    expect(cleanTitle("日本 é")).toBe("日本 é");
  });
});

describe("what is pasted", () => {
  it("is asked about where its lines would run", () => {
    expect(inspectPaste("ls\nrm -r x\n", false, "running")).toMatchObject({ ask: true, lines: 3 });
    expect(inspectPaste("ls\nrm -r x\n", true, "running").ask).toBe(false);
    expect(inspectPaste("ls\nrm -r x\n", true, "always").ask).toBe(true);
    expect(inspectPaste("ls\nrm -r x\n", false, "never").ask).toBe(false);
    expect(inspectPaste("ls -l", false, "always")).toEqual({ text: "ls -l", lines: 1, removed: 0, ask: false });
    expect(inspectPaste("x".repeat(100_000), true, "running").ask).toBe(true);
  });

  it("can't end the mark of a paste and run the rest", () => {
    const paste = inspectPaste("safe\x1b[201~; rm -r x\u009b201~\r", true, "never");
    expect(paste.text).toBe("safe[201~; rm -r x201~\n");
    expect(paste.removed).toBe(2);
    expect(inspectPaste("a\x03b", true, "running").ask).toBe(true);
    expect(inspectPaste("a\tb\r\nc\rd", true, "never").text).toBe("a\tb\nc\nd");
  });

  it("can be made one line, and be looked at", () => {
    expect(oneLine("  a \n\n b\n")).toBe("a b");
    expect(preview("a\n".repeat(20)).more).toBe(9);
    expect(preview("x".repeat(500)).shown.length).toBe(161);
  });
});

describe("links", () => {
  it.each([
    ["https://example.org/a", "docs"],
    ["https://example.org/a", "https://example.org/a"],
    ["http://example.org", "README.md"],
    ["https://example.org/", "example.org"],
  ])("%s with the words %s opens", (target, text) => expect(judgeLink(target, text).kind).toBe("open"));

  it.each([
    ["https://evil.example/", "https://example.org/"],
    ["https://evil.example/", "github.com"],
    ["https://example.org@evil.example/", "docs"],
    ["mailto:a@example.org", "write"],
    ["https://xn--pypal-4ve.example/", "https://paypal.example/"],
  ])("%s with the words %s is asked about", (target, text) => expect(judgeLink(target, text).kind).toBe("ask"));

  it.each([
    ["javascript:alert(1)"],
    ["JaVaScRiPt:alert(1)"],
    ["file:///etc/passwd"],
    ["data:text/html,x"],
    ["ssh://host"],
    ["nonsense"],
    [""],
    ["/relative"],
    [`https://example.org/${"x".repeat(5000)}`],
  ])("%s is refused", (target) => expect(judgeLink(target, "click").kind).toBe("refuse"));

  it("are shown as they are", () => {
    expect(shownTarget("https://pаypal.example/")).toContain("xn--");
    expect(shownTarget("javascript:\u202ex")).not.toContain("\u202e");
    expect(shownTarget(`https://example.org/${"x".repeat(900)}`).length).toBe(200);
  });
});

describe("settings", () => {
  it.each([null, "", "nonsense", "7", "[]", "null", '{"theme": 7, "fontSize": "big", "images": "yes", "cursor": "x"}'])(
    "that are none are as usual: %s",
    (text) => expect(parseSettings(text)).toEqual(USUAL),
  );

  it("keep what is right", () => {
    expect(parseSettings('{"theme": "projector", "fontSize": 999, "bellSound": true, "other": 1}')).toEqual({
      ...USUAL,
      theme: "projector",
      fontSize: 40,
      bellSound: true,
    });
    expect(parseSettings(JSON.stringify(USUAL))).toEqual(USUAL);
    expect([fontSize(NaN), fontSize(-1), fontSize(13.4)]).toEqual([14, 8, 13]);
  });

  it("make letters larger on a projector", () => {
    expect(drawnSize({ ...USUAL, theme: "projector" })).toBe(21);
  });
});

describe("themes", () => {
  const css = readFileSync(fileURLToPath(new URL("../src/styles/terminal-themes.css", import.meta.url)), "utf8");
  const tokens = readFileSync(fileURLToPath(new URL("../src/styles/tokens.css", import.meta.url)), "utf8");

  function palette(text: string, pick: 0 | 1): Map<string, string> {
    const found = [...text.matchAll(/--term-([a-z-]+): (?:light-dark\((#\w+), (#\w+)\)|(#\w+));/g)];
    return new Map(found.map(([, name, light, dark, only]) => [name ?? "", only ?? (pick === 0 ? light : dark) ?? ""]));
  }

  function luminance(colour: string): number {
    const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
    const [red = 0, green = 0, blue = 0] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  function contrast(one: string, other: string): number {
    const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  }

  const blocks = THEMES.filter(({ name }) => name !== "page").map((theme) => {
    const block = css.match(new RegExp(`\\[data-terminal-theme="${theme.name}"\\] \\{([^}]*)\\}`))?.[1] ?? "";
    return { name: theme.name, colours: palette(block, 0), least: theme.contrast };
  });
  const all = [
    ...blocks,
    { name: "page, light", colours: palette(tokens, 0), least: 4.5 },
    { name: "page, dark", colours: palette(tokens, 1), least: 4.5 },
  ];

  it.each(all)("$name can be read", ({ colours, least }) => {
    expect(colours.size).toBe(20);
    const background = colours.get("background") ?? "";
    const dark = luminance(background) < 0.2;
    for (const [name, colour] of colours) {
      // The colour that is for filling, and that xterm.js lightens where a program writes with it.
      if (name === "background" || name === "selection" || (dark && name === "black")) continue;
      expect(contrast(colour, background), name).toBeGreaterThanOrEqual(least);
    }
    expect(contrast(colours.get("foreground") ?? "", colours.get("selection") ?? "")).toBeGreaterThanOrEqual(4.5);
  });
});

describe("uploads", () => {
  const file = (name: string, size = 1, directory = false) => ({ name, size, directory });

  it("take files that the machine can have", () => {
    const plan = planUpload([
      file("a"),
      file("dir", 0, true),
      file("big", MOST_BYTES + 1),
      file("exact", MOST_BYTES),
      file("a"),
      file(".."),
      file("x/y"),
      file("é".repeat(200)),
      file("a b ü.txt"),
    ]);
    expect(plan.accepted).toEqual([0, 3, 8]);
    expect(plan.refused.map(({ name }) => name.slice(0, 5))).toEqual(["dir", "big", "a", "..", "x/y", "ééééé"]);
    expect(planUpload(Array.from({ length: MOST_FILES + 1 }, (_, n) => file(`f${n}`))).refused.length).toBe(1);
  });

  it("go to an absolute path", () => {
    expect([destination("/root", "a"), destination(" /root/ ", "a"), destination("/", "a")]).toEqual(["/root/a", "/root/a", "/a"]);
    expect([destination("root", "a"), destination("", "a"), destination("/a/../b", "a"), destination("/a\0", "a")]).toEqual([null, null, null, null]);
    expect([progressOf(1, 2), progressOf(0, 0), progressOf(3, 2)]).toEqual([0.5, 1, 1]);
  });
});

describe("small things", () => {
  it("counts what a search finds", () => {
    expect([countWords(-1, 0), countWords(2, 12), countWords(-1, 3)]).toEqual(["Not found", "3 of 12", "3 found"]);
  });

  it("hears a program that rings in a loop once", () => {
    expect([bellIsDue(1000), bellIsDue(1010), bellIsDue(1399), bellIsDue(1401)]).toEqual([true, false, false, true]);
  });
});

describe("wide and combined characters", () => {
  let addon: typeof import("@xterm/addon-unicode-graphemes");

  beforeAll(async () => {
    // With Node's Buffer it reads its tables from the wrong place; browsers have none.
    vi.stubGlobal("Buffer", undefined);
    addon = await import("@xterm/addon-unicode-graphemes");
    vi.unstubAllGlobals();
  });

  it.each([
    ["abc", 3],
    ["日本語", 6],
    ["한글", 4],
    ["e\u0301", 1],
    ["😀", 2],
    ["👩‍👩‍👧‍👦", 2],
    ["👍🏽", 2],
    ["🇩🇪", 2],
    ["❤️", 2],
    ["ñ̃", 1],
  ])("%s takes %i columns", async (text, columns) => {
    const terminal = new Terminal({ allowProposedApi: true, cols: 80, rows: 5 });
    terminal.loadAddon(new addon.UnicodeGraphemesAddon());
    await new Promise<void>((resolve) => terminal.write(text, resolve));
    expect(terminal.buffer.active.cursorX).toBe(columns);
    terminal.dispose();
  });
});
