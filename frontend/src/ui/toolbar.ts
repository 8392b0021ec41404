/** Arrows go along the buttons of a toolbar, as those who listen to the page expect of one. */
export function alongToolbar(event: KeyboardEvent): void {
  const buttons = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("button:not(:disabled)")];
  const shown = buttons.filter((button) => button.offsetParent !== null);
  const at = shown.indexOf(document.activeElement as HTMLElement);
  const last = shown.length - 1;
  const target = { ArrowLeft: at <= 0 ? last : at - 1, ArrowRight: at === last ? 0 : at + 1, Home: 0, End: last };
  const next = shown[target[event.key as keyof typeof target] ?? -1];
  if (next === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  next.focus();
}
