import { WebglAddon } from "@xterm/addon-webgl";
import type { Terminal } from "@xterm/xterm";

/** Draws with the graphics card, where there is one. */
export function accelerate(terminal: Terminal): void {
  if (!hasGraphics()) return;
  try {
    const webgl = new WebglAddon();
    // Browsers take contexts away, also when there are many terminals; this one then draws with elements.
    webgl.onContextLoss(() => webgl.dispose());
    terminal.loadAddon(webgl);
  } catch {
    // No WebGL here: xterm.js draws with elements, only slower.
  }
}

let known: boolean | null = null;

/** Whether WebGL is drawn by a graphics card. Drawn by the processor it is slower than elements are. */
function hasGraphics(): boolean {
  known ??= probe();
  return known;
}

function probe(): boolean {
  const context = document.createElement("canvas").getContext("webgl2", { failIfMajorPerformanceCaveat: true });
  if (context === null) return false;
  const names = context.getExtension("WEBGL_debug_renderer_info");
  const renderer: unknown = names === null ? "" : context.getParameter(names.UNMASKED_RENDERER_WEBGL);
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return !/swiftshader|llvmpipe|software/i.test(String(renderer));
}
