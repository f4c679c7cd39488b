/** What came of a backtest: figures after all costs, curves, trades, and what speaks for caution. */
import { useMemo, useState } from "react";
import { useAnswer } from "../../api/useAnswer.ts";
import type { BacktestForm, BacktestResult, Trade, TradePage } from "../../api/work.ts";
import { poolHref } from "../../app/router.tsx";
import { LineChart } from "../../chart/LineChart.tsx";
import { HUES } from "../../chart/palette.ts";
import { figure, percent, points, share, title, usd, utcDay } from "../../format.ts";
import { Badge } from "../../parts/Badge.tsx";
import { Panel } from "../../parts/Panel.tsx";
import { SaveCsv } from "../../parts/SaveCsv.tsx";
import { Stat, Stats } from "../../parts/Stat.tsx";
import { Answered, Empty } from "../../parts/states.tsx";
import { type Column, Table } from "../../table/Table.tsx";
import { Facts } from "./Facts.tsx";
import { MOST_LINES, best, leading, pointsOf } from "./curves.ts";
import { FIGURES, FILE, versusRange } from "./figures.tsx";

export function Result({ result, path, form }: { result: BacktestResult; path: string; form: BacktestForm }) {
  const [shown, setShown] = useState<readonly string[]>(() => leading(result.summary, MOST_LINES));
  return (
    <>
      <Glance result={result} />
      <Notes result={result} />
      <Lines result={result} shown={shown} onShow={setShown} />
      <Panel title="Strategies" flush about="After all costs; the simplest rule is what the others have to beat" actions={<SaveCsv name="Backtest figures" columns={FILE} rows={result.summary} />}>
        <Table label="Strategies" columns={FIGURES} rows={result.summary} rowKey={(row) => row.strategy} rowHeight={40} />
      </Panel>
      <div className="columns">
        <div className="span-7"><Trades path={path} result={result} /></div>
        <div className="span-5"><Facts result={result} form={form} /></div>
      </div>
    </>
  );
}

function Glance({ result }: { result: BacktestResult }) {
  const top = best(result.summary);
  const hold = result.summary.find((row) => row.simplest);
  if (!top) return null;
  const luck = result.overfitting;
  return (
    <Stats label="At a glance">
      <Stat label="Best by final value" value={<span className="stat-word">{title(top.strategy)}</span>} note={`${usd(result.capital_usd)} became $${figure(top.final_value_usd, 0)}`} />
      <Stat label="Return a year" value={percent(top.annual_return)} note={hold ? `${title(hold.strategy)}: ${percent(hold.annual_return)}` : ""} />
      <Stat
        label="Against the simplest rule" value={top.versus_hold === null ? "–" : points(top.versus_hold)} note={top.versus_hold === null ? "it is the best itself" : versusRange(top)}
        tone={top.versus_hold_low !== null && top.versus_hold_low > 0 ? "good" : "plain"}
      />
      <Stat label="Deepest fall" value={percent(top.max_drawdown)} note="of the best one" />
      <Stat label="Best by luck" value={luck === null ? "–" : share(luck)} note={luck === null ? "cannot be said of these" : "probability of overfitting"} tone={luck !== null && luck > 0.5 ? "warn" : "plain"} />
      <Stat label="Period" value={<span className="stat-word">{figure(daysOf(result))} days</span>} note={`${utcDay(result.days[0] ?? "")} to ${utcDay(result.days[1] ?? "")}, ${figure(result.pools)} pools`} />
    </Stats>
  );
}

function daysOf(result: BacktestResult): number {
  return (Date.parse(result.days[1] ?? "") - Date.parse(result.days[0] ?? "")) / 86_400_000 + 1;
}

function Notes({ result }: { result: BacktestResult }) {
  const refused = Object.entries(result.refused);
  return (
    <div className="bt-notes">
      {result.stuck.length > 0 && (
        <p className="notice tone-warn" role="note">
          Not withdrawn at the end: {result.stuck.map((one) => `${usd(one.usd)} of ${title(one.strategy)} in ${one.pool_id}`).join("; ")}.
        </p>
      )}
      {result.identical.length > 0 && (
        <p className="notice" role="note">Made the same trades: {result.identical.map((pair) => pair.map(title).join(" and ")).join("; ")}.</p>
      )}
      {refused.length > 0 && (
        <details className="notice">
          <summary>{refused.length} {refused.length === 1 ? "strategy is" : "strategies are"} not here</summary>
          <ul>{refused.map(([name, why]) => <li key={name}><b>{title(name)}</b>: {why}</li>)}</ul>
        </details>
      )}
    </div>
  );
}

interface LinesProps {
  result: BacktestResult;
  shown: readonly string[];
  onShow: (names: readonly string[]) => void;
}

function Lines({ result, shown, onShow }: LinesProps) {
  const names = result.summary.map((row) => row.strategy);
  const of = (kind: "value_usd" | "drawdown") =>
    names.filter((name) => shown.includes(name)).map((name) => ({
      name: title(name), points: pointsOf(result, name, kind), hue: hueOf(names, name), dashed: name === result.benchmark, area: kind === "drawdown" && shown.length === 1,
    }));
  const values = useMemo(() => of("value_usd"), [result, shown]);
  const falls = useMemo(() => of("drawdown"), [result, shown]);
  const toggle = (name: string) => {
    const next = shown.includes(name) ? shown.filter((one) => one !== name) : [...shown, name];
    if (next.length > 0) onShow(next);
  };
  const end = result.summary.map((row) => `${title(row.strategy)} ${usd(row.final_value_usd)}`).join(", ");
  const deepest = result.summary.map((row) => `${title(row.strategy)} ${percent(row.max_drawdown)}`).join(", ");
  return (
    <>
      <fieldset className="bt-strategies">
        <legend>Strategies in the charts</legend>
        <div className="bt-lines">
          {names.map((name) => (
            <label key={name} className="check"><input type="checkbox" checked={shown.includes(name)} onChange={() => toggle(name)} />{title(name)}</label>
          ))}
        </div>
      </fieldset>
      <LineChart title="Value" about="USD at the end of each UTC day, after all costs" summary={`At the end: ${end}.`} lines={values} format={dollars} height={320} />
      <LineChart title="Drawdown" about="How far the value lies below its highest so far" summary={`Deepest: ${deepest}.`} lines={falls} format={percent} height={220} scale={false} />
    </>
  );
}

function dollars(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : `$${figure(value, 0)}`;
}

function hueOf(names: readonly string[], name: string) {
  return HUES[names.indexOf(name) % HUES.length] ?? "series-1";
}

const TRADES: readonly Column<Trade>[] = [
  {
    key: "day", title: "Day and strategy", width: "minmax(124px, 1.2fr)", csv: "day (UTC)", value: (row) => row.day,
    cell: (row) => <span className="grid-two"><span>{utcDay(row.day)}</span><span>{title(row.strategy)}</span></span>,
  },
  { key: "kind", title: "Move", width: "minmax(92px, .7fr)", csv: "kind", cell: (row) => <Badge tone={row.kind === "deposit" ? "good" : "plain"}>{row.kind}</Badge>, value: (row) => row.kind },
  { key: "pool_id", title: "Pool", width: "minmax(120px, 2fr)", from: 480, cell: (row) => <span title={row.pool_id}>{row.pool_id}</span>, value: (row) => row.pool_id },
  { key: "usd", title: "USD", width: "minmax(96px, .8fr)", align: "end", csv: "USD", cell: (row) => figure(row.usd, 2), value: (row) => row.usd },
];
const TRADES_FILE: readonly Column<Trade>[] = [...TRADES, { key: "strategy", title: "strategy", width: "", cell: (row) => row.strategy, value: (row) => row.strategy }];
const MOST_TRADES = 1_000;

function Trades({ path, result }: { path: string; result: BacktestResult }) {
  const answer = useAnswer<TradePage>(`${path}/trades`, { limit: MOST_TRADES });
  const rows = answer.data?.rows ?? [];
  const cut = answer.data?.next != null;
  return (
    <Panel
      title="Trades" flush about={cut ? `The first ${figure(rows.length)} of ${figure(answer.data?.total)}` : `${figure(result.trades)} deposits and withdrawals`}
      actions={rows.length > 0 && <SaveCsv name="Backtest trades" columns={TRADES_FILE} rows={rows} />}
    >
      <Answered of={answer}>
        {() => rows.length === 0
          ? <Empty title="No strategy traded" />
          : <Table label="Trades" columns={TRADES} rows={rows} rowKey={(_, at) => String(at)} href={(row) => poolHref(row.pool_id)} height={440} rowHeight={48} />}
      </Answered>
    </Panel>
  );
}
