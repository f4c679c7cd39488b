import type { EndpointStatus, JobRun, Quality, SeriesStatus } from "../../api/types.ts";
import { duration, figure, share, title } from "../../format.ts";
import { Badge } from "../../parts/Badge.tsx";
import { Time } from "../../parts/Time.tsx";
import type { Column } from "../../table/Table.tsx";

/** So many paces without anything new are late. */
const LATE = 3;

export function freshness(one: SeriesStatus): "unset" | "never" | "late" | "fresh" {
  if (!one.configured) return "unset";
  if (one.age_s === null) return "never";
  return one.every_s !== null && one.age_s > LATE * Math.max(one.every_s, 3_600) ? "late" : "fresh";
}

const FRESH = {
  unset: <Badge>not configured</Badge>,
  never: <Badge tone="warn">nothing yet</Badge>,
  late: <Badge tone="bad">late</Badge>,
  fresh: <Badge tone="good">fresh</Badge>,
};

export const SERIES: readonly Column<SeriesStatus>[] = [
  {
    key: "series", title: "Series", width: "minmax(150px, 2fr)", value: (row) => row.series,
    cell: (row) => <span className="grid-two"><span>{row.series}</span><span>{title(row.source)}{row.chain && ` · ${title(row.chain)}`}</span></span>,
  },
  { key: "state", title: "State", width: "minmax(112px, .8fr)", cell: (row) => FRESH[freshness(row)], value: freshness },
  { key: "age_s", title: "Age", width: "minmax(76px, .7fr)", align: "end", csv: "age_s", cell: (row) => duration(row.age_s), value: (row) => row.age_s },
  { key: "ts", title: "Newest", width: "minmax(140px, 1fr)", align: "end", from: 900, csv: "ts (UTC)", cell: (row) => <Time at={row.ts} />, value: (row) => row.ts },
  { key: "position", title: "Block", width: "minmax(92px, .8fr)", align: "end", from: 1040, cell: (row) => figure(row.position), value: (row) => row.position },
  { key: "gaps_open", title: "Open gaps", width: "minmax(86px, .6fr)", align: "end", from: 560, cell: (row) => <Gaps row={row} />, value: (row) => row.gaps_open },
  { key: "gaps_lost", title: "Lost", width: "minmax(64px, .5fr)", align: "end", from: 760, hint: "Stretches that are lost for good", cell: (row) => figure(row.gaps_lost), value: (row) => row.gaps_lost },
  { key: "flagged_share", title: "Doubted", width: "minmax(80px, .6fr)", align: "end", from: 640, hint: "Share of its source's rows of the last day that a quality rule doubts", cell: (row) => share(row.flagged_share, 1), value: (row) => row.flagged_share },
  { key: "next_due", title: "Next", width: "minmax(104px, .7fr)", align: "end", from: 480, csv: "next_due (UTC)", cell: (row) => <span className="quiet"><Time at={row.next_due} as="ago" /></span>, value: (row) => row.next_due },
];

function Gaps({ row }: { row: SeriesStatus }) {
  if (row.gaps_open === 0) return <span className="quiet">0</span>;
  return <span className="warn" title={`${figure(row.missing)} positions missing`}>{figure(row.gaps_open)}</span>;
}

export const QUALITY: readonly Column<Quality>[] = [
  { key: "source", title: "Source", width: "minmax(110px, 1.4fr)", cell: (row) => title(row.source), value: (row) => row.source },
  { key: "rows", title: "Rows let in", width: "minmax(84px, .8fr)", align: "end", cell: (row) => figure(row.rows), value: (row) => row.rows },
  { key: "flagged", title: "Flagged", width: "minmax(74px, .7fr)", align: "end", cell: (row) => figure(row.flagged), value: (row) => row.flagged },
  { key: "quarantined", title: "Set apart", width: "minmax(80px, .7fr)", align: "end", cell: (row) => <span className={row.quarantined > 0 ? "bad" : "quiet"}>{figure(row.quarantined)}</span>, value: (row) => row.quarantined },
  { key: "share", title: "Doubted", width: "minmax(80px, .7fr)", align: "end", from: 420, cell: (row) => share(row.share, 1), value: (row) => row.share },
];

export const HOSTS: readonly Column<EndpointStatus>[] = [
  {
    key: "endpoint", title: "Host", width: "minmax(140px, 2fr)", value: (row) => row.endpoint,
    cell: (row) => <span className="grid-two"><span>{row.endpoint}</span><span title={row.note}>{row.note || "no fault"}</span></span>,
  },
  { key: "state", title: "State", width: "minmax(92px, .7fr)", cell: (row) => (row.state === "open" ? <Badge tone="bad">left alone</Badge> : <Badge tone="good">asked</Badge>), value: (row) => row.state },
  { key: "calls", title: "Calls", width: "minmax(64px, .6fr)", align: "end", from: 420, cell: (row) => figure(row.calls), value: (row) => row.calls },
  { key: "failures", title: "Failed", width: "minmax(70px, .6fr)", align: "end", cell: (row) => <span className={row.failures > 0 ? "warn" : "quiet"}>{figure(row.failures)}</span>, value: (row) => row.failures },
  { key: "latency_s", title: "Answers in", width: "minmax(84px, .7fr)", align: "end", from: 520, csv: "latency_s", cell: (row) => duration(row.latency_s), value: (row) => row.latency_s },
];

const TONES = { done: "good", failed: "bad", running: "accent" } as const;

export const JOBS: readonly Column<JobRun>[] = [
  {
    key: "job", title: "Job", width: "minmax(150px, 2fr)", value: (row) => row.job,
    cell: (row) => <span className="grid-two"><span>{row.job}</span><span title={row.error || row.warnings}>{row.error || row.warnings || "no warning"}</span></span>,
  },
  { key: "status", title: "Last run", width: "minmax(84px, .7fr)", cell: (row) => <Badge tone={TONES[row.status]}>{row.status}</Badge>, value: (row) => row.status },
  { key: "ended_at", title: "Ended", width: "minmax(104px, .8fr)", align: "end", csv: "ended_at (UTC)", cell: (row) => <Time at={row.ended_at} as="ago" />, value: (row) => row.ended_at },
  { key: "took", title: "Took", width: "minmax(76px, .6fr)", align: "end", from: 560, csv: "seconds", cell: (row) => duration(took(row)), value: took },
  { key: "rows", title: "Rows", width: "minmax(70px, .6fr)", align: "end", from: 480, hint: "New or corrected", cell: (row) => figure(row.rows), value: (row) => row.rows },
  { key: "next_at", title: "Next", width: "minmax(104px, .8fr)", align: "end", from: 640, csv: "next_at (UTC)", cell: (row) => <Time at={row.next_at} as="ago" />, value: (row) => row.next_at },
];

function took(row: JobRun): number | null {
  return row.ended_at ? (Date.parse(row.ended_at) - Date.parse(row.started_at)) / 1000 : null;
}

