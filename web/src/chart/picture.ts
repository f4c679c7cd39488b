/** A chart as a PNG, under its title and with its legend. */
import type { EChartsType } from "echarts/core";
import { fileName, saveBlob } from "../parts/save.ts";
import type { LegendEntry } from "./Chart.tsx";
import type { Palette } from "./palette.ts";

const SCALE = 2;
const HEAD = 64;
const FOOT = 26;
const EDGE = 16;

export async function savePicture(title: string, chart: EChartsType, colours: Palette, legend: readonly LegendEntry[]): Promise<void> {
  const drawn = chart.renderToCanvas({ pixelRatio: SCALE, backgroundColor: colours.surface });
  const canvas = document.createElement("canvas");
  canvas.width = drawn.width + 2 * EDGE * SCALE;
  canvas.height = drawn.height + (HEAD + FOOT) * SCALE;
  const pen = canvas.getContext("2d");
  if (!pen) return;
  pen.fillStyle = colours.surface;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(drawn, EDGE * SCALE, HEAD * SCALE);
  pen.scale(SCALE, SCALE);
  pen.fillStyle = colours.text;
  pen.font = `600 15px ${colours.font}`;
  pen.fillText(title, EDGE, 27);
  drawLegend(pen, legend, colours);
  pen.fillStyle = colours.quiet;
  pen.font = `400 11px ${colours.font}`;
  pen.fillText(`defimon · ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`, EDGE, canvas.height / SCALE - 10);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (blob) saveBlob(`${fileName(title)}.png`, blob);
}

function drawLegend(pen: CanvasRenderingContext2D, legend: readonly LegendEntry[], colours: Palette): void {
  let x = EDGE;
  pen.font = `500 11.5px ${colours.font}`;
  for (const { name, hue, kind } of legend) {
    pen.globalAlpha = kind === "band" ? 0.35 : 1;
    pen.fillStyle = colours.of(hue);
    if (kind === "dash") for (let part = 0; part < 2; part++) pen.fillRect(x + part * 8, 46, 5, 3);
    else pen.fillRect(x, kind === "band" ? 42 : 46, 14, kind === "band" ? 10 : 3);
    pen.globalAlpha = 1;
    pen.fillStyle = colours.quiet;
    pen.fillText(name, x + 20, 51);
    x += 20 + pen.measureText(name).width + 18;
  }
}
