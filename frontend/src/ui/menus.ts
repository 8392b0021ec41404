/** Menus are `details`, which work without scripts; here they also close by Escape and by a click beside them. */
export function installMenus(): void {
  const open = (): HTMLDetailsElement | null => document.querySelector<HTMLDetailsElement>("details.menu[open]");
  document.addEventListener("click", (event) => {
    const menu = open();
    if (menu !== null && event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const menu = open();
    if (event.key !== "Escape" || menu === null) return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
}
