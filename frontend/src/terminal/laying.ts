import type { Geometry } from "./layout-geometry.js";

/**
 * Puts every part of `root` where the layout says: strips and panes by `data-group`, borders by `data-border`, and the mark of a
 * drag. Through properties, not style attributes: those the content policy may forbid.
 */
export function lay(root: HTMLElement, geometry: Geometry, mark: DOMRect | null): void {
  const set = (selector: string, box: object): void => {
    for (const part of root.querySelectorAll<HTMLElement>(selector)) {
      for (const [name, value] of Object.entries(box)) part.style.setProperty(`--box-${name}`, String(value));
    }
  };
  for (const { group, box } of geometry.groups) set(`[data-group="${group.id}"]`, box);
  for (const border of geometry.borders) set(`[data-border="${border.split}:${border.index}"]`, border.box);
  const drawn = root.querySelector<HTMLElement>(".drop-mark");
  if (drawn === null || mark === null) return;
  const room = root.getBoundingClientRect();
  drawn.style.left = `${mark.left - room.left}px`;
  drawn.style.top = `${mark.top - room.top}px`;
  drawn.style.width = `${mark.width}px`;
  drawn.style.height = `${mark.height}px`;
}
