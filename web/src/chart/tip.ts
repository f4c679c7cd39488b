/** What a chart says under the pointer, as elements: a strict policy of the server forbids styles within text. */
import type { Hue } from "./palette.ts";

export interface TipLine {
  name: string;
  value: string;
  hue?: Hue;
}

export function tip(head: string, lines: readonly TipLine[]): HTMLElement {
  const box = document.createElement("div");
  box.className = "chart-tip";
  const title = document.createElement("b");
  title.textContent = head;
  box.append(title);
  for (const { name, value, hue } of lines) {
    const line = document.createElement("span");
    const label = document.createElement("i");
    label.textContent = name;
    if (hue) label.style.setProperty("--tip", `var(--${hue})`);
    line.append(label, value);
    box.append(line);
  }
  return box;
}
