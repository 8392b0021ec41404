import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("."),
  // Relative, so that the site may be served from any static prefix.
  base: "./",
  build: {
    outDir: here("../playground/static/build"),
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    // Icons come with the style sheet: each by itself, they would be missing for a moment. Fonts would make it wait.
    assetsInlineLimit: (path) => path.endsWith(".svg"),
    modulePreload: { polyfill: false },
    // xterm.js is one piece.
    chunkSizeWarningLimit: 700,
    rollupOptions: {
      input: {
        style: here("src/styles/site.css"),
        site: here("src/site.ts"),
        catalogue: here("src/catalogue.ts"),
        session: here("src/session.ts"),
        playback: here("src/playback.ts"),
        join: here("src/join.ts"),
        watch: here("src/watch.ts"),
      },
    },
  },
  // Nothing here is about time: a limit only ends what never would.
  test: { include: ["tests/**/*.test.ts"], environment: "node", testTimeout: 60_000 },
});
