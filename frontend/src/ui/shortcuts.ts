/** `?` lists the shortcuts, `/` goes to the search. Keys that somebody types into a field or a terminal are theirs. */
export function installShortcuts(): void {
  const dialog = document.querySelector<HTMLDialogElement>("dialog.shortcuts");
  const show = (): void => {
    if (dialog !== null && !dialog.open) dialog.showModal();
  };
  document.addEventListener("show-shortcuts", show);
  for (const button of document.querySelectorAll("[data-shortcuts]")) button.addEventListener("click", show);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "?") show();
    else if (event.key === "/") document.querySelector<HTMLInputElement>("[data-search]")?.focus();
    else return;
    event.preventDefault();
  });
}

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input, textarea, select, .xterm, [contenteditable]") !== null;
}
