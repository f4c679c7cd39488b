/** A chart as a PNG, under its title. */
import type { EChartsType } from "echarts/core";
import { fileName, saveBlob } from "../parts/save.ts";
import type { Palette } from "./palette.ts";

const SCALE = 2;
const HEAD = 44;
const FOOT = 26;

export async function savePicture(title: string, chart: EChartsType, colours: Palette): Promise<void> {
  const drawn = chart.renderToCanvas({ pixelRatio: SCALE, backgroundColor: colours.surface });
  const canvas = document.createElement("canvas");
  canvas.width = drawn.width;
  canvas.height = drawn.height + (HEAD + FOOT) * SCALE;
  const pen = canvas.getContext("2d");
  if (!pen) return;
  pen.fillStyle = colours.surface;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(drawn, 0, HEAD * SCALE);
  pen.scale(SCALE, SCALE);
  pen.fillStyle = colours.text;
  pen.font = `600 15px ${colours.font}`;
  pen.fillText(title, 16, 27);
  pen.fillStyle = colours.quiet;
  pen.font = `400 11px ${colours.font}`;
  pen.fillText(`defimon · ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`, 16, canvas.height / SCALE - 10);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (blob) saveBlob(`${fileName(title)}.png`, blob);
}
