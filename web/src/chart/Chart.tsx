/** A chart in a panel: with a legend, the same figures as a table, and both to take away. */
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { EChartsCoreOption, EChartsType } from "echarts/core";
import { useTheme } from "../app/theme.ts";
import { Icon } from "../parts/Icon.tsx";
import { Panel } from "../parts/Panel.tsx";
import type { Cell } from "../parts/csv.ts";
import { saveCsv } from "../parts/save.ts";
import { Table } from "../table/Table.tsx";
import { type Hue, type Palette, palette } from "./palette.ts";
import { savePicture } from "./picture.ts";

/** What the chart shows, for who reads it as a table: texts to show, and the bare values for the file. */
export interface ChartTable {
  heads: readonly string[];
  rows: readonly (readonly Cell[])[];
  /** How a cell is shown; as it is unless given. */
  show?: (value: Cell, column: number) => string;
}

export interface LegendEntry {
  name: string;
  hue: Hue;
  kind?: "line" | "band" | "dash";
}

export interface ChartProps {
  title: string;
  about?: ReactNode;
  /** One sentence that says what there is to see, for who does not see it. */
  summary: string;
  /** The option for ECharts; keep it the same object while nothing changes (useCallback). */
  option: (colours: Palette) => EChartsCoreOption;
  table: ChartTable;
  legend?: readonly LegendEntry[];
  /** Choices beside the heading. */
  actions?: ReactNode;
  height?: number;
  className?: string;
}

export function Chart({ title, about, summary, option, table, legend, actions, height = 300, className }: ChartProps) {
  const [asTable, setAsTable] = useState(false);
  const chart = useRef<EChartsType>(null);
  const buttons = (
    <>
      {actions}
      <button
        type="button" className="icon-button icon-button-small" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}
        aria-label={`${title}: as a table`} title="As a table"
      ><Icon name="table" size={17} /></button>
      <button
        type="button" className="icon-button icon-button-small" aria-label={`${title}: save as CSV`} title="Save as CSV"
        onClick={() => saveCsv(title, table.heads, table.rows)}
      ><Icon name="download" size={17} /></button>
      <button
        type="button" className="icon-button icon-button-small" aria-label={`${title}: save as PNG`} title="Save as PNG" disabled={asTable}
        onClick={() => { if (chart.current) void savePicture(title, chart.current, palette(), legend ?? []); }}
      ><Icon name="image" size={17} /></button>
    </>
  );
  return (
    <Panel title={title} about={about} actions={buttons} flush={asTable} className={className ?? ""}>
      {asTable ? (
        <ChartAsTable title={title} table={table} height={height} />
      ) : (
        <>
          {legend && legend.length > 1 && <Legend entries={legend} />}
          <Canvas label={`${title}. ${summary}`} option={option} height={height} chart={chart} />
        </>
      )}
    </Panel>
  );
}

function Legend({ entries }: { entries: readonly LegendEntry[] }) {
  return (
    <ul className="legend" aria-hidden="true">
      {entries.map(({ name, hue, kind }) => (
        <li
          key={name} style={{ "--tip": `var(--${hue})` } as React.CSSProperties}
          data-band={kind === "band" ? "" : undefined} data-dash={kind === "dash" ? "" : undefined}
        >{name}</li>
      ))}
    </ul>
  );
}

interface CanvasProps {
  label: string;
  option: (colours: Palette) => EChartsCoreOption;
  height: number;
  chart: React.RefObject<EChartsType | null>;
}

function Canvas({ label, option, height, chart }: CanvasProps) {
  const box = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  const [ready, setReady] = useState(false);

  useEffect(() => {
    let gone = false;
    let watch: ResizeObserver | undefined;
    void import("./engine.ts").then(({ init }) => {
      if (gone || !box.current) return;
      const made = init(box.current);
      chart.current = made;
      watch = new ResizeObserver(() => made.resize());
      watch.observe(box.current);
      setReady(true);
    });
    return () => {
      gone = true;
      watch?.disconnect();
      chart.current?.dispose();
      chart.current = null;
      setReady(false);
    };
  }, [chart]);

  useEffect(() => {
    if (ready) chart.current?.setOption(option(palette()), { notMerge: true });
  }, [ready, option, theme, chart]);

  return (
    <div className="chart-canvas" style={{ height }} role="img" aria-label={label}>
      <div ref={box} style={{ height }} />
      {!ready && <div className="skeleton" style={{ position: "absolute", inset: 0 }} />}
    </div>
  );
}

const NEWEST_FIRST = { key: "0", descending: true };

function ChartAsTable({ title, table, height }: { title: string; table: ChartTable; height: number }) {
  const columns = table.heads.map((head, at) => ({
    key: String(at),
    title: head,
    width: at === 0 ? "minmax(130px, 1.2fr)" : "minmax(96px, 1fr)",
    ...(at > 0 ? { align: "end" as const } : {}),
    cell: (row: readonly Cell[]) => (table.show ? table.show(row[at], at) : String(row[at] ?? "–")),
    value: (row: readonly Cell[]) => row[at],
  }));
  return <Table label={title} columns={columns} rows={table.rows} rowKey={(_, at) => String(at)} height={height + 30} rowHeight={34} sort={NEWEST_FIRST} />;
}
