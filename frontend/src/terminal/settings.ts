/** How terminals look and behave in this browser. Pure. */

export interface Theme {
  readonly name: string;
  readonly title: string;
  /** Letters are so many times as large. */
  readonly scale: number;
  /** The least contrast of letters that programs colour themselves. */
  readonly contrast: number;
}

export const THEMES: readonly Theme[] = [
  { name: "page", title: "As the page", scale: 1, contrast: 4.5 },
  { name: "ink", title: "Ink (dark)", scale: 1, contrast: 4.5 },
  { name: "dusk", title: "Dusk (dark)", scale: 1, contrast: 4.5 },
  { name: "paper", title: "Paper (light)", scale: 1, contrast: 4.5 },
  { name: "contrast", title: "High contrast", scale: 1, contrast: 7 },
  { name: "projector", title: "Projector (large, light)", scale: 1.5, contrast: 7 },
];

export const PASTE_WARNINGS = ["always", "running", "never"] as const;
/** `running`: when the lines would run at once, since the program has not asked for pastes to be marked. */
export type PasteWarning = (typeof PASTE_WARNINGS)[number];

export const CURSORS = ["block", "bar", "underline"] as const;
export type Cursor = (typeof CURSORS)[number];

export interface TerminalSettings {
  readonly theme: string;
  /** Pixels. */
  readonly fontSize: number;
  readonly cursor: Cursor;
  readonly copyOnSelect: boolean;
  /** Right-click copies and pastes; else it opens the browser's menu. */
  readonly rightClick: boolean;
  readonly pasteWarning: PasteWarning;
  readonly bellFlash: boolean;
  readonly bellSound: boolean;
  readonly images: boolean;
  readonly screenReader: boolean;
}

export const USUAL: TerminalSettings = {
  theme: "page",
  fontSize: 14,
  cursor: "block",
  copyOnSelect: false,
  rightClick: true,
  pasteWarning: "running",
  bellFlash: true,
  bellSound: false,
  images: false,
  screenReader: false,
};

export const LEAST_FONT = 8;
export const LARGEST_FONT = 40;

/** What was kept, which may be of another version or no settings at all: whatever is wrong is as usual. */
export function parseSettings(text: string | null): TerminalSettings {
  const given = fields(text);
  const flag = (name: keyof TerminalSettings): boolean =>
    typeof given[name] === "boolean" ? given[name] : (USUAL[name] as boolean);
  return {
    theme: THEMES.find((theme) => theme.name === given["theme"])?.name ?? USUAL.theme,
    fontSize: typeof given["fontSize"] === "number" ? fontSize(given["fontSize"]) : USUAL.fontSize,
    cursor: CURSORS.find((cursor) => cursor === given["cursor"]) ?? USUAL.cursor,
    pasteWarning: PASTE_WARNINGS.find((warning) => warning === given["pasteWarning"]) ?? USUAL.pasteWarning,
    copyOnSelect: flag("copyOnSelect"),
    rightClick: flag("rightClick"),
    bellFlash: flag("bellFlash"),
    bellSound: flag("bellSound"),
    images: flag("images"),
    screenReader: flag("screenReader"),
  };
}

/** The nearest size that there is. */
export function fontSize(pixels: number): number {
  return Number.isFinite(pixels) ? Math.min(LARGEST_FONT, Math.max(LEAST_FONT, Math.round(pixels))) : USUAL.fontSize;
}

export function themeOf(settings: TerminalSettings): Theme {
  return THEMES.find((theme) => theme.name === settings.theme) ?? (THEMES[0] as Theme);
}

/** What the letters are drawn with, in pixels. */
export function drawnSize(settings: TerminalSettings): number {
  return Math.round(settings.fontSize * themeOf(settings).scale);
}

function fields(text: string | null): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text ?? "null");
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
