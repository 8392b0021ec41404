import type { IDisposable, IParser } from "@xterm/xterm";

/**
 * Programs ask terminals what they are (device attributes, cursor position, colours), and the answers arrive as typed
 * input. When old output is drawn again, those questions are old too: answering them would type into the shell.
 * While `replaying()`, they are swallowed; what the person types goes through untouched.
 */
export function muteOldQuestions(terminal: { readonly parser: IParser }, replaying: () => boolean): IDisposable {
  const parser = terminal.parser;
  const csi = [
    { final: "c" },
    { prefix: ">", final: "c" },
    { prefix: "=", final: "c" },
    { final: "n" },
    { prefix: "?", final: "n" },
    { intermediates: "$", final: "p" },
    { prefix: "?", intermediates: "$", final: "p" },
    { prefix: ">", final: "q" },
    { prefix: "?", final: "u" },
    { final: "t" },
  ];
  const mute = (): boolean => replaying();
  // OSC 52 is no question, but asks the person something: once is enough.
  const muteOsc = (data: string): boolean => replaying() && (data.includes("?") || data.includes(";"));
  const handlers = [
    ...csi.map((id) => parser.registerCsiHandler(id, mute)),
    parser.registerDcsHandler({ intermediates: "$", final: "q" }, mute),
    ...[4, 10, 11, 12].map((id) => parser.registerOscHandler(id, (data) => replaying() && data.includes("?"))),
    parser.registerOscHandler(52, muteOsc),
  ];
  return { dispose: () => handlers.forEach((handler) => handler.dispose()) };
}
