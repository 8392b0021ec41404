import { html, nothing } from "lit";
import { ask } from "../ui/question.js";
import { inspectPaste, oneLine, preview, type Paste } from "./paste.js";
import { changeSettings, settings } from "./settings-store.js";

/** What of it is to be pasted: nothing (null) when the person, asked where it matters, says no. */
export async function allowedPaste(given: string, marked: boolean): Promise<string | null> {
  const paste = inspectPaste(given, marked, settings().pasteWarning);
  if (!paste.ask) return paste.text;
  const { shown, more } = preview(paste.text);
  const several = paste.lines > 1;
  const { answer, ticked } = await ask({
    title: several ? `Paste ${paste.lines} lines?` : "Paste this?",
    body: html`<p>${words(paste, marked)}</p>
      <pre class="paste-preview" tabindex="0" aria-label="What will be pasted">${shown}</pre>
      ${more > 0 ? html`<p class="small-text">and ${more} more ${more === 1 ? "line" : "lines"}</p>` : nothing}`,
    tick: "Don’t ask again (the settings of terminals can turn it on)",
    answers: [
      { value: "paste", label: "Paste", tone: "primary" },
      ...(several ? [{ value: "line", label: "Paste as one line" }] : []),
      { value: "", label: "Cancel" },
    ],
  });
  if (answer === "") return null;
  if (ticked) changeSettings({ pasteWarning: "never" });
  return answer === "line" ? oneLine(paste.text) : paste.text;
}

function removedWords(count: number): string {
  if (count === 0) return "";
  return count === 1 ? "1 control character was taken out of it." : `${count} control characters were taken out of it.`;
}

function words(paste: Paste, marked: boolean): string {
  const parts = [
    paste.lines > 1 && !marked ? "The program here takes each line as typed: a shell runs every one at once." : "",
    paste.lines > 1 && marked ? "The program here takes them as one piece, and runs nothing by itself." : "",
    removedWords(paste.removed),
    `${paste.text.length.toLocaleString("en")} characters in all.`,
  ];
  return parts.filter((part) => part !== "").join(" ");
}
