import { html, nothing, type TemplateResult } from "lit";
import { LightElement } from "./light-element.js";

export interface QuestionAnswer {
  readonly value: string;
  readonly label: string;
  readonly tone?: "primary" | "danger";
}

export interface Question {
  readonly title: string;
  readonly body: TemplateResult;
  /** The last one is the careful one: it has the focus. Escape answers "". */
  readonly answers: readonly QuestionAnswer[];
  /** A box to tick, e.g. not to be asked again. */
  readonly tick?: string;
}

class QuestionDialog extends LightElement {
  static override properties = { question: { attribute: false } };
  declare question: Question | null;

  constructor() {
    super();
    this.question = null;
  }

  protected override render(): TemplateResult | typeof nothing {
    if (this.question === null) return nothing;
    const { title, body, answers, tick } = this.question;
    return html`<dialog class="question" aria-labelledby="question-title">
      <form method="dialog">
        <h2 id="question-title">${title}</h2>
        ${body}
        ${tick === undefined ? nothing : html`<label class="tick"><input type="checkbox" name="tick" />${tick}</label>`}
        <div class="actions">
          ${answers.map(
            (answer, index) => html`<button class="button ${answer.tone ?? ""}" value=${answer.value} ?autofocus=${index === answers.length - 1}>${answer.label}</button>`,
          )}
        </div>
      </form>
    </dialog>`;
  }
}

customElements.define("pg-question", QuestionDialog);

/** Asks the person, who can do nothing else meanwhile. The focus goes back to where it was. */
export async function ask(question: Question): Promise<{ answer: string; ticked: boolean }> {
  const element = new QuestionDialog();
  element.question = question;
  document.body.append(element);
  await element.updateComplete;
  const dialog = element.querySelector("dialog");
  const before = document.activeElement;
  if (dialog === null) throw new Error("a question has a dialog");
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  const ticked = element.querySelector<HTMLInputElement>("input[name=tick]")?.checked ?? false;
  element.remove();
  if (before instanceof HTMLElement) before.focus();
  return { answer: dialog.returnValue, ticked };
}
