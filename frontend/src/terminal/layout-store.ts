import { remember, remembered } from "../ui/storage.js";
import { single, terminals, type Layout } from "./layout.js";
import { keepLayout, keptLayout, parseLayout } from "./layout-memory.js";

/**
 * Where a session's layout is kept. Each window has its own, which a reload brings back; a new window begins with the one
 * that was changed last in any window. So two windows can show the same session on two screens, arranged differently.
 */
export class LayoutStore {
  readonly #session: string;

  constructor(session: string) {
    this.#session = session;
  }

  load(there: readonly string[]): Layout {
    return parseLayout(this.#own()) ?? keptLayout(remembered("layouts"), this.#session) ?? single(there);
  }

  save(layout: Layout): void {
    // Nothing to arrange; what is kept may still fit when terminals are back.
    if (terminals(layout).length === 0) return;
    try {
      sessionStorage.setItem(this.#key(), JSON.stringify(layout));
    } catch {
      // Private mode, or full: the layout lasts as long as the page.
    }
    remember("layouts", keepLayout(remembered("layouts"), this.#session, layout, Date.now()));
  }

  #own(): string | null {
    try {
      return sessionStorage.getItem(this.#key());
    } catch {
      return null;
    }
  }

  #key(): string {
    return `playground.layout.${this.#session}`;
  }
}
