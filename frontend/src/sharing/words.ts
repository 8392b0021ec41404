/** "14:05": of an instant of the server, on this browser's wall. Pure but for its time zone. */
export function clockTime(instant: string): string {
  return new Date(instant).toLocaleTimeString(undefined, { timeStyle: "short" });
}

/** Who else is there: "2 others watch, 1 of them may type". Pure. */
export function presence(here: number, typing: number): string {
  if (here === 0) return "Nobody else is here";
  const who = here === 1 ? "1 other person watches" : `${here} other people watch`;
  if (typing === 0) return who;
  return here === 1 ? "1 other person watches and may type" : `${who}, ${typing} of them may type`;
}
