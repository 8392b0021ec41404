/** What a key press means to the page rather than to the program in the terminal. */
export type PageKey =
  | "copy"
  | "paste"
  | "search"
  | "leave"
  | "new"
  | "split-right"
  | "split-bottom"
  | "maximise"
  | "next-tab"
  | "previous-tab"
  | "go-left"
  | "go-right"
  | "go-top"
  | "go-bottom"
  | "clear"
  | "larger"
  | "smaller"
  | "usual-size"
  | "settings";

export interface Press {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

/*
 * None of these takes a key from a shell: terminals can't tell Ctrl+Shift and a letter from Ctrl and that letter, Ctrl has no
 * code for the digit 0 and these signs (Ctrl+Shift+- has one, and stays), and readline knows nothing of Alt+Shift and an arrow.
 * Ctrl+Shift+T, N and W are missing because browsers keep them for themselves.
 */
const CTRL_SHIFT = new Map<string, PageKey>([
  ["c", "copy"],
  ["v", "paste"],
  ["f", "search"],
  ["enter", "new"],
  ["e", "split-right"],
  ["o", "split-bottom"],
  ["x", "maximise"],
  ["k", "clear"],
  ["pagedown", "next-tab"],
  ["pageup", "previous-tab"],
  ["+", "larger"],
]);
const CTRL = new Map<string, PageKey>([
  ["f6", "leave"],
  ["+", "larger"],
  ["=", "larger"],
  ["-", "smaller"],
  ["0", "usual-size"],
  [",", "settings"],
]);
const ALT_SHIFT = new Map<string, PageKey>([
  ["arrowleft", "go-left"],
  ["arrowright", "go-right"],
  ["arrowup", "go-top"],
  ["arrowdown", "go-bottom"],
]);

/**
 * Ctrl+C copies while something is selected, and interrupts otherwise; copying takes the selection away, so pressing it
 * again interrupts. Everything else is the terminal's.
 */
export function pageKey(press: Press, selected: boolean): PageKey | null {
  const key = press.key.toLowerCase();
  if (press.metaKey) return null;
  if (press.altKey) return press.shiftKey && !press.ctrlKey ? (ALT_SHIFT.get(key) ?? null) : null;
  if (!press.ctrlKey) return null;
  if (press.shiftKey) return CTRL_SHIFT.get(key) ?? null;
  if (key === "c" && selected) return "copy";
  return CTRL.get(key) ?? null;
}

/** What Ctrl and this character send: `c` gives 0x03. Characters without a control code stay what they are. */
export function control(character: string): string {
  const code = character.toUpperCase().codePointAt(0);
  if (character.length !== 1 || code === undefined) return character;
  if (character === " ") return "\0";
  if (character === "?") return "\x7f";
  return code >= 0x40 && code <= 0x5f ? String.fromCharCode(code - 0x40) : character;
}
