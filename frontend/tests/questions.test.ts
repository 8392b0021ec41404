import headless from "@xterm/headless";
import { describe, expect, it } from "vitest";
import { muteOldQuestions } from "../src/terminal/questions.js";

/** Everything that the terminal would type by itself when this output is drawn. */
async function answers(output: string, replaying: boolean): Promise<string> {
  const terminal = new headless.Terminal({ cols: 80, rows: 24, allowProposedApi: true });
  let typed = "";
  terminal.onData((data) => (typed += data));
  muteOldQuestions(terminal, () => replaying);
  await new Promise<void>((done) => terminal.write(output, done));
  terminal.dispose();
  return typed;
}

describe("questions to the terminal", () => {
  it.each([
    ["device attributes", "\x1b[c"],
    ["secondary device attributes", "\x1b[>c"],
    ["status", "\x1b[5n"],
    ["cursor position", "\x1b[6n"],
    ["private cursor position", "\x1b[?6n"],
    ["mode", "\x1b[?25$p"],
    ["ANSI mode", "\x1b[4$p"],
    ["setting", "\x1bP$qm\x1b\\"],
  ])("%s is answered live and not on replay", async (_name, question) => {
    expect(await answers(question, false)).not.toBe("");
    expect(await answers(question, true)).toBe("");
  });

  it.each([
    ["tertiary device attributes", "\x1b[=c"],
    ["version", "\x1b[>q"],
    ["window report", "\x1b[18t"],
    ["size of the screen", "\x1b[14t"],
    ["title", "\x1b[21t"],
    ["keyboard", "\x1b[?u"],
    ["printer", "\x1b[?15n"],
    ["colour of the palette", "\x1b]4;1;?\x07"],
    ["foreground", "\x1b]10;?\x07"],
    ["background", "\x1b]11;?\x1b\\"],
    ["cursor colour", "\x1b]12;?\x07"],
    ["clipboard", "\x1b]52;c;?\x07"],
    ["resource", "\x1bP+q544e\x1b\\"],
    ["answerback", "\x05"],
    ["ESC Z", "\x1bZ"],
    ["several at once, cut into bytes", "\x1b[c\x1b[6n\x1b]11;?\x07\x1b[?2004$p"],
  ])("%s is not answered on replay", async (_name, question) => {
    expect(await answers(question, true)).toBe("");
  });

  it("draws the rest of a replay", async () => {
    const terminal = new headless.Terminal({ cols: 80, rows: 24, allowProposedApi: true });
    muteOldQuestions(terminal, () => true);
    await new Promise<void>((done) => terminal.write("a\x1b[6n\x1b[31mb", done));
    expect(terminal.buffer.active.getLine(0)?.translateToString(true)).toBe("ab");
    terminal.dispose();
  });
});
