/** How a terminal of another window's size is drawn in the room that there is. Pure. */

export interface Box {
  readonly width: number;
  readonly height: number;
}

/** In pixels. */
export const SMALLEST = 4;
/** Smaller than this few people read. */
export const READABLE = 12;
export const LARGEST = 28;
export const STEP = 0.25;

/**
 * The size of the letters at which `drawn`, which has letters of `size` pixels, just fits into `room`; not below
 * `least`: then the room scrolls.
 */
export function fittingSize(drawn: Box, size: number, room: Box, least = SMALLEST): number {
  if (!(drawn.width > 0 && drawn.height > 0 && room.width > 0 && room.height > 0)) return size;
  const share = Math.min(room.width / drawn.width, room.height / drawn.height);
  const fitting = Math.floor((size * share) / STEP) * STEP;
  return Math.min(LARGEST, Math.max(least, fitting));
}
