import { LitElement } from "lit";

/** A component in the page's own tree: it wears the page's styles, and labels reach across it. */
export class LightElement extends LitElement {
  protected override createRenderRoot(): HTMLElement {
    return this;
  }
}
