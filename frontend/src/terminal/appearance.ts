import type { ITheme } from "@xterm/xterm";

export const FONT_FAMILY = '"JetBrains Mono Variable", "JetBrains Mono", ui-monospace, "DejaVu Sans Mono", monospace';
/** At which the font is asked for, in pixels; it is the same at every size. */
const FONT_SIZE = 14;

const NAMES = {
  background: "background",
  foreground: "foreground",
  cursor: "cursor",
  cursorAccent: "background",
  selectionBackground: "selection",
  black: "black",
  red: "red",
  green: "green",
  yellow: "yellow",
  blue: "blue",
  magenta: "magenta",
  cyan: "cyan",
  white: "white",
  brightBlack: "bright-black",
  brightRed: "bright-red",
  brightGreen: "bright-green",
  brightYellow: "bright-yellow",
  brightBlue: "bright-blue",
  brightMagenta: "bright-magenta",
  brightCyan: "bright-cyan",
  brightWhite: "bright-white",
} as const;

/** The terminal's colours, from the tokens as they are there now (light or dark, or a theme of the terminals). */
export function coloursOf(host: HTMLElement): ITheme {
  const probe = document.createElement("span");
  host.append(probe);
  const theme: Record<string, string> = {};
  for (const [key, token] of Object.entries(NAMES)) {
    // A custom property is not resolved by itself; the colour of an element is.
    probe.style.color = `var(--term-${token})`;
    theme[key] = getComputedStyle(probe).color;
  }
  probe.remove();
  return theme;
}

/** Calls back whenever the page turns light or dark; returns how to stop that. */
export function onThemeChange(call: () => void): () => void {
  const media = matchMedia("(prefers-color-scheme: dark)");
  const observer = new MutationObserver(call);
  media.addEventListener("change", call);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  return () => {
    media.removeEventListener("change", call);
    observer.disconnect();
  };
}

/** The terminal measures its cells once: the font has to be there. A font that does not come is not waited for. */
export async function fontReady(): Promise<void> {
  const loads = [`${FONT_SIZE}px`, `bold ${FONT_SIZE}px`].map((style) =>
    document.fonts.load(`${style} "JetBrains Mono Variable"`),
  );
  const patience = new Promise((resolve) => setTimeout(resolve, 1500));
  await Promise.race([Promise.allSettled(loads), patience]);
}
