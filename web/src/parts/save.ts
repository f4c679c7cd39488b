/** Files that the reader takes away. */

export function saveBlob(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export type Cell = string | number | boolean | null | undefined;

/** CSV as RFC 4180 has it; a text that a spreadsheet would run as a formula is marked as text. */
export function csv(heads: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [heads, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

function cell(value: Cell): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function saveCsv(name: string, heads: readonly string[], rows: readonly (readonly Cell[])[]): void {
  // The mark at the beginning lets spreadsheets read it as UTF-8.
  saveBlob(`${fileName(name)}.csv`, new Blob(["\ufeff", csv(heads, rows)], { type: "text/csv;charset=utf-8" }));
}

export function fileName(title: string): string {
  return `defimon-${title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "")}`;
}
