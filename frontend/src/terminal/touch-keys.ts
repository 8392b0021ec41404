import { control } from "./keys.js";

/** The keys that a phone's keyboard lacks, and what Ctrl and Alt make of them. Pure. */

export type ModifierName = "ctrl" | "alt";
/** `once`: for the next key; `locked`: until it is pressed again. */
export type ModifierState = "off" | "once" | "locked";
export type Modifiers = Readonly<Record<ModifierName, ModifierState>>;

export const NO_MODIFIERS: Modifiers = { ctrl: "off", alt: "off" };

export interface TouchKey {
  readonly label: string;
  readonly name: string;
  /** What it types. */
  readonly text?: string;
  /** The last letter of its sequence (`CSI A`), or with `tilde` its number (`CSI 5 ~`). */
  readonly code?: string;
  readonly tilde?: boolean;
  /** It goes on while it is held down. */
  readonly repeats?: boolean;
}

export const TOUCH_KEYS: readonly TouchKey[] = [
  { label: "Esc", name: "Esc", text: "\x1b" },
  { label: "Tab", name: "Tab", text: "\t" },
  { label: "←", name: "Left", code: "D", repeats: true },
  { label: "↑", name: "Up", code: "A", repeats: true },
  { label: "↓", name: "Down", code: "B", repeats: true },
  { label: "→", name: "Right", code: "C", repeats: true },
  { label: "Home", name: "Home key", code: "H" },
  { label: "End", name: "End key", code: "F" },
  { label: "PgUp", name: "PgUp, page up", code: "5", tilde: true, repeats: true },
  { label: "PgDn", name: "PgDn, page down", code: "6", tilde: true, repeats: true },
  { label: "|", name: "Pipe", text: "|" },
  { label: "/", name: "Slash", text: "/" },
  { label: "-", name: "Dash", text: "-" },
  { label: "~", name: "Tilde", text: "~" },
];

/** Off, then for one key, then locked, then off again. */
export function pressed(state: ModifierState): ModifierState {
  return ({ off: "once", once: "locked", locked: "off" } as const)[state];
}

/** What is left of the modifiers after a key. */
export function used(modifiers: Modifiers): Modifiers {
  const after = (state: ModifierState): ModifierState => (state === "once" ? "off" : state);
  return { ctrl: after(modifiers.ctrl), alt: after(modifiers.alt) };
}

/** What was typed, with Ctrl and Alt held. More than one character (a paste, a word of the phone's) stays as it is. */
export function typedWith(text: string, modifiers: Modifiers): string {
  if ([...text].length !== 1) return text;
  const withCtrl = modifiers.ctrl === "off" ? text : control(text);
  return modifiers.alt === "off" ? withCtrl : `\x1b${withCtrl}`;
}

/** What this key sends. `application`: the program has asked for application cursor keys. */
export function touchKey(key: TouchKey, modifiers: Modifiers, application: boolean): string {
  if (key.text !== undefined) return typedWith(key.text, modifiers);
  const held = 1 + (modifiers.alt === "off" ? 0 : 2) + (modifiers.ctrl === "off" ? 0 : 4);
  const code = key.code ?? "";
  if (key.tilde === true) return held === 1 ? `\x1b[${code}~` : `\x1b[${code};${held}~`;
  if (held > 1) return `\x1b[1;${held}${code}`;
  return `\x1b${application ? "O" : "["}${code}`;
}
