import { beforeEach, describe, expect, it, vi } from "vitest";
import type { TerminalInfo } from "../src/api/types.js";
import { EMPTY, withTerminals, type Arrangement } from "../src/terminal/arrangement.js";
import { groups } from "../src/terminal/layout.js";
import type { TerminalPane } from "../src/terminal/pane.js";
import { TabCommands, type Desk } from "../src/terminal/tab-commands.js";
import { TerminalRequests } from "../src/terminal/terminal-requests.js";

const info = (id: string): TerminalInfo => ({ id, machine: "main", name: id, is_named: true, is_main: id === "a" });

/** The element around the terminals, as far as commands know it. */
class FakeDesk implements Desk {
  readonly session = "s";
  arrangement: Arrangement = withTerminals(EMPTY, ["a", "b", "c"].map(info));
  narrow = false;
  renaming: string | null = null;
  readonly did: string[] = [];
  room = { offsetWidth: 900, offsetHeight: 500, exited: true };

  pane(): TerminalPane {
    return { ...this.room, size: { cols: 80, rows: 24 }, act: (key: string) => this.did.push(key) } as unknown as TerminalPane;
  }

  focusPane(): void {
    this.did.push("pane");
  }

  focusTab(id: string | null): void {
    this.did.push(`tab ${String(id)}`);
  }

  openSettings(): void {
    this.did.push("settings");
  }
}

/** What the server answers, and what it was asked. */
function serve(answer: object | null, status = 200): { asked: string[] } {
  const asked: string[] = [];
  vi.stubGlobal("document", { cookie: "", getElementById: () => null, querySelector: () => null });
  vi.stubGlobal("fetch", (address: string, options: RequestInit) => {
    asked.push(`${options.method ?? "GET"} ${address} ${String(options.body ?? "")}`.trim());
    return Promise.resolve(new Response(answer === null ? null : JSON.stringify(answer), { status }));
  });
  return { asked };
}

describe("commands of the tabs", () => {
  let desk: FakeDesk;
  let requests: TerminalRequests;
  let commands: TabCommands;
  const rows = (): string[] => groups(desk.arrangement.layout.root).map(({ tabs }) => tabs.join(""));

  beforeEach(() => {
    desk = new FakeDesk();
    requests = new TerminalRequests(() => undefined);
    requests.session = "s";
    commands = new TabCommands(desk, requests);
    return () => vi.unstubAllGlobals();
  });

  it("opens a terminal of the size and machine of the one beside it, and enters it", async () => {
    const { asked } = serve(info("d"));
    await commands.open();
    expect(asked).toEqual(['POST /api/v1/sessions/s/terminals {"cols":80,"rows":24,"machine":"main"}']);
    expect([rows(), desk.arrangement.layout.current, desk.did]).toEqual([["abcd"], "d", ["pane"]]);
  });

  it("opens one at a time", async () => {
    const { asked } = serve(info("d"));
    await Promise.all([commands.open(), commands.open()]);
    expect(asked).toHaveLength(1);
  });

  it("says why none was opened, and leaves everything as it was", async () => {
    serve({ detail: "Enough.", code: "too_many_terminals" }, 429);
    const before = desk.arrangement;
    await commands.open();
    expect([requests.problem, requests.opening, desk.arrangement === before]).toEqual(["Enough.", false, true]);
  });

  it.each([
    ["right", { offsetWidth: 279, offsetHeight: 500 }, false],
    ["bottom", { offsetWidth: 900, offsetHeight: 149 }, false],
    ["right", { offsetWidth: 900, offsetHeight: 500 }, true],
  ] as const)("refuses to split %s where there is no room", (side, room, narrow) => {
    const { asked } = serve(info("d"));
    desk.room = { ...room, exited: true };
    desk.narrow = narrow;
    commands.split(side);
    expect([requests.problem, asked]).toEqual(["There is no room to split this terminal.", []]);
  });

  it("closes what has ended without asking, and enters its heir", async () => {
    const { asked } = serve(null, 204);
    commands.show("b");
    await commands.close("b");
    expect(asked).toEqual(["DELETE /api/v1/sessions/s/terminals/b"]);
    expect([rows(), desk.arrangement.layout.current]).toEqual([["ac"], "c"]);
  });

  it("never closes the session's own", async () => {
    const { asked } = serve(null, 204);
    await commands.close("a");
    expect([asked, rows()]).toEqual([[], ["abc"]]);
  });

  it("gives a name and goes back to the tab; an empty or the same name asks nobody", async () => {
    const { asked } = serve({ ...info("b"), name: "logs" });
    await commands.rename("b", "");
    await commands.rename("b", "b");
    expect(asked).toEqual([]);
    await commands.rename("b", "logs");
    expect([desk.arrangement.terminals[1]?.name, desk.renaming, desk.did]).toEqual(["logs", null, ["tab b", "tab b", "tab b"]]);
  });

  it("leaves keys that arrange nothing to the pane, and stays where no split is", () => {
    commands.act("search");
    commands.act("go-left");
    commands.act("settings");
    commands.act("leave");
    expect(desk.did).toEqual(["search", "settings", "tab a"]);
  });
});
