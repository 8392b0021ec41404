/** The light, dark or system buttons: at once here, and kept by the server in a cookie for the next page. */
export function installTheme(): void {
  const form = document.querySelector<HTMLFormElement>("form.theme");
  form?.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!(button instanceof HTMLButtonElement)) return;
    event.preventDefault();
    apply(form, button.value);
    const body = new FormData(form, button);
    // When it can't be kept, the next page shows the old choice; nothing else is lost.
    void fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => undefined);
  });
}

function apply(form: HTMLFormElement, theme: string): void {
  document.documentElement.dataset["theme"] = theme;
  for (const button of form.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.value === theme));
  }
}
