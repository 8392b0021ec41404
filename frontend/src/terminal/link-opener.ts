import { html } from "lit";
import { ask } from "../ui/question.js";
import { judgeLink } from "./links.js";

/** Opens a link of the output, or answers why not. Asks where its words and its target do not go together. */
export async function openLink(given: string, text: string): Promise<string | null> {
  const verdict = judgeLink(given, text);
  if (verdict.kind === "refuse") return verdict.why;
  if (verdict.kind === "ask") {
    const { answer } = await ask({
      title: "Open this link?",
      body: html`<p>${verdict.why}</p>
        <p class="link-target"><code>${verdict.target}</code></p>`,
      answers: [
        { value: "open", label: "Open it" },
        { value: "", label: "Cancel" },
      ],
    });
    if (answer !== "open") return null;
  }
  // No opener, no referrer: the page at the other end learns nothing about this one.
  window.open(verdict.target, "_blank", "noopener,noreferrer");
  return null;
}
