export interface FileDropListener {
  /** Files are over the terminal, or no longer. */
  hover(over: boolean): void;
  /** `directories`: their places in `files`. */
  files(files: readonly File[], directories: ReadonlySet<number>): void;
  text(text: string): void;
}

/** Files and text that are dropped on `host`. Anything else, e.g. a tab that is dragged, is not ours. */
export function acceptDrops(host: HTMLElement, listener: FileDropListener): void {
  let inside = 0;
  const kind = (event: DragEvent): "files" | "text" | null => {
    const types = event.dataTransfer?.types ?? [];
    if (types.includes("Files")) return "files";
    return types.includes("text/plain") ? "text" : null;
  };
  host.addEventListener("dragenter", (event) => {
    if (kind(event) === null) return;
    event.preventDefault();
    inside += 1;
    listener.hover(kind(event) === "files");
  });
  host.addEventListener("dragover", (event) => {
    if (kind(event) === null || event.dataTransfer === null) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  host.addEventListener("dragleave", () => {
    inside = Math.max(0, inside - 1);
    if (inside === 0) listener.hover(false);
  });
  host.addEventListener("drop", (event) => {
    const what = kind(event);
    inside = 0;
    listener.hover(false);
    if (what === null || event.dataTransfer === null) return;
    event.preventDefault();
    if (what === "text") return listener.text(event.dataTransfer.getData("text/plain"));
    const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
    const directories = items.flatMap((item, index) => (item.webkitGetAsEntry()?.isDirectory === true ? [index] : []));
    listener.files([...event.dataTransfer.files], new Set(directories));
  });
}
