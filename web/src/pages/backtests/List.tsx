/** Backtests that were asked for, the newest first; two or more can be compared. */
import { useState } from "react";
import { useKey } from "../../api/key.ts";
import type { Answer } from "../../api/useAnswer.ts";
import type { Backtest, BacktestPage, BacktestState } from "../../api/work.ts";
import { Link } from "../../app/router.tsx";
import { duration, percent } from "../../format.ts";
import { Badge } from "../../parts/Badge.tsx";
import { Panel } from "../../parts/Panel.tsx";
import { SaveCsv } from "../../parts/SaveCsv.tsx";
import { Answered, Empty } from "../../parts/states.tsx";
import { Time } from "../../parts/Time.tsx";
import { type Column, Table } from "../../table/Table.tsx";
import { summaryOf } from "./form.ts";

const TONES: Record<BacktestState, "good" | "bad" | "accent" | "plain"> = { done: "good", failed: "bad", running: "accent", queued: "plain", cancelled: "plain" };

export function State({ of }: { of: Backtest }) {
  return <Badge tone={TONES[of.state]}>{of.state === "running" ? `running, ${percent(of.progress, 0)}` : of.state}</Badge>;
}

function took(row: Backtest): number | null {
  return row.started_at && row.ended_at ? (Date.parse(row.ended_at) - Date.parse(row.started_at)) / 1000 : null;
}

const COLUMNS: readonly Column<Backtest>[] = [
  {
    key: "what", title: "Backtest", width: "minmax(160px, 3fr)", value: (row) => summaryOf(row.form),
    cell: (row) => (
      <span className="grid-two">
        <span>{summaryOf(row.form)}</span>
        <span>{row.form.start ?? "first day"} to {row.form.end ?? "last day"} · {row.owner}</span>
      </span>
    ),
  },
  { key: "state", title: "State", width: "minmax(96px, .8fr)", cell: (row) => <State of={row} />, value: (row) => row.state },
  { key: "asked_at", title: "Asked", width: "minmax(106px, .8fr)", align: "end", from: 400, csv: "asked_at (UTC)", cell: (row) => <Time at={row.asked_at} as="ago" />, value: (row) => row.asked_at },
  { key: "took", title: "Took", width: "minmax(72px, .6fr)", align: "end", from: 560, csv: "seconds", cell: (row) => duration(took(row)), value: took },
];
const FILE: readonly Column<Backtest>[] = [{ key: "id", title: "backtest_id", width: "", cell: (row) => row.backtest_id, value: (row) => row.backtest_id }, ...COLUMNS];

export function List({ answer }: { answer: Answer<BacktestPage> }) {
  const key = useKey();
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const rows = answer.data?.backtests ?? [];
  const toggle = (id: string) => setChosen(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]);
  const choose: Column<Backtest> = {
    key: "choose", title: "Compare", width: "92px", fixed: true, value: () => "",
    cell: (row) => row.state === "done" && (
      <input type="checkbox" className="bt-choose" aria-label={`Compare ${summaryOf(row.form)}`} checked={chosen.includes(row.backtest_id)} onChange={() => toggle(row.backtest_id)} />
    ),
  };
  const done = rows.filter((row) => row.state === "done").length;
  const actions = rows.length > 0 && (
    <>
      {chosen.length > 1
        ? <Link className="button button-strong" href={`/backtests?compare=${chosen.join(",")}`}>Compare {chosen.length}</Link>
        : <button type="button" className="button" disabled>Compare</button>}
      <SaveCsv name="Backtests" columns={FILE} rows={rows} />
    </>
  );
  return (
    <Panel title="Backtests" flush about={done > 1 ? "Tick two or more to compare them" : "Yours, the newest first"} actions={actions}>
      <Answered of={answer}>
        {() => rows.length === 0 ? (
          <Empty title={key ? "None yet" : "Yours are shown with your key"}>
            <p>{key ? "Fill in the form and run the first one; the usual choices do." : "A backtest belongs to the key that asked for it. Enter it at the form, or with the key button above."}</p>
          </Empty>
        ) : (
          <Table label="Backtests" columns={[...COLUMNS, choose]} rows={rows} rowKey={(row) => row.backtest_id} href={(row) => `/backtests/${row.backtest_id}`} height={560} rowHeight={50} />
        )}
      </Answered>
    </Panel>
  );
}
