import { html, type TemplateResult } from "lit";
import type { Border } from "./layout-geometry.js";

export interface BorderModel {
  readonly border: Border;
  readonly label: string;
  /** The panels that it is between. */
  readonly controls: string;
  /** `share` of the two parts beside it goes to the first. */
  resize(share: number): void;
  even(): void;
  leave(): void;
}

const STEP = 0.02;
const LARGE_STEP = 0.1;

/** A border between two parts of a split: dragged, or moved by arrow keys; a double click makes both the same. */
export function borderView(model: BorderModel): TemplateResult {
  const { border } = model;
  return html`<div
    class="border border-${border.axis}"
    role="separator"
    tabindex="0"
    aria-orientation=${border.axis === "row" ? "vertical" : "horizontal"}
    aria-label=${model.label}
    aria-controls=${model.controls}
    aria-valuemin="0"
    aria-valuemax="100"
    aria-valuenow=${Math.round(border.share * 100)}
    data-border=${`${border.split}:${border.index}`}
    @pointerdown=${(event: PointerEvent) => drag(event, model)}
    @dblclick=${() => model.even()}
    @keydown=${(event: KeyboardEvent) => key(event, model)}
  ></div>`;
}

function key(event: KeyboardEvent, model: BorderModel): void {
  const { axis, share } = model.border;
  const [less, more] = axis === "row" ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
  const step = event.shiftKey ? LARGE_STEP : STEP;
  if (event.key === less) model.resize(share - step);
  else if (event.key === more) model.resize(share + step);
  else if (event.key === "Home") model.resize(0);
  else if (event.key === "End") model.resize(1);
  else if (event.key === "Enter") model.even();
  else if (event.key === "Escape") model.leave();
  else return;
  event.preventDefault();
}

function drag(press: PointerEvent, model: BorderModel): void {
  const handle = press.currentTarget as HTMLElement;
  const room = handle.parentElement?.getBoundingClientRect();
  if (press.button !== 0 || room === undefined) return;
  const { axis, start, length } = model.border;
  const abort = new AbortController();
  const end = (): void => abort.abort();
  const move = (event: PointerEvent): void => {
    const at = axis === "row" ? (event.clientX - room.left) / room.width : (event.clientY - room.top) / room.height;
    model.resize((at - start) / length);
  };
  press.preventDefault();
  handle.setPointerCapture(press.pointerId);
  handle.focus();
  handle.addEventListener("pointermove", move, { signal: abort.signal });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    handle.addEventListener(name, end, { signal: abort.signal });
  }
}
