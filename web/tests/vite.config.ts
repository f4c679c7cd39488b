/** Tests of what needs no browser, put together for Node's own test runner. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = fileURLToPath(new URL(".", import.meta.url));
const files = readdirSync(here).filter((name) => name.endsWith(".test.ts"));

export default defineConfig({
  root: here,
  logLevel: "error",
  build: {
    ssr: true,
    outDir: join(here, "../node_modules/.tests"),
    emptyOutDir: true,
    rollupOptions: { input: Object.fromEntries(files.map((name) => [name.replace(/\.ts$/, ""), join(here, name)])) },
  },
});
