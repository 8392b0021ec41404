import { html } from "lit";
import { api, ApiError } from "../api/client.js";
import type { TerminalInfo } from "../api/types.js";
import { ask } from "../ui/question.js";

/** Whether a terminal may be closed: at once while only its shell waits there, else as the person says. */
export async function mayClose(session: string, terminal: TerminalInfo, label: string): Promise<boolean> {
  const words = await whatWouldEnd(session, terminal);
  if (words === null) return true;
  const { answer } = await ask({
    title: `Close “${label}”?`,
    body: html`<p>${words}</p>`,
    answers: [
      { value: "close", label: "Close terminal", tone: "danger" },
      { value: "", label: "Keep it" },
    ],
  });
  return answer === "close";
}

async function whatWouldEnd(session: string, terminal: TerminalInfo): Promise<string | null> {
  try {
    const { command } = await api.terminalProcess(session, terminal.id);
    return command === null ? null : `${command} runs in it. Closing the terminal ends it.`;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // It is closed already, or its machine is gone: there is nothing to lose.
    if (error.status === 404 || error.status === 409) return null;
    return "Whether a program runs in it could not be found out. Closing the terminal would end it.";
  }
}
