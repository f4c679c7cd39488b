/** One kept model: what it learnt from, its scores beside the yardstick's, and promotion through the gate. */
import { type ReactNode, useState } from "react";
import { ask } from "../../api/client.ts";
import type { ModelEvents, ModelVersion } from "../../api/types.ts";
import { useAct } from "../../api/useAct.ts";
import { useAnswer } from "../../api/useAnswer.ts";
import type { Promoted } from "../../api/work.ts";
import { Link } from "../../app/router.tsx";
import { significant, title, utcDay } from "../../format.ts";
import { Badge } from "../../parts/Badge.tsx";
import { Icon } from "../../parts/Icon.tsx";
import { Panel } from "../../parts/Panel.tsx";
import { SaveCsv } from "../../parts/SaveCsv.tsx";
import { Answered, Empty, ErrorState, Skeleton } from "../../parts/states.tsx";
import { Time } from "../../parts/Time.tsx";
import { type Column, Table } from "../../table/Table.tsx";
import { Aliases, EVENTS } from "./tables.tsx";
import { aliasesOf } from "./words.ts";

export function Version({ id }: { id: string }) {
  const answer = useAnswer<ModelVersion>(`/v1/models/${encodeURIComponent(id)}`);
  return (
    <div className="page">
      <Link href="/models" className="mo-up"><Icon name="back" size={16} />Models</Link>
      <Answered of={answer} waiting={<><Skeleton height={120} /><Skeleton height={300} /></>}>
        {(version) => (
          <>
            <header className="mo-head">
              <h2>{title(version.model)} <code>{version.version}</code></h2>
              <Aliases version={version} />
              {version.origin === "simulated" && <Badge tone="warn">simulated</Badge>}
            </header>
            <Promotion version={version} onChange={answer.reload} />
            <div className="columns">
              <div className="span-5"><Lineage version={version} /></div>
              <div className="span-7"><Scores version={version} /></div>
            </div>
            <Events version={version.version} />
          </>
        )}
      </Answered>
    </div>
  );
}

function Promotion({ version, onChange }: { version: ModelVersion; onChange: () => void }) {
  const act = useAct();
  const [done, setDone] = useState<Promoted | null>(null);
  const already = aliasesOf(version).includes("champion");
  const promote = async () => {
    const told = await act.run(() => ask<Promoted>(`/v1/models/${encodeURIComponent(version.version)}/promote`, { method: "POST" }));
    setDone(told ?? null);
    onChange();
  };
  const about = already
    ? "It answers for the pools that its walk judged"
    : "It answers in place of the champion, from the next forecasts on, if the gate lets it through; nothing forces it. Needs a key of scope admin";
  return (
    <Panel
      title={already ? "Champion" : "Promotion"} about={about}
      actions={!already && <button type="button" className="button button-strong" disabled={act.busy} onClick={() => void promote()}><Icon name="up" size={16} />{act.busy ? "At the gate…" : "Promote"}</button>}
    >
      {act.problem && <ErrorState problem={act.problem} />}
      {done && (
        <div role="status">
          <p className="notice tone-good">{done.reason}</p>
          <ul className="mo-checks">
            {done.checks.map((check) => (
              <li key={check.name}>
                <Badge tone={check.passed ? "good" : "bad"}>{check.passed ? "passed" : "not passed"}</Badge>
                {check.name}: <span className="number">{significant(check.value)}</span> <span className="quiet">needed: {check.needed}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </Panel>
  );
}

function Lineage({ version }: { version: ModelVersion }) {
  const facts: [string, ReactNode][] = [
    ["Forecasts", `${version.target}, ${version.horizon} days ahead`],
    ["Fitted", utcDay(version.ts)],
    ["Kept", <Time key="kept" at={version.known_at} />],
    ["Data", <code key="data">{version.data_hash}</code>],
    ["Code", <code key="code">{version.code_version}</code>],
    ["Made by", `${version.source}, from ${version.origin} rows`],
  ];
  return (
    <Panel title="Lineage" about="The same data and code give the same model">
      <dl className="mo-facts">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
    </Panel>
  );
}

interface Score {
  name: string;
  own: number;
  yardstick: number | null;
}

const SCORES: readonly Column<Score>[] = [
  { key: "name", title: "Figure", width: "minmax(130px, 1.4fr)", cell: (row) => row.name.replaceAll("_", " "), value: (row) => row.name },
  { key: "own", title: "This model", width: "minmax(90px, 1fr)", align: "end", cell: (row) => significant(row.own, 4), value: (row) => row.own },
  { key: "yardstick", title: "Yardstick", width: "minmax(90px, 1fr)", align: "end", cell: (row) => significant(row.yardstick, 4), value: (row) => row.yardstick },
];

function Scores({ version }: { version: ModelVersion }) {
  const rows: Score[] = Object.entries(version.scores)
    .filter(([name]) => !name.startsWith("yardstick_"))
    .map(([name, own]) => ({ name, own, yardstick: version.scores[`yardstick_${name}`] ?? null }));
  return (
    <Panel title="Scores" flush about="On the walk that taught it; docs/evaluation.md tells what each figure is" actions={<SaveCsv name={`Model ${version.version} scores`} columns={SCORES} rows={rows} />}>
      <Table label="Scores" columns={SCORES} rows={rows} rowKey={(row) => row.name} rowHeight={34} height={420} />
    </Panel>
  );
}

function Events({ version }: { version: string }) {
  const answer = useAnswer<ModelEvents>("/v1/models/events", { version, limit: 100 });
  return (
    <Panel title="What happened to it" flush>
      <Answered of={answer}>
        {({ events }) => events.length === 0
          ? <Empty title="Nothing yet" />
          : <Table label="Events of this model" columns={EVENTS} rows={events} rowKey={(row, at) => `${row.ts} ${at}`} rowHeight={48} height={320} />}
      </Answered>
    </Panel>
  );
}
