import { remember, remembered, storageKey } from "../ui/storage.js";
import { parseSettings, type TerminalSettings } from "./settings.js";

const NAME = "terminal-settings";

let current = parseSettings(remembered(NAME));
const listeners = new Set<(settings: TerminalSettings) => void>();

export function settings(): TerminalSettings {
  return current;
}

/** Changes some of them: at once in every terminal of this page and of others in this browser. */
export function changeSettings(changes: Partial<TerminalSettings>): void {
  const text = JSON.stringify({ ...current, ...changes });
  remember(NAME, text);
  take(text);
}

/** Calls back with every change; returns how to stop that. */
export function onSettings(listener: (settings: TerminalSettings) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function take(text: string | null): void {
  current = parseSettings(text);
  for (const listener of listeners) listener(current);
}

// Another page changed them; with no key, somebody emptied the storage.
addEventListener("storage", (event) => {
  if (event.key === storageKey(NAME) || event.key === null) take(event.newValue);
});
