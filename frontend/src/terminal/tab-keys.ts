import type { Press } from "./keys.js";

/** What a key on a tab means. */
export type TabAction =
  | { readonly kind: "close" }
  | { readonly kind: "rename" }
  | { readonly kind: "enter" }
  | { readonly kind: "step"; readonly step: 1 | -1 }
  /** Brings another tab to the front. */
  | { readonly kind: "show"; readonly id: string };

/** For the tab `id` of a row of `tabs`; null: the key is not ours. Pure. */
export function tabAction(press: Press, tabs: readonly string[], id: string): TabAction | null {
  const { key } = press;
  if (press.altKey || press.metaKey) return null;
  if (key === "Delete") return { kind: "close" };
  if (key === "F2") return { kind: "rename" };
  if (key === "Enter" || key === "ArrowDown") return { kind: "enter" };
  if (press.ctrlKey && key === "ArrowLeft") return { kind: "step", step: -1 };
  if (press.ctrlKey && key === "ArrowRight") return { kind: "step", step: 1 };
  const next = tabAt(key, tabs, tabs.indexOf(id));
  return next === undefined ? null : { kind: "show", id: next };
}

function tabAt(key: string, tabs: readonly string[], at: number): string | undefined {
  const last = tabs.length - 1;
  if (key === "ArrowLeft") return tabs[at === 0 ? last : at - 1];
  if (key === "ArrowRight") return tabs[at === last ? 0 : at + 1];
  if (key === "Home") return tabs[0];
  return key === "End" ? tabs[last] : undefined;
}
