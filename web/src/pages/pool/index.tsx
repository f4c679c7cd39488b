/** One pool: what it pays, what it will pay, how past forecasts did, and what speaks for caution. */
import { useEffect, useMemo } from "react";
import type { Forecast, HistoryPage, HistoryRow, Pool as PoolRow, PoolForecast, PoolScorecard } from "../../api/types.ts";
import type { Problem } from "../../api/problem.ts";
import { useAnswer } from "../../api/useAnswer.ts";
import type { PageProps } from "../../app/pages.ts";
import { Link, poolHref } from "../../app/router.tsx";
import { LineChart } from "../../chart/LineChart.tsx";
import { percent, points, share, title, usd } from "../../format.ts";
import { Badge } from "../../parts/Badge.tsx";
import { Icon } from "../../parts/Icon.tsx";
import { Stat, Stats } from "../../parts/Stat.tsx";
import { Answered, Empty, ErrorState, Skeleton } from "../../parts/states.tsx";
import { Time } from "../../parts/Time.tsx";
import { ForecastChart } from "./ForecastChart.tsx";
import { PastChart, PastTable } from "./PastForecasts.tsx";
import { DataHealth, Risks } from "./Soundness.tsx";
import { daily, realised } from "./data.ts";
import "./pool.css";

/** Two years and more of days in one answer. */
const DAYS = 1_000;
const PAST = 365;
const NONE_YET: HistoryRow[] = [];

export default function Pool({ rest }: PageProps) {
  const id = rest.join("/");
  const path = id ? `/v1/pools/${encodeURIComponent(id)}` : null;
  const pool = useAnswer<PoolRow>(path);
  if (!id) {
    return (
      <div className="page">
        <Empty title="Which pool?" action={<Link className="button" href="/pools">All pools</Link>}><p>Choose one from the list.</p></Empty>
      </div>
    );
  }
  if (pool.problem?.status === 404) return <NoPool problem={pool.problem} id={id} />;
  return (
    <div className="page">
      <Answered of={pool} waiting={<><Skeleton height={70} /><Skeleton height={92} /><Skeleton height={400} /></>}>
        {(found) => <Known key={found.pool_id} pool={found} path={`/v1/pools/${encodeURIComponent(found.pool_id)}`} />}
      </Answered>
    </div>
  );
}

function NoPool({ problem, id }: { problem: Problem; id: string }) {
  const near = Object.values(problem.document.unknown ?? {}).flat();
  return (
    <div className="page">
      <Empty title="There is no such pool" action={<Link className="button" href={`/pools?q=${encodeURIComponent(id)}`}>Search all pools</Link>}>
        <p>None goes, or ever went, by <code>{id}</code>.</p>
        {near.length > 0 && <ul>{near.map((one) => <li key={one}><Link href={poolHref(one)}>{one}</Link></li>)}</ul>}
      </Empty>
    </div>
  );
}

function Known({ pool, path }: { pool: PoolRow; path: string }) {
  const since = useMemo(() => new Date(Date.parse(pool.ts) - DAYS * 86_400_000).toISOString(), [pool.ts]);
  const history = useAnswer<HistoryPage>(`${path}/history`, { limit: DAYS + 1, since });
  // Asking for what is not there would be an error in the browser's log.
  const said = useAnswer<PoolForecast>(pool.forecast === null ? null : `/v1/forecasts/${encodeURIComponent(pool.pool_id)}`);
  const past = useAnswer<PoolScorecard>(`${path}/scorecard`, { horizon: 7, limit: PAST });
  const rows = history.data?.rows ?? NONE_YET;
  const of = (target: string) => said.data?.forecasts.find((one) => one.target === target);
  const mean = of("apy_mean");
  const earned = useMemo(() => realised(rows), [rows]);
  return (
    <>
      <Heading pool={pool} />
      <Figures pool={pool} mean={mean} drop={of("apy_drop")} volatility={of("apy_volatility")} skill={said.data?.skill["apy_mean"]} />
      {history.problem && !history.data && <ErrorState problem={history.problem} retry={history.reload} />}
      <div className="columns">
        <div className="span-8">{history.data ? <ForecastChart rows={rows} forecast={mean} /> : <Skeleton height={430} />}</div>
        <div className="stack span-4">
          <Risks pool={pool} rows={rows} forecast={mean} />
          <DataHealth pool={pool} rows={rows} />
        </div>
        <div className={earned.length > 0 ? "span-6" : ""}><PastChart answer={past} /></div>
        {earned.length > 0 && <div className="span-6"><Earned found={earned} /></div>}
      </div>
      <Size rows={rows} />
      <PastTable answer={past} />
    </>
  );
}

function Heading({ pool }: { pool: PoolRow }) {
  useEffect(() => {
    document.title = `${pool.symbol ?? pool.pool_id} · ${title(pool.protocol)} · defimon`;
  }, [pool]);
  return (
    <header className="pool-head">
      <Link href="/pools" className="pool-back"><Icon name="back" size={16} />Pools</Link>
      <h2>{pool.symbol ?? pool.pool_id} {pool.meta && <span className="quiet">{pool.meta}</span>}</h2>
      <p className="row">
        <Link href={`/pools?protocol=${encodeURIComponent(pool.protocol ?? "")}`}>{title(pool.protocol)}</Link>
        <span aria-hidden="true">·</span>
        <Link href={`/pools?chain=${encodeURIComponent(pool.chain ?? "")}`}>{title(pool.chain)}</Link>
        {pool.kind && <Badge>{pool.kind}</Badge>}
        {pool.stablecoin && <Badge tone="accent">stablecoin</Badge>}
        {pool.status && pool.status !== "active" && <Badge tone="bad">{pool.status}</Badge>}
        <code className="pool-id" title="Id of the pool in the API">{pool.pool_id}</code>
      </p>
    </header>
  );
}

interface FiguresProps {
  pool: PoolRow;
  mean: Forecast | undefined;
  drop: Forecast | undefined;
  volatility: Forecast | undefined;
  skill: number | null | undefined;
}

function Figures({ pool, mean, drop, volatility, skill }: FiguresProps) {
  const chance = mean?.p_drop20 ?? drop?.yhat ?? null;
  const parts = pool.apy_reward ? `${percent(pool.apy_base)} and ${percent(pool.apy_reward)} in rewards` : <>as of <Time at={pool.ts} as="ago" /></>;
  return (
    <Stats label="Figures of the pool">
      <Stat label="APY now" value={percent(pool.apy)} note={parts} />
      <Stat
        label="Next 7 days" value={percent(mean?.yhat)}
        note={mean ? `90 %: ${percent(mean.q05)} to ${percent(mean.q95)}` : "no forecast yet"}
      />
      <Stat label="Expected change" value={mean?.yhat == null ? "–" : points(mean.yhat - pool.apy)} note="against today's rate" />
      <Stat label="Falls by a fifth or more" value={share(chance)} note="probability" tone={(chance ?? 0) > 0.25 ? "warn" : "plain"} />
      <Stat label="Volatility ahead" value={volatility?.yhat == null ? "–" : points(volatility.yhat).replace("+", "")} note="of daily changes" />
      <Stat
        label="Model" value={<span className="stat-word">{mean ? title(mean.model) : "–"}</span>}
        note={skill == null ? (mean?.reason ?? "") : `skill ${skill > 0 ? "+" : ""}${share(skill, 1)} on history`}
      />
      <Stat label="TVL" value={usd(pool.tvl_usd)} note={pool.volume_24h_usd ? `${usd(pool.volume_24h_usd)} traded in 24 h` : "total value locked"} />
    </Stats>
  );
}

function Earned({ found }: { found: ReturnType<typeof realised> }) {
  const lines = useMemo(
    () => [
      { name: "Realised, 7 days", points: found.map((one) => [one.day, one.earned] as const), hue: "series-2" as const },
      { name: "Quoted, mean of the same days", points: found.map((one) => [one.day, one.quoted] as const), hue: "series-1" as const, dashed: true },
    ],
    [found],
  );
  const mean = (of: "earned" | "quoted") => found.reduce((sum, one) => sum + one[of], 0) / found.length;
  const about = `What a depositor had by the growth of the index: ${percent(mean("earned"))} on average, where ${percent(mean("quoted"))} was quoted`;
  return <LineChart title="Realised against quoted yield" about={about} summary={about} lines={lines} format={percent} />;
}

function Size({ rows }: { rows: readonly HistoryRow[] }) {
  const lent = rows.some((row) => row.utilisation !== null);
  const lines = useMemo(
    () => [
      { name: "TVL", points: daily(rows, (row) => row.tvl_usd), hue: "series-5" as const, area: true },
      ...(lent ? [{ name: "Utilisation", points: daily(rows, (row) => row.utilisation), hue: "series-3" as const, right: true }] : []),
    ],
    [rows, lent],
  );
  if (!rows.some((row) => row.tvl_usd !== null)) return null;
  const last = rows.at(-1);
  return (
    <LineChart
      title={lent ? "TVL and utilisation" : "TVL"} about="Total value locked, USD; utilisation is the borrowed share of deposits" scale={false} height={240}
      summary={`${usd(last?.tvl_usd)} now.`} lines={lines} format={usd} formatRight={share}
    />
  );
}
