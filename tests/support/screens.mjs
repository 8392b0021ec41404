// What terminals show: reads {"cols", "rows", "feeds": [BASE64, ...]} from standard input and writes, for each feed, what a new
// terminal of that size looks like after it, and what it would type by itself. The reference is xterm.js without a page.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(new URL("../../frontend/package.json", import.meta.url));
const { Terminal } = require("@xterm/headless");

function cellOf(cell) {
  const look = [cell.getFgColorMode(), cell.getFgColor(), cell.getBgColorMode(), cell.getBgColor()];
  const flags = ["isBold", "isItalic", "isDim", "isUnderline", "isBlink", "isInverse", "isInvisible", "isStrikethrough", "isOverline"];
  return `${cell.getChars() || " "}|${look.join(",")}|${flags.map((flag) => (cell[flag]() ? 1 : 0)).join("")}`;
}

function linesOf(buffer, rows) {
  return Array.from({ length: rows }, (_, row) => {
    const line = buffer.getLine(buffer.baseY + row);
    return Array.from({ length: line.length }, (_, column) => cellOf(line.getCell(column)));
  });
}

async function screenOf(bytes, cols, rows) {
  const terminal = new Terminal({ cols, rows, allowProposedApi: true, scrollback: 1000 });
  const said = { typed: "", title: "" };
  terminal.onData((data) => (said.typed += data));
  terminal.onTitleChange((title) => (said.title = title));
  await new Promise((done) => terminal.write(bytes, done));
  const buffer = terminal.buffer.active;
  const core = terminal._core;
  const screen = {
    ...said,
    kind: buffer.type,
    cursor: [buffer.cursorX, buffer.cursorY],
    hidden: core.coreService.isCursorHidden,
    mouse: [core.coreMouseService.activeProtocol, core.coreMouseService.activeEncoding],
    modes: terminal.modes,
    text: Array.from({ length: rows }, (_, row) => buffer.getLine(buffer.baseY + row).translateToString(true)),
    lines: linesOf(buffer, rows),
  };
  terminal.dispose();
  return screen;
}

const { cols, rows, feeds } = JSON.parse(readFileSync(0, "utf-8"));
const screens = [];
for (const feed of feeds) screens.push(await screenOf(Buffer.from(feed, "base64"), cols, rows));
process.stdout.write(JSON.stringify(screens));
