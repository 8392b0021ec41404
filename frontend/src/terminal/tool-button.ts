import { html, type TemplateResult } from "lit";

/** A button with a picture that does something with the terminal in front. */
export function toolButton(name: string, icon: string, label: string, press: (button: HTMLElement) => void): TemplateResult {
  // Copying needs the selection, which a press on a button would end.
  const keep = (event: Event): void => event.preventDefault();
  return html`<button
    type="button"
    class="icon-button tool-${name}"
    aria-label=${label}
    title=${label}
    @pointerdown=${keep}
    @mousedown=${keep}
    @click=${(event: MouseEvent) => press(event.currentTarget as HTMLElement)}
  >
    <span class="icon icon-${icon}" aria-hidden="true"></span>
  </button>`;
}
