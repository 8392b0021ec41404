/** Says something to people who listen rather than look, without moving the focus. */
export function announce(text: string): void {
  const region = document.getElementById("announcer");
  if (region === null) return;
  // The same words twice in a row are a change only with the region emptied between.
  region.textContent = "";
  setTimeout(() => (region.textContent = text), 50);
}
