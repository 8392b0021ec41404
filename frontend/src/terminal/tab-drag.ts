import { dropZone } from "./layout-geometry.js";
import type { DropTarget } from "./tab-moves.js";

export interface DragListener {
  /** `mark`: what the target will take, in the coordinates of the page; null: it can't be dropped here. */
  moved(target: DropTarget | null, mark: DOMRect | null): void;
  dropped(target: DropTarget): void;
  ended(): void;
}

/** Pixels before a press on a tab is a drag. */
const THRESHOLD = 6;

/** Follows a press on a tab: by mouse and pen alone, since a finger scrolls the row of tabs. Escape takes it back. */
export function followDrag(press: PointerEvent, root: HTMLElement, listener: DragListener): void {
  if (press.button !== 0 || press.pointerType === "touch") return;
  const abort = new AbortController();
  const { signal } = abort;
  let target: DropTarget | null = null;
  let dragging = false;
  const end = (): void => {
    abort.abort();
    if (dragging) listener.ended();
  };
  const move = (event: PointerEvent): void => {
    if (event.pointerId !== press.pointerId) return;
    dragging ||= Math.hypot(event.clientX - press.clientX, event.clientY - press.clientY) > THRESHOLD;
    if (!dragging) return;
    event.preventDefault();
    const found = targetAt(root, event.clientX, event.clientY);
    target = found?.target ?? null;
    listener.moved(target, found?.mark ?? null);
  };
  const up = (event: PointerEvent): void => {
    if (event.pointerId !== press.pointerId) return;
    const chosen = dragging ? target : null;
    if (dragging) swallowClick();
    end();
    if (chosen !== null) listener.dropped(chosen);
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !dragging) return;
    event.preventDefault();
    event.stopPropagation();
    end();
  };
  addEventListener("pointermove", move, { signal });
  addEventListener("pointerup", up, { signal });
  addEventListener("pointercancel", end, { signal });
  addEventListener("blur", end, { signal });
  addEventListener("keydown", key, { signal, capture: true });
}

/** Letting a tab go over a tab is no click on it. */
function swallowClick(): void {
  const swallow = (event: MouseEvent): void => {
    event.stopPropagation();
    event.preventDefault();
  };
  addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => removeEventListener("click", swallow, { capture: true }), 0);
}

function targetAt(root: HTMLElement, x: number, y: number): { target: DropTarget; mark: DOMRect } | null {
  for (const strip of root.querySelectorAll<HTMLElement>(".tabs[data-group]")) {
    const group = Number(strip.dataset["group"]);
    const bar = strip.getBoundingClientRect();
    if (contains(bar, x, y)) return amongTabs(strip, group, x);
    const body = root.querySelector<HTMLElement>(`pg-terminal[data-group="${group}"]:not([hidden])`)?.getBoundingClientRect();
    if (body !== undefined && contains(body, x, y)) return inBody(group, body, x, y);
  }
  return null;
}

function amongTabs(strip: HTMLElement, group: number, x: number): { target: DropTarget; mark: DOMRect } {
  const boxes = [...strip.querySelectorAll("[role=tab]")].map((tab) => tab.getBoundingClientRect());
  const before = boxes.findIndex((box) => x < box.left + box.width / 2);
  const index = before === -1 ? boxes.length : before;
  const last = boxes.at(-1);
  const bar = strip.getBoundingClientRect();
  const left = boxes[index]?.left ?? last?.right ?? bar.left;
  return { target: { kind: "tab", group, index }, mark: new DOMRect(left - 1, bar.top + 6, 3, bar.height - 10) };
}

function inBody(group: number, body: DOMRect, x: number, y: number): { target: DropTarget; mark: DOMRect } {
  const side = dropZone((x - body.left) / body.width, (y - body.top) / body.height);
  const { left, top, width, height } = body;
  if (side === "middle") return { target: { kind: "tab", group, index: Infinity }, mark: new DOMRect(left, top, width, height) };
  const row = side === "left" || side === "right";
  const mark = new DOMRect(
    side === "right" ? left + width / 2 : left,
    side === "bottom" ? top + height / 2 : top,
    row ? width / 2 : width,
    row ? height : height / 2,
  );
  return { target: { kind: "split", group, side }, mark };
}

function contains(box: DOMRect, x: number, y: number): boolean {
  return x >= box.left && x < box.right && y >= box.top && y < box.bottom;
}
