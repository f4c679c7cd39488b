/** Files that the reader takes away. */
import { type Cell, csv } from "./csv.ts";

export function saveBlob(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function saveCsv(name: string, heads: readonly string[], rows: readonly (readonly Cell[])[]): void {
  // The mark at the beginning lets spreadsheets read it as UTF-8.
  saveBlob(`${fileName(name)}.csv`, new Blob(["\ufeff", csv(heads, rows)], { type: "text/csv;charset=utf-8" }));
}

export function fileName(title: string): string {
  return `defimon-${title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "")}`;
}
