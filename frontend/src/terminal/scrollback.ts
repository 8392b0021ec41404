import type { Terminal } from "@xterm/xterm";
import { download, fileName } from "../ui/download.js";
import { scrollAway } from "./scroll-away.js";

/** Everything that was shown, as plain text; lines that were wrapped are whole again. */
export function scrollbackOf(terminal: Pick<Terminal, "buffer">): string {
  const buffer = terminal.buffer.normal;
  const lines: string[] = [];
  for (let row = 0; row < buffer.length; row += 1) {
    const line = buffer.getLine(row);
    if (line === undefined) continue;
    const text = line.translateToString(true);
    if (line.isWrapped && lines.length > 0) lines[lines.length - 1] += text;
    else lines.push(text);
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

/** Hands all that was shown to the browser as a file named after `name`. */
export function downloadScrollback(name: string, terminal: Terminal): void {
  download(fileName(name), scrollbackOf(terminal));
}

/** Begins anew with `state`. What was shown goes up, out of sight, below it `remark` if there is one. */
export function beginAnew(terminal: Terminal, state: Uint8Array, remark: string): void {
  if (remark !== "") terminal.write(scrollAway(remark, terminal.rows));
  terminal.write(state);
}
