/** Where the keyboard is. */

/**
 * Notes where the keyboard is now. What this returns says later whether it is still there, or nowhere: who opens
 * something slow may take it then, and doesn't where the person has gone on to something else.
 */
export function keyboardHere(): () => boolean {
  const before = document.activeElement;
  return () => document.activeElement === before || document.activeElement === document.body;
}
