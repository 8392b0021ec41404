/** Files that somebody drops on a terminal, before they are sent. Pure. */

/** The most that the server takes of one file, in bytes. */
export const MOST_BYTES = 64 * 1024 * 1024;
/** More at once is a mistake, or something for an archive. */
export const MOST_FILES = 100;

export interface Dropped {
  readonly name: string;
  readonly size: number;
  readonly directory: boolean;
}

export interface Refusal {
  readonly name: string;
  readonly why: string;
}

/** Which of these can be uploaded, by index, and why not the others. */
export function planUpload(files: readonly Dropped[]): { accepted: readonly number[]; refused: readonly Refusal[] } {
  const accepted: number[] = [];
  const refused: Refusal[] = [];
  const names = new Set<string>();
  files.forEach((file, index) => {
    const why = reason(file, names, accepted.length);
    if (why !== null) return refused.push({ name: file.name, why });
    names.add(file.name);
    return accepted.push(index);
  });
  return { accepted, refused };
}

function reason(file: Dropped, names: ReadonlySet<string>, accepted: number): string | null {
  if (file.directory) return "is a directory; pack it into an archive first";
  if (!isName(file.name)) return "has a name that no file in the machine can have";
  if (names.has(file.name)) return "is there twice";
  if (file.size > MOST_BYTES) return "is larger than 64 MiB";
  return accepted >= MOST_FILES ? `is beyond the first ${MOST_FILES}` : null;
}

function isName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name) && new TextEncoder().encode(name).length <= 255;
}

/** Where the file will be; null: `directory` is no absolute path that the server takes. */
export function destination(directory: string, name: string): string | null {
  const path = directory.trim().replace(/\/+$/, "");
  if (!directory.trim().startsWith("/") || /\0/.test(path) || path.split("/").includes("..")) return null;
  return `${path}/${name}`;
}

/** Share that has arrived, 0 to 1. */
export function progressOf(sent: number, total: number): number {
  return total === 0 ? 1 : Math.min(1, sent / total);
}
