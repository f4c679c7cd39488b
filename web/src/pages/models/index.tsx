/** Fitted models: how they rank, which of them answers, what happened to them, and who is better. */
import { useMemo } from "react";
import type { Leaderboard, ModelEvents, ModelVersion, Models as Kept, Standing } from "../../api/types.ts";
import { type Answer, useAnswer } from "../../api/useAnswer.ts";
import type { PageProps } from "../../app/pages.ts";
import { setQuery } from "../../app/router.tsx";
import { utcDay } from "../../format.ts";
import { Choice } from "../../parts/Choice.tsx";
import { Panel } from "../../parts/Panel.tsx";
import { SaveCsv } from "../../parts/SaveCsv.tsx";
import { Answered, Empty, Skeleton } from "../../parts/states.tsx";
import { Table } from "../../table/Table.tsx";
import { Answering } from "./Answering.tsx";
import { Version } from "./Version.tsx";
import { Versus } from "./Versus.tsx";
import { EVENTS, EVENTS_FILE, VERSIONS, boardColumns } from "./tables.tsx";
import { TARGETS } from "./words.ts";
import "./models.css";

const USUAL_DAYS = 7;
const MOST_EVENTS = 200;
/** What a reader has just promoted or taken back shows soon, though the browser keeps answers a while. */
const LOOK_S = 10;

export default function Models({ rest, query }: PageProps) {
  const id = rest[0];
  if (id) return <Version key={id} id={id} />;
  const target = query.get("target") || "apy_mean";
  return <All target={target} wanted={Number(query.get("horizon")) || USUAL_DAYS} />;
}

function All({ target, wanted }: { target: string; wanted: number }) {
  const kept = useAnswer<Kept>("/v1/models", {}, LOOK_S);
  const board = useAnswer<Leaderboard>("/v1/leaderboard", { target });
  const horizons = useMemo(() => {
    const found = [...(board.data?.standings ?? []), ...(kept.data?.versions ?? [])].filter((one) => one.target === target).map((one) => one.horizon);
    return [...new Set([USUAL_DAYS, ...found])].sort((one, other) => one - other);
  }, [board.data, kept.data, target]);
  const versions = (kept.data?.versions ?? []).filter((one) => one.target === target && one.horizon === wanted);
  return (
    <div className="page">
      <div className="mo-choices">
        <Choice label="What is forecast" value={target} options={TARGETS} onChange={(one) => setQuery({ target: one === "apy_mean" ? "" : one })} />
        {horizons.length > 1 && (
          <Choice label="Days ahead" value={String(wanted)} options={horizons.map((days) => [String(days), `${days} d`] as const)} onChange={(days) => setQuery({ horizon: days === String(USUAL_DAYS) ? "" : days })} />
        )}
        <p className="quiet">Promotion goes through the gate alone; a champion that does worse than the yardstick is taken back by itself.</p>
      </div>
      <Answered of={kept} waiting={<Skeleton height={92} />}>
        {() => (
          <>
            <Answering versions={versions} target={target} horizon={wanted} onChange={kept.reload} />
            <Versus key={`${target} ${wanted}`} versions={versions} target={target} horizon={wanted} />
          </>
        )}
      </Answered>
      <Board answer={board} target={target} horizon={wanted} />
      <div className="columns">
        <div className="span-7"><VersionTable answer={kept} versions={versions} /></div>
        <div className="span-5"><History target={target} horizon={wanted} /></div>
      </div>
    </div>
  );
}

function Board({ answer, target, horizon }: { answer: Answer<Leaderboard>; target: string; horizon: number }) {
  const columns = useMemo(() => boardColumns(target), [target]);
  const rows: Standing[] = (answer.data?.standings ?? []).filter((row) => row.horizon === horizon);
  const first = rows[0];
  return (
    <Panel
      title="Leaderboard" flush about={first ? <>Walk-forward to {utcDay(first.ts)}, {horizon} days ahead, run <code>{first.run_id}</code></> : "Every model of the newest walk-forward, beside the yardstick"}
      actions={rows.length > 0 && <SaveCsv name={`Leaderboard ${target}`} columns={columns} rows={rows} />}
    >
      <Answered of={answer}>
        {() => rows.length === 0
          ? <Empty title="No walk-forward yet"><p>The worker's job <code>forecasts</code> makes one a day, and <code>defimon evaluate</code> whenever it is asked.</p></Empty>
          : <Table label="Leaderboard" columns={columns} rows={rows} rowKey={(row) => row.model} rowHeight={40} />}
      </Answered>
    </Panel>
  );
}

function VersionTable({ answer, versions }: { answer: Answer<Kept>; versions: readonly ModelVersion[] }) {
  return (
    <Panel title="Kept models" flush about="Each with its lineage; open one to promote it" actions={versions.length > 0 && <SaveCsv name="Models" columns={VERSIONS} rows={versions} />}>
      <Answered of={answer}>
        {() => versions.length === 0
          ? <Empty title="None is kept yet"><p>The job <code>retrain</code> keeps a challenger every week; <code>defimon train</code> keeps one now.</p></Empty>
          : <Table label="Kept models" columns={VERSIONS} rows={versions} rowKey={(row) => row.version} href={(row) => `/models/${row.version}`} height={440} rowHeight={50} />}
      </Answered>
    </Panel>
  );
}

function History({ target, horizon }: { target: string; horizon: number }) {
  const answer = useAnswer<ModelEvents>("/v1/models/events", { target, horizon, limit: MOST_EVENTS }, LOOK_S);
  const rows = answer.data?.events ?? [];
  return (
    <Panel title="What happened" flush about="Promotions, refusals, drift, and ways back" actions={rows.length > 0 && <SaveCsv name="Model events" columns={EVENTS_FILE} rows={rows} />}>
      <Answered of={answer}>
        {() => rows.length === 0
          ? <Empty title="Nothing has happened yet"><p>Training, promotion, refusal, drift and rollback are told here.</p></Empty>
          : <Table label="Events of models" columns={EVENTS} rows={rows} rowKey={(row, at) => `${row.ts} ${at}`} height={440} rowHeight={50} />}
      </Answered>
    </Panel>
  );
}
