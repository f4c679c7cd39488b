/** Lines and bands over time or over a quantity: most charts of the dashboard. */
import { type ReactNode, useMemo } from "react";
import type { EChartsCoreOption } from "echarts/core";
import { figure, utcDay, utcTime } from "../format.ts";
import type { Cell } from "../parts/csv.ts";
import { Chart, type LegendEntry } from "./Chart.tsx";
import { HUES, type Hue, type Palette } from "./palette.ts";
import { type TipLine, tip } from "./tip.ts";

/** x is a moment in milliseconds or a quantity; a null is a gap and stays one. */
export type Point = readonly [x: number, y: number | null];

export interface Line {
  name: string;
  points: readonly Point[];
  hue?: Hue;
  dashed?: boolean;
  /** Filled down to zero: drawdowns, volumes. */
  area?: boolean;
  /** Points alone, without a line between. */
  dots?: boolean;
  /** Drawn against the right axis, with its own format. */
  right?: boolean;
  bars?: boolean;
}

export interface Band {
  name: string;
  points: readonly (readonly [x: number, low: number, high: number])[];
  hue?: Hue;
}

export interface Mark {
  x: number;
  name: string;
}

/** Writes a value with its unit; ticks that lie closer than it tells apart ask for more digits. */
export type Format = (value: number | null | undefined, digits?: number) => string;

interface Props {
  title: string;
  about?: ReactNode;
  summary: string;
  lines: readonly Line[];
  bands?: readonly Band[];
  /** Moments or quantities to be pointed at. */
  marks?: readonly Mark[];
  /** How values and ticks are written. */
  format: Format;
  formatRight?: Format;
  /** UTC days (default), moments, or a quantity. */
  x?: "day" | "time" | "value" | "log";
  /** Name of the x axis: needed where it is a quantity. */
  xName?: string;
  formatX?: (value: number) => string;
  /** Let the value axis begin where the data do, not at zero. */
  scale?: boolean;
  /** Where the value axes end: 1 for shares. */
  top?: number;
  topRight?: number;
  actions?: ReactNode;
  height?: number;
  className?: string;
}

export function LineChart(props: Props) {
  const { title, about, summary, lines, bands = [], format, x = "day", actions, height, className } = props;
  const told = useMemo(() => coloured(lines), [lines]);
  const option = useMemo(() => (colours: Palette) => optionOf(props, told, colours), [props, told]);
  const table = useMemo(() => tableOf(props, told), [props, told]);
  const legend: LegendEntry[] = [
    ...told.map((line) => ({ name: line.name, hue: line.hue, kind: line.dashed ? ("dash" as const) : ("line" as const) })),
    ...bands.map((band) => ({ name: band.name, hue: band.hue ?? "series-1", kind: "band" as const })),
  ];
  const show = (value: Cell, column: number) => {
    if (column === 0) return x === "day" || x === "time" ? String(value) : written(props, Number(value));
    const right = told[column - 1]?.right;
    return typeof value === "number" ? (right ? (props.formatRight ?? format) : format)(value) : "–";
  };
  return (
    <Chart
      title={title} about={about} summary={summary} option={option} table={{ ...table, show }} legend={legend} actions={actions}
      {...(height ? { height } : {})} {...(className ? { className } : {})}
    />
  );
}

/** An axis up to a given end, with ticks that come out even. */
function ends(top: number | undefined) {
  return top === undefined ? {} : { max: top, interval: top / 5 };
}

/** How ticks of time are written: each says its month or year. */
const TIMES = { year: "{yyyy}", month: "{MMM} {yyyy}", day: "{d} {MMM}", hour: "{HH}:{mm}", minute: "{HH}:{mm}", none: "{d} {MMM}" };

/** A tick without zeros that say nothing: 15.00 % is 15 %. */
function rounded(text: string): string {
  return text.replace(/\.0+(?=\D|$)/, "").replace(/(\.\d*[1-9])0+(?=\D|$)/, "$1");
}

/** The least and the greatest value of one axis. */
function span(lines: readonly Coloured[], bands: readonly Band[], right: boolean): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  const see = (value: number | null) => {
    if (value === null) return;
    low = Math.min(low, value);
    high = Math.max(high, value);
  };
  for (const line of lines) if (Boolean(line.right) === right) for (const [, y] of line.points) see(y);
  if (!right) for (const band of bands) for (const [, least, most] of band.points) { see(least); see(most); }
  return [low, high];
}

const TICKS = 5;
const MORE_DIGITS = 5;

function ticks(own: Format, [low, high]: [number, number]): (value: number) => string {
  const step = (high > low ? high - low : Math.abs(high)) / TICKS;
  const alike = own(low) === own(low + step) && step > 0;
  return (value) => rounded(own(value, alike ? MORE_DIGITS : undefined));
}

type Coloured = Line & { hue: Hue };

function coloured(lines: readonly Line[]): Coloured[] {
  return lines.map((line, at) => ({ ...line, hue: line.hue ?? HUES[at % HUES.length] ?? "series-1" }));
}

function written({ x = "day", formatX }: Props, value: number): string {
  if (formatX) return formatX(value);
  if (x === "day") return utcDay(new Date(value));
  return x === "time" ? utcTime(new Date(value)) : figure(value);
}

function tableOf(props: Props, lines: readonly Coloured[]) {
  const { bands = [], x = "day" } = props;
  const byX = new Map<number, Cell[]>();
  const width = lines.length + bands.length * 2;
  const row = (at: number) => {
    const known = byX.get(at);
    if (known) return known;
    const made: Cell[] = new Array<Cell>(width).fill(null);
    byX.set(at, made);
    return made;
  };
  lines.forEach((line, at) => line.points.forEach(([where, y]) => { row(where)[at] = y; }));
  bands.forEach((band, at) =>
    band.points.forEach(([where, low, high]) => row(where).splice(lines.length + at * 2, 2, low, high)),
  );
  const isTime = x === "day" || x === "time";
  const rows = [...byX.entries()].sort(([one], [other]) => one - other)
    .map(([at, cells]) => [isTime ? new Date(at).toISOString().slice(0, x === "day" ? 10 : 19) : at, ...cells]);
  const heads = [
    x === "day" ? "Day (UTC)" : x === "time" ? "Time (UTC)" : (props.xName ?? "x"),
    ...lines.map((line) => line.name),
    ...bands.flatMap((band) => [`${band.name}, low`, `${band.name}, high`]),
  ];
  return { heads, rows };
}

function optionOf(props: Props, lines: readonly Coloured[], colours: Palette): EChartsCoreOption {
  const { bands = [], marks = [], format, x = "day", xName, scale = true, top, topRight } = props;
  const label = { color: colours.quiet, fontFamily: colours.font, fontSize: 11 };
  const right = lines.some((line) => line.right);
  const isTime = x === "day" || x === "time";
  const valueAxis = (own: Format, shown: boolean, aligned: boolean) => ({
    type: "value", scale: aligned && scale, ...ends(aligned ? top : topRight), axisLine: { show: false }, axisTick: { show: false }, position: aligned ? "left" : "right", splitNumber: 4,
    axisLabel: { ...label, formatter: ticks(own, span(lines, bands, !aligned)) },
    splitLine: { show: shown, lineStyle: { color: colours.line } }, axisPointer: { show: false },
  });
  return {
    animation: false,
    useUTC: x === "day",
    textStyle: { fontFamily: colours.font },
    grid: { left: 4, right: right ? 4 : 14, top: 12, bottom: xName ? 22 : 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: {
      type: isTime ? "time" : x, name: xName, nameLocation: "middle", nameGap: 26, nameTextStyle: label,
      axisLabel: { ...label, hideOverlap: true, ...(isTime ? { formatter: TIMES } : { formatter: (value: number) => written(props, value) }) },
      axisLine: { onZero: false, lineStyle: { color: colours.strong } }, axisTick: { show: false }, splitLine: { show: false },
    },
    yAxis: [valueAxis(format, true, true), ...(right ? [valueAxis(props.formatRight ?? format, false, false)] : [])],
    dataZoom: [{ type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false }],
    tooltip: {
      trigger: "axis", confine: true, padding: [8, 11], backgroundColor: colours.surface, borderColor: colours.strong, borderWidth: 1,
      axisPointer: { type: "line", lineStyle: { color: colours.strong, type: "dashed" } },
      formatter: (told: unknown) => tipOf(props, lines, told),
    },
    series: [...bands.flatMap((band, at) => bandSeries(band, at, colours)), ...lines.map((line, at) => lineSeries(line, at === 0 ? marks : [], colours))],
  };
}

function lineSeries(line: Coloured, marks: readonly Mark[], colours: Palette) {
  const colour = colours.of(line.hue);
  const single = line.points.length === 1;
  return {
    id: `line ${line.name}`, name: line.name, type: line.bars ? "bar" : line.dots ? "scatter" : "line", data: line.points, yAxisIndex: line.right ? 1 : 0,
    color: colour, showSymbol: single, symbolSize: line.dots ? 5 : single ? 6 : 0, z: line.hue === "series-quiet" ? 2 : 3, connectNulls: false, barMaxWidth: 14,
    lineStyle: { color: colour, width: 1.75, type: line.dashed ? "dashed" : "solid" },
    ...(line.area ? { areaStyle: { color: colour, opacity: 0.14 } } : {}),
    ...(line.bars ? { itemStyle: { opacity: 0.45 } } : {}),
    markLine: {
      symbol: "none", silent: true, animation: false, lineStyle: { color: colours.strong, type: "dashed" },
      label: { formatter: "{b}", color: colours.quiet, fontFamily: colours.font, fontSize: 11 },
      data: marks.map((mark) => ({ xAxis: mark.x, name: mark.name })),
    },
  };
}

/** Two stacked lines that are not seen; the ground between them is. */
function bandSeries(band: Band, at: number, colours: Palette) {
  const common = {
    type: "line", stack: `band ${at}`, stackStrategy: "all", symbol: "none", silent: true, lineStyle: { opacity: 0 }, z: 1, tooltip: { show: false },
  };
  return [
    { ...common, id: `low ${band.name}`, data: band.points.map(([x, low]) => [x, low]) },
    { ...common, id: `high ${band.name}`, data: band.points.map(([x, low, high]) => [x, high - low]), areaStyle: { color: colours.of(band.hue ?? "series-1"), opacity: 0.16 } },
  ];
}

function tipOf(props: Props, lines: readonly Coloured[], told: unknown): HTMLElement {
  const first = (Array.isArray(told) ? told[0] : told) as { axisValue?: number; value?: number[] } | undefined;
  const x = Number(first?.axisValue ?? first?.value?.[0]);
  const said: TipLine[] = [];
  for (const line of lines) {
    const y = line.points.find((point) => point[0] === x)?.[1];
    if (y !== undefined) said.push({ name: line.name, value: (line.right ? (props.formatRight ?? props.format) : props.format)(y), hue: line.hue });
  }
  for (const band of props.bands ?? []) {
    const point = band.points.find((one) => one[0] === x);
    if (point) said.push({ name: band.name, value: `${props.format(point[1])} to ${props.format(point[2])}`, hue: band.hue ?? "series-1" });
  }
  return tip(written(props, x), said);
}
