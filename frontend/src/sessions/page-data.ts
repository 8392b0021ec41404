import type { ImageInfo, SessionInfo } from "../api/types.js";

/** What the server put into the session's page. */
export interface PageData {
  readonly session: SessionInfo;
  /** Names of what its environment had; the values are never told, and gone with its end. */
  readonly variables: readonly string[];
  readonly image: ImageInfo;
  readonly profile: {
    readonly title: string;
    /** What one press on Extend asks for, in seconds from now. */
    readonly lifetime_seconds: number;
    readonly max_lifetime_seconds: number;
  };
  /** The server's clock when it answered: a browser's may be wrong. */
  readonly now: string;
}

export function pageData(): PageData {
  const element = document.getElementById("page-data");
  if (element === null) throw new Error("the page has no data");
  return JSON.parse(element.textContent ?? "") as PageData;
}
