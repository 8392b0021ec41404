/** Links in the output, whose words and targets are a program's choice. Pure. */

export type LinkVerdict =
  | { readonly kind: "open"; readonly target: string }
  | { readonly kind: "ask"; readonly target: string; readonly why: string }
  | { readonly kind: "refuse"; readonly why: string };

/** The longest target that is opened, in characters. */
const LONGEST = 4096;

/** What may be done with a link to `given` whose words are `text`. */
export function judgeLink(given: string, text: string): LinkVerdict {
  const url = parsed(given);
  if (url === null) return { kind: "refuse", why: "This link leads to no address." };
  if (given.length > LONGEST) return { kind: "refuse", why: "This link is too long to be opened." };
  const target = url.href;
  if (url.protocol === "mailto:") return { kind: "ask", target, why: "This link writes an e-mail." };
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return { kind: "refuse", why: `Links that begin with ${url.protocol} are not opened.` };
  }
  if (url.username !== "" || url.password !== "") {
    return { kind: "ask", target, why: "This link carries a user name: where it leads is after the @." };
  }
  const promised = hostIn(text);
  if (promised !== null && promised !== url.hostname) {
    return { kind: "ask", target, why: `Its words say ${promised}, but it leads to ${url.hostname}.` };
  }
  return { kind: "open", target };
}

/** What is shown while the mouse is over a link. */
export function shownTarget(given: string): string {
  const href = parsed(given)?.href ?? given;
  const clean = href.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu, "");
  return clean.length > 200 ? `${clean.slice(0, 199)}…` : clean;
}

function parsed(given: string): URL | null {
  try {
    return new URL(given);
  } catch {
    return null;
  }
}

const LOOKS_LIKE_ADDRESS = /^(?:https?:\/\/|www\.)\S+$|^[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|edu|gov|io|dev|app)(?:[/:?#]\S*)?$/iu;

/** The host that these words look like, as in "https://example.org/x" or "example.org"; null: they are just words. */
function hostIn(text: string): string | null {
  const words = text.trim();
  if (!LOOKS_LIKE_ADDRESS.test(words)) return null;
  return parsed(/^https?:\/\//i.test(words) ? words : `https://${words}`)?.hostname ?? null;
}
