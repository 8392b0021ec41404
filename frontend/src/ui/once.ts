/** What makes something new, and makes two when it is sent twice, says so by `data-once`: the button's words meanwhile. */
export function installOnce(): void {
  const once = new Once();
  document.addEventListener("submit", (event) => once.submit(event));
  addEventListener("pageshow", (event) => {
    // Coming back by the browser's button finds the button enabled again.
    if (event.persisted && document.querySelector("form[data-once]") !== null) location.reload();
  });
}

/** Lets each form go once. */
export class Once {
  readonly #gone = new WeakSet<EventTarget>();

  submit(event: Pick<SubmitEvent, "target" | "submitter" | "defaultPrevented" | "preventDefault">): void {
    const form = event.target as HTMLFormElement;
    const words = form.dataset["once"];
    if (words === undefined || event.defaultPrevented) return;
    // The second click may come before the button shows that the first one counted.
    if (this.#gone.has(form)) return event.preventDefault();
    this.#gone.add(form);
    const button = event.submitter as HTMLButtonElement | null;
    if (button === null) return;
    // After the form has gone: a disabled button is not sent.
    setTimeout(() => {
      button.disabled = true;
      button.textContent = words;
    });
  }
}
