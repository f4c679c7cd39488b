import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { finish } from "./making/finish.ts";

const root = fileURLToPath(new URL(".", import.meta.url));
const out = fileURLToPath(new URL("../src/defimon/web", import.meta.url));
const api = process.env["DEFIMON_API"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  root,
  plugins: [react(), finish(root, out)],
  server: { proxy: { "/v1": api, "/predict": api, "/health": api, "/ready": api } },
  build: {
    outDir: out,
    emptyOutDir: true,
    target: "es2022",
    // A strict policy of the server forbids data: scripts and fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 900,
  },
});
