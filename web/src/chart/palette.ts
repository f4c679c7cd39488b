/** The theme's colours for what is drawn on a canvas, which CSS does not reach. */
import { colour } from "../app/theme.ts";

export type Hue = "series-1" | "series-2" | "series-3" | "series-4" | "series-5" | "series-6" | "series-quiet" | "good" | "bad" | "warn";

export const HUES: readonly Hue[] = ["series-1", "series-2", "series-3", "series-4", "series-5", "series-6"];

export interface Palette {
  of: (hue: Hue) => string;
  text: string;
  quiet: string;
  line: string;
  strong: string;
  surface: string;
  font: string;
}

export function palette(): Palette {
  return {
    of: colour,
    text: colour("text"),
    quiet: colour("text-3"),
    line: colour("line"),
    strong: colour("line-strong"),
    surface: colour("surface"),
    font: colour("font"),
  };
}
