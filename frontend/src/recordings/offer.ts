/** Offers to record where the chosen profile leaves that to the person. */
export function offerRecording(form: HTMLFormElement): void {
  const profile = form.querySelector<HTMLSelectElement>("select[name=profile]");
  const box = form.querySelector<HTMLInputElement>("input[name=record]");
  if (profile === null || box === null) return;
  const look = (): void => {
    box.disabled = profile.selectedOptions[0]?.dataset["recording"] !== "on_request";
  };
  profile.addEventListener("change", look);
  look();
}
