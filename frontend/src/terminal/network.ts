/** Tells of the network coming and going, and of the page being looked at again. Answers how to stop. */
export function watchNetwork(wake: () => void, cut: () => void): () => void {
  const abort = new AbortController();
  const until = { signal: abort.signal };
  const look = (): void => {
    if (document.visibilityState === "visible") wake();
  };
  addEventListener("online", look, until);
  addEventListener("offline", cut, until);
  document.addEventListener("visibilitychange", look, until);
  return () => abort.abort();
}
