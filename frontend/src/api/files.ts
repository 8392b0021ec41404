import { answer, ApiError, csrfToken, problemOf, ROOT } from "./client.js";

/** Files of a machine. Everything raises ApiError. */

interface Listing {
  readonly items: readonly { readonly name: string; readonly type: string }[];
  /** There are more than are listed. */
  readonly truncated: boolean;
}

export interface Place {
  readonly session: string;
  readonly machine: string;
}

function address(place: Place, path: string, list = false): string {
  const query = new URLSearchParams({ path, machine: place.machine });
  return `/sessions/${encodeURIComponent(place.session)}/files${list ? "/list" : ""}?${query.toString()}`;
}

/** The names in a directory; none when it is not there. Null: there are too many to be told. */
export async function namesIn(place: Place, directory: string): Promise<ReadonlySet<string> | null> {
  try {
    const listing = await answer<Listing>("GET", address(place, directory, true));
    return listing.truncated ? null : new Set(listing.items.map((item) => item.name));
  } catch (error) {
    if (error instanceof ApiError && error.code === "file_not_found") return new Set();
    throw error;
  }
}

/** Home of the machine's user, or `/tmp` where that can't be known. */
export async function home(place: Place): Promise<string> {
  try {
    const path = `/sessions/${encodeURIComponent(place.session)}/exec`;
    const command = ["sh", "-c", 'printf %s "$HOME"'];
    const { stdout } = await answer<{ stdout: string }>("POST", path, { command, machine: place.machine, timeout_seconds: 5 });
    return stdout.startsWith("/") ? stdout : "/tmp";
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return "/tmp";
  }
}

/** Writes a file, replacing what is there. `sent` hears how many bytes are on their way; `signal` takes it back. */
export function putFile(place: Place, path: string, file: File, sent: (bytes: number) => void, signal: AbortSignal): Promise<void> {
  // fetch does not tell how far an upload is.
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject) => {
    const abort = (): void => request.abort();
    signal.addEventListener("abort", abort, { once: true });
    request.upload.onprogress = (event) => sent(event.loaded);
    request.onload = () => {
      if (request.status < 300) resolve();
      else reject(problemOf(request.status, request.responseText));
    };
    request.onerror = () => reject(new ApiError(0, "network", "The server can’t be reached. The file was not uploaded."));
    request.onabort = () => reject(new ApiError(0, "aborted", "Cancelled."));
    request.onloadend = () => signal.removeEventListener("abort", abort);
    request.open("PUT", ROOT + address(place, path));
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.send(file);
  });
}
