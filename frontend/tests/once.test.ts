import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Once } from "../src/ui/once.js";

/** The parts of a form and its button that count, and whether the browser sends it. */
class Form {
  readonly dataset: Record<string, string>;
  readonly button = { disabled: false, textContent: "Start again" };

  constructor(words?: string) {
    this.dataset = words === undefined ? {} : { once: words };
  }

  sent(once: Once, submitter: unknown = this.button): boolean {
    let sent = true;
    const event = { target: this, submitter, defaultPrevented: false, preventDefault: () => (sent = false) };
    once.submit(event as unknown as SubmitEvent);
    return sent;
  }
}

describe("a form that makes something new", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("is sent once, however fast the second click comes", () => {
    const once = new Once();
    const form = new Form("Starting…");
    expect([form.sent(once), form.sent(once)]).toEqual([true, false]);
    vi.runAllTimers();
    expect(form.sent(once)).toBe(false);
  });

  it("says that it is on its way, once it is: a disabled button is not sent", () => {
    const form = new Form("Starting…");
    form.sent(new Once());
    expect(form.button).toEqual({ disabled: false, textContent: "Start again" });
    vi.runAllTimers();
    expect(form.button).toEqual({ disabled: true, textContent: "Starting…" });
  });

  it("is sent once without a button too", () => {
    const once = new Once();
    const form = new Form("Starting…");
    expect([form.sent(once, null), form.sent(once, null)]).toEqual([true, false]);
  });

  it("keeps no other form from being sent", () => {
    const once = new Once();
    new Form("Starting…").sent(once);
    const usual = new Form();
    expect([new Form("Starting…").sent(once), usual.sent(once), usual.sent(once)]).toEqual([true, true, true]);
    vi.runAllTimers();
    expect(usual.button.disabled).toBe(false);
  });
});
