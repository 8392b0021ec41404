import { announce } from "../ui/announce.js";

/** Whether every word of `wanted` is somewhere in `text`. Pure. */
export function matches(text: string, wanted: string): boolean {
  const hay = text.toLocaleLowerCase();
  return wanted.toLocaleLowerCase().split(/\s+/).every((word) => hay.includes(word));
}

/** The search over the catalogue: filters while typing; Enter goes to the first that is left, Escape empties it. */
export function installFilter(): void {
  const input = document.querySelector<HTMLInputElement>("[data-search]");
  const cards = [...document.querySelectorAll<HTMLElement>("[data-image]")];
  const none = document.getElementById("no-match");
  if (input === null) return;
  input.form?.addEventListener("submit", (event) => {
    event.preventDefault();
    cards.find((card) => !card.hidden)?.querySelector<HTMLElement>("button")?.focus();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    input.value = "";
    input.dispatchEvent(new Event("input"));
  });
  input.addEventListener("input", () => {
    for (const card of cards) card.hidden = !matches(card.dataset["words"] ?? "", input.value.trim());
    const left = cards.filter((card) => !card.hidden).length;
    if (none !== null) none.hidden = left > 0;
    announce(left === 1 ? "1 image" : `${left} images`);
  });
}
