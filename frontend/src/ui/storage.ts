/** Under what the browser keeps it. */
export function storageKey(name: string): string {
  return `playground.${name}`;
}

/** Small settings of this browser. A browser that keeps nothing is no error. */
export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(storageKey(name), value);
  } catch {
    // Private mode, or full: the setting lasts as long as the page.
  }
}

export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(storageKey(name));
  } catch {
    return null;
  }
}
