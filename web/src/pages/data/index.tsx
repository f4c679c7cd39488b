/** How fresh and how sound the data are: series, quality, hosts, jobs. */
import type { ReactNode } from "react";
import type { ShownSettings, Status } from "../../api/types.ts";
import { useAnswer } from "../../api/useAnswer.ts";
import { figure, share } from "../../format.ts";
import { Panel } from "../../parts/Panel.tsx";
import { SaveCsv } from "../../parts/SaveCsv.tsx";
import { Stat, Stats } from "../../parts/Stat.tsx";
import { Answered, Empty, Skeleton } from "../../parts/states.tsx";
import { Time } from "../../parts/Time.tsx";
import { type Column, Table } from "../../table/Table.tsx";
import { SetApart } from "./SetApart.tsx";
import { HOSTS, JOBS, QUALITY, SERIES, freshness } from "./tables.tsx";
import "./data.css";

const EVERY_S = 30;

export default function Data() {
  const answer = useAnswer<Status>("/v1/status", {}, EVERY_S);
  return (
    <div className="page">
      <Answered of={answer} waiting={<><Skeleton height={92} /><Skeleton height={380} /></>}>
        {(status) => <Shown status={status} />}
      </Answered>
      <SetApart />
      <Server />
    </div>
  );
}

function Shown({ status }: { status: Status }) {
  const configured = status.series.filter((one) => one.configured);
  const fresh = configured.filter((one) => freshness(one) === "fresh").length;
  const gaps = status.series.reduce((sum, one) => sum + one.gaps_open, 0);
  const rows = status.quality.reduce((sum, one) => sum + one.rows + one.quarantined, 0);
  const apart = status.quality.reduce((sum, one) => sum + one.quarantined, 0);
  const doubted = status.quality.reduce((sum, one) => sum + one.flagged + one.quarantined, 0);
  const alone = status.health.filter((one) => one.state === "open").length;
  const failed = status.jobs.filter((one) => one.status === "failed").length;
  return (
    <>
      <Stats label="State of the data">
        <Stat label="Fresh series" value={`${fresh} of ${configured.length}`} tone={fresh < configured.length ? "warn" : "good"} note={<>looked at <Time at={status.at} as="ago" /></>} />
        <Stat label="Open gaps" value={figure(gaps)} tone={gaps > 0 ? "warn" : "plain"} note="asked for again until they are filled" />
        <Stat label="Doubted rows" value={rows > 0 ? share(doubted / rows, 1) : "–"} note={`of ${figure(rows)} on the last day`} />
        <Stat label="Quarantined" value={figure(apart)} tone={apart > 0 ? "warn" : "plain"} note="set apart by a rule, kept to be looked at" />
        <Stat label="Hosts left alone" value={figure(alone)} tone={alone > 0 ? "bad" : "plain"} note={`of ${figure(status.health.length)} that were asked`} />
        <Stat label="Jobs that failed" value={figure(failed)} tone={failed > 0 ? "bad" : "plain"} note={`of ${figure(status.jobs.length)}, at their last run`} />
      </Stats>
      <Listing title="Series" about="What is collected, and how old the newest of it is" columns={SERIES} rows={status.series} name={(row) => row.series} height={520}>
        <p>Nothing is configured to be collected: <code>docs/settings.md</code> names what can be.</p>
      </Listing>
      <div className="columns">
        <div className="stack span-5">
          <Listing title="Quality" about="Rows of each source on the last day that it tells of" columns={QUALITY} rows={status.quality} name={(row) => row.source}>
            <p>Quality is counted over what is collected; nothing was yet.</p>
          </Listing>
          <Listing title="Hosts" about="Over the last day that each was asked" columns={HOSTS} rows={status.health} name={(row) => row.endpoint} height={420}>
            <p>No host has been asked yet.</p>
          </Listing>
        </div>
        <div className="span-7">
          <Listing title="Jobs" about="The last run of each job of the worker" columns={JOBS} rows={status.jobs} name={(row) => row.job} height={520}>
            <p>No worker has run on this store: <code>defimon serve</code> runs one, or <code>defimon worker</code>.</p>
          </Listing>
        </div>
      </div>
    </>
  );
}

interface ListingProps<Row> {
  title: string;
  about: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  name: (row: Row) => string;
  height?: number;
  children: ReactNode;
}

function Listing<Row>({ title, about, columns, rows, name, height, children }: ListingProps<Row>) {
  return (
    <Panel title={title} about={about} flush actions={rows.length > 0 && <SaveCsv name={title} columns={columns} rows={rows} />}>
      {rows.length === 0 ? <Empty title="Nothing yet">{children}</Empty> : (
        <Table label={title} columns={columns} rows={rows} rowKey={(row, at) => `${name(row)} ${at}`} {...(height ? { height } : {})} />
      )}
    </Panel>
  );
}

function Server() {
  const { data } = useAnswer<ShownSettings>("/v1/settings");
  if (!data) return null;
  return (
    <Panel title="Settings" about={<>defimon {data.code_version} on {data.database}; secrets, addresses, followed accounts and folders are not shown</>}>
      <details>
        <summary>All settings</summary>
        <dl className="settings">
          {Object.entries(data.settings).map(([name, value]) => (
            <div key={name}><dt><code>{name}</code></dt><dd>{told(value)}</dd></div>
          ))}
          {Object.entries(data.set).map(([name, set]) => (
            <div key={name}><dt><code>{name}</code></dt><dd className="quiet">{set ? "set" : "not set"}</dd></div>
          ))}
        </dl>
      </details>
    </Panel>
  );
}

function told(value: unknown): string {
  if (Array.isArray(value)) return value.length > 0 ? value.join(", ") : "none";
  return value === null || value === "" ? "none" : String(value);
}
