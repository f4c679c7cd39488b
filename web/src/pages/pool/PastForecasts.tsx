/** What was said about the pool, and what came true. */
import { useMemo } from "react";
import type { PastForecast, PoolScorecard } from "../../api/types.ts";
import type { Answer } from "../../api/useAnswer.ts";
import { type Band, type Line, LineChart } from "../../chart/LineChart.tsx";
import { percent, points, share, title } from "../../format.ts";
import { Badge } from "../../parts/Badge.tsx";
import { Panel } from "../../parts/Panel.tsx";
import { SaveCsv } from "../../parts/SaveCsv.tsx";
import { Answered, Empty } from "../../parts/states.tsx";
import { Time } from "../../parts/Time.tsx";
import { type Column, Table } from "../../table/Table.tsx";
import { dayOf } from "./data.ts";

const COLUMNS: readonly Column<PastForecast>[] = [
  { key: "ts", title: "Day", width: "minmax(104px, 1fr)", cell: (row) => <Time at={row.ts} as="day" />, value: (row) => row.ts },
  { key: "said_at", title: "Stored", width: "minmax(150px, 1fr)", from: 900, hint: "When it was written down: before its days were over", csv: "said_at (UTC)", cell: (row) => <Time at={row.said_at} />, value: (row) => row.said_at },
  { key: "model", title: "Model", width: "minmax(96px, 1fr)", from: 620, cell: (row) => title(row.model), value: (row) => row.model },
  { key: "yhat", title: "Forecast", width: "minmax(76px, .8fr)", align: "end", cell: (row) => percent(row.yhat), value: (row) => row.yhat },
  { key: "y", title: "Came true", width: "minmax(86px, .8fr)", align: "end", cell: (row) => percent(row.y), value: (row) => row.y },
  { key: "error", title: "Error", width: "minmax(84px, .8fr)", align: "end", from: 480, cell: (row) => points(row.error), value: (row) => row.error },
  {
    key: "interval", title: "90 % interval", width: "minmax(150px, 1.2fr)", align: "end", from: 700,
    cell: (row) => <span className="quiet">{percent(row.q05)} to {percent(row.q95)}</span>, value: (row) => row.q95,
  },
  {
    key: "inside", title: "Held", width: "minmax(84px, .6fr)", align: "end", from: 420, value: (row) => row.inside,
    cell: (row) => (row.inside === null ? <span className="quiet">waiting</span> : row.inside ? <Badge tone="good">inside</Badge> : <Badge tone="bad">outside</Badge>),
  },
];

export function PastChart({ answer }: { answer: Answer<PoolScorecard> }) {
  const rows = answer.data?.rows;
  const { lines, bands } = useMemo(() => drawn(rows ?? []), [rows]);
  if (rows === undefined || rows.length === 0) {
    return (
      <Panel title="Past forecasts against truth">
        <Answered of={answer}>
          {() => <Empty title="No forecast yet"><p>Each forecast that is served is kept, and scored when its days are over.</p></Empty>}
        </Answered>
      </Panel>
    );
  }
  const { overall, fewest } = answer.data as PoolScorecard;
  const about = overall.mae === null
    ? `Figures are told from ${fewest} forecasts on whose days are over`
    : `Mean error ${percent(overall.mae)}, of today's rate carried forward ${percent(overall.yardstick_mae)}; ${share(overall.coverage)} lay inside the 90 % interval`;
  return <LineChart title="Past forecasts against truth" about={about} summary={about} lines={lines} bands={bands} format={percent} />;
}

export function PastTable({ answer }: { answer: Answer<PoolScorecard> }) {
  const rows = answer.data?.rows ?? [];
  if (rows.length === 0) return null;
  return (
    <Panel title="Each forecast" flush actions={<SaveCsv name="Past forecasts" columns={COLUMNS} rows={rows} />}>
      <Table label="Past forecasts" columns={COLUMNS} rows={rows} rowKey={(row) => `${row.ts} ${row.model} ${row.horizon}`} height={420} rowHeight={36} />
    </Panel>
  );
}

function drawn(rows: readonly PastForecast[]): { lines: Line[]; bands: Band[] } {
  const inOrder = [...rows].reverse();
  const points = (of: (row: PastForecast) => number | null) => inOrder.map((row) => [dayOf(row.ts), of(row)] as const);
  const bounded = inOrder.flatMap((row) => (row.q05 === null || row.q95 === null ? [] : [[dayOf(row.ts), row.q05, row.q95] as const]));
  return {
    lines: [
      { name: "Forecast", points: points((row) => row.yhat), hue: "series-3", dashed: true },
      { name: "Came true", points: points((row) => row.y), hue: "series-2" },
      { name: "Today's rate carried forward", points: points((row) => row.yardstick), hue: "series-quiet" },
    ],
    bands: bounded.length > 0 ? [{ name: "90 % interval", points: bounded, hue: "series-3" }] : [],
  };
}
