import type { ClipboardSelectionType, IClipboardProvider } from "@xterm/addon-clipboard";
import type { Terminal } from "@xterm/xterm";

/** Puts text on the clipboard; also where a page without HTTPS has no clipboard of its own. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByCommand(text);
  }
}

/** Copies what is selected and takes the selection away; null: nothing is selected. */
export async function copySelection(terminal: Pick<Terminal, "getSelection" | "clearSelection">): Promise<boolean | null> {
  const text = terminal.getSelection();
  if (text === "") return null;
  const done = await copyText(text);
  terminal.clearSelection();
  return done;
}

/** The clipboard's text, or null when the browser does not let us read it. */
export async function pasteText(): Promise<string | null> {
  try {
    return await navigator.clipboard.readText();
  } catch {
    return null;
  }
}

/** Whether reading the clipboard can work at all here. */
export function canPaste(): boolean {
  return window.isSecureContext && typeof navigator.clipboard?.readText === "function";
}

function copyByCommand(text: string): boolean {
  const area = document.createElement("textarea");
  const before = document.activeElement;
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return done;
}

/** The most that a program in the terminal may offer for the clipboard, in characters. */
const MAX_OFFER = 1 << 20;

/** Programs (OSC 52) may never read the clipboard, and write to it only when the person says so each time. */
export class GuardedClipboard implements IClipboardProvider {
  readonly #ask: (text: string) => void;

  constructor(ask: (text: string) => void) {
    this.#ask = ask;
  }

  readText(_selection: ClipboardSelectionType): string {
    return "";
  }

  writeText(_selection: ClipboardSelectionType, text: string): void {
    if (text.length > 0 && text.length <= MAX_OFFER) this.#ask(text);
  }
}
