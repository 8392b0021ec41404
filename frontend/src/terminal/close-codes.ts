/** What a close code of the terminal socket means for this page. */
export type Verdict =
  | { readonly next: "retry"; readonly base?: number; readonly held?: boolean }
  | { readonly next: "stop"; readonly sentence: string; readonly signIn?: boolean };

const STOPS: Readonly<Record<number, string>> = {
  4400: "This page and the server do not understand each other. Reload the page.",
  4403: "You may not use this terminal from here.",
  4404: "This terminal is closed.",
  4410: "This terminal has ended.",
};

export function verdict(code: number): Verdict {
  if (code === 4401) return { next: "stop", sentence: "You are signed out. The shell goes on without you.", signIn: true };
  // Too many connections: the others need time to go away.
  if (code === 4429) return { next: "retry", base: 4000 };
  // Not running: it is paused or about to start. Its page says so, and hears of the end by the events.
  if (code === 4409) return { next: "retry", base: 1000, held: true };
  const sentence = STOPS[code];
  return sentence === undefined ? { next: "retry" } : { next: "stop", sentence };
}
