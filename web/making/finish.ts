/** What a build has beside its bundles: compressed forms, the list of pages, and the licences of what it holds. */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const BUNDLED = ["react", "react-dom", "scheduler", "echarts", "zrender", "tslib", "@fontsource-variable/inter"];
const TEXTS = /\.(js|css|html|svg|json|txt|webmanifest)$/;
/** Bytes below which compressing gains nothing. */
const SMALL = 600;

/** `root` holds src/pages and node_modules; `out` is where the bundles were written. */
export function finish(root: string, out: string): Plugin {
  return {
    name: "finish",
    apply: "build",
    closeBundle() {
      writeFileSync(join(out, "licences.txt"), licences(root));
      for (const entry of readdirSync(out, { recursive: true, withFileTypes: true })) {
        if (entry.isFile() && TEXTS.test(entry.name)) compress(join(entry.parentPath, entry.name));
      }
      // The last file: a server that runs takes the build once it is there.
      writeFileSync(join(out, "pages.json"), JSON.stringify(pages(root)));
    },
  };
}

/** First words of addresses that are a page's; the overview is at the root. */
function pages(root: string): string[] {
  const folders = readdirSync(join(root, "src/pages"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return ["", ...folders.map((entry) => entry.name).sort()];
}

function licences(root: string): string {
  return BUNDLED.map((name) => {
    const folder = join(root, "node_modules", name);
    const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
    const texts = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && /^(licen[cs]e|notice)/i.test(entry.name) && !entry.parentPath.includes("node_modules", folder.length),
    );
    const told = texts.map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8").trim());
    return `${name} ${about.version}\n\n${told.join("\n\n")}\n`;
  }).join(`\n${"=".repeat(80)}\n\n`);
}

function compress(path: string): void {
  const body = readFileSync(path);
  if (body.length < SMALL) return;
  writeFileSync(`${path}.gz`, gzipSync(body, { level: 9 }));
  writeFileSync(`${path}.br`, brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
}
