/** Two or more results side by side: growth, figures, and the choices in which they differ. */
import { useEffect, useMemo, useState } from "react";
import { ask } from "../../api/client.ts";
import { Problem } from "../../api/problem.ts";
import type { Backtest, BacktestResult, StrategyFigures } from "../../api/work.ts";
import { Link } from "../../app/router.tsx";
import { LineChart } from "../../chart/LineChart.tsx";
import { percent, title } from "../../format.ts";
import { Icon } from "../../parts/Icon.tsx";
import { Panel } from "../../parts/Panel.tsx";
import { SaveCsv } from "../../parts/SaveCsv.tsx";
import { ErrorState, Skeleton } from "../../parts/states.tsx";
import { type Column, Table } from "../../table/Table.tsx";
import { choicesOf } from "./Facts.tsx";
import { best, growthOf, pointsOf } from "./curves.ts";
import { FIGURES } from "./figures.tsx";

interface Side {
  backtest: Backtest;
  result: BacktestResult;
  letter: string;
}

type Row = StrategyFigures & { letter: string };

const BEST = "";
const LETTERS = "ABCDEFGH";
const MOST = LETTERS.length;

export function Compare({ ids }: { ids: readonly string[] }) {
  const { sides, problem } = useSides(ids);
  return (
    <div className="page">
      <Link href="/backtests" className="bt-back"><Icon name="back" size={16} />Backtests</Link>
      {problem && <ErrorState problem={problem} />}
      {!sides && !problem && <><Skeleton height={340} /><Skeleton height={260} /></>}
      {sides && <Compared sides={sides} />}
    </div>
  );
}

function useSides(ids: readonly string[]): { sides: Side[] | null; problem: Problem | null } {
  const [sides, setSides] = useState<Side[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    const stopping = new AbortController();
    const read = async (id: string, at: number): Promise<Side> => {
      const path = `/v1/backtests/${encodeURIComponent(id)}`;
      const asked = { signal: stopping.signal };
      const [backtest, result] = await Promise.all([ask<Backtest>(path, asked), ask<BacktestResult>(`${path}/result`, asked)]);
      if (backtest.state !== "done") throw new Problem(409, { title: "Not done yet", detail: `A backtest is ${backtest.state}.`, remedy: "Compare those that are done." });
      return { backtest, result, letter: LETTERS[at] ?? "" };
    };
    Promise.all(ids.slice(0, MOST).map(read)).then(setSides, (fault: unknown) => {
      if (!stopping.signal.aborted) setProblem(fault instanceof Problem ? fault : new Problem(0, { detail: String(fault) }));
    });
    return () => stopping.abort();
  }, [ids.join()]);
  return { sides, problem };
}

function Compared({ sides }: { sides: readonly Side[] }) {
  const [strategy, setStrategy] = useState(BEST);
  const common = sides.map((side) => side.result.summary.map((row) => row.strategy)).reduce((one, other) => one.filter((name) => other.includes(name)));
  const chosen = (side: Side) => strategy || (best(side.result.summary)?.strategy ?? "");
  const lines = useMemo(() => sides.map((side) => ({ name: `${side.letter}: ${title(chosen(side))}`, points: growthOf(side.result, chosen(side)) })), [sides, strategy]);
  const falls = useMemo(() => sides.map((side) => ({ name: `${side.letter}: ${title(chosen(side))}`, points: pointsOf(side.result, chosen(side), "drawdown") })), [sides, strategy]);
  const choose = (
    <label className="row">
      <span className="quiet">Strategy</span>
      <select className="select" value={strategy} onChange={(event) => setStrategy(event.target.value)}>
        <option value={BEST}>the best of each</option>
        {common.map((name) => <option key={name} value={name}>{title(name)}</option>)}
      </select>
    </label>
  );
  const told = sides.map((side) => `${side.letter} ${percent(growthOf(side.result, chosen(side)).at(-1)?.[1])}`).join(", ");
  return (
    <>
      <LineChart title="Growth" about="Gain on what was put in, after all costs" summary={`At the end: ${told}.`} lines={lines} format={percent} actions={choose} height={320} scale={false} />
      <LineChart title="Drawdown" about="How far the value lies below its highest so far" summary="Of the same strategies." lines={falls} format={percent} height={200} scale={false} />
      <Differences sides={sides} />
      <Figures sides={sides} />
    </>
  );
}

function Differences({ sides }: { sides: readonly Side[] }) {
  const rows = useMemo(() => {
    const all = sides.map((side) => new Map([...choicesOf(side.backtest.form), ["Data", side.result.data_hash.slice(0, 16)], ["Code", side.result.code_version]]));
    return [...(all[0]?.keys() ?? [])].map((name) => ({ name, values: all.map((one) => one.get(name) ?? "") })).filter((row) => new Set(row.values).size > 1);
  }, [sides]);
  type Row = (typeof rows)[number];
  const columns: Column<Row>[] = [
    { key: "name", title: "Choice", width: "minmax(110px, 1fr)", cell: (row) => row.name, value: (row) => row.name, fixed: true },
    ...sides.map((side, at) => ({
      key: side.letter, title: side.letter, width: "minmax(96px, 1.4fr)", fixed: true, value: (row: Row) => row.values[at],
      cell: (row: Row) => <span title={row.values[at]}>{row.values[at]}</span>,
    })),
  ];
  return (
    <Panel title="What differs" flush about={sides.map((side) => `${side.letter} has ${side.result.summary.length} strategies on ${side.result.pools} pools`).join("; ")} actions={<SaveCsv name="Backtests, what differs" columns={columns} rows={rows} />}>
      {rows.length === 0
        ? <p className="panel-body">Nothing: these are the same choices on the same data.</p>
        : <Table label="Choices that differ" columns={columns} rows={rows} rowKey={(row) => row.name} rowHeight={36} />}
    </Panel>
  );
}

function Figures({ sides }: { sides: readonly Side[] }) {
  const rows: Row[] = sides.flatMap((side) => side.result.summary.map((row) => ({ ...row, letter: side.letter })));
  const columns: Column<Row>[] = [
    {
      key: "letter", title: "Backtest", width: "88px", value: (row) => row.letter,
      cell: (row) => <Link href={`/backtests/${sides.find((side) => side.letter === row.letter)?.backtest.backtest_id ?? ""}`}>{row.letter}</Link>,
    },
    ...(FIGURES as readonly Column<Row>[]),
  ];
  return (
    <Panel title="All strategies" flush actions={<SaveCsv name="Backtests compared" columns={columns} rows={rows} />}>
      <Table label="All strategies of these backtests" columns={columns} rows={rows} rowKey={(row) => `${row.letter} ${row.strategy}`} rowHeight={40} />
    </Panel>
  );
}
