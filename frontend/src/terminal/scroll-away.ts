/**
 * Output that moves all that is shown into the scrollback, with one dim line of ours below it. Whatever state the terminal
 * is in: CAN ends a sequence of which the rest was missed, and the alternate screen, which has no scrollback, is left.
 */
export function scrollAway(remark: string, rows: number): string {
  return `\x18\x1b[?1047l\x1b[!p\x1b[?2026l\x1b[999;1H\r\n\x1b[2m[ ${remark} ]\x1b[0m${"\r\n".repeat(rows)}`;
}
