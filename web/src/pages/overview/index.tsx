/** What is known at a glance: how many pools and how fresh, what to look at first, and how the forecasts do. */
import type { Leaderboard, ModelEvent, ModelEvents, PoolPage, Scorecard, Status } from "../../api/types.ts";
import { useAnswer } from "../../api/useAnswer.ts";
import { Link } from "../../app/router.tsx";
import { ago, figure, percent, share, title } from "../../format.ts";
import { Stat, Stats } from "../../parts/Stat.tsx";
import { Empty, ErrorState, Skeleton } from "../../parts/states.tsx";
import { Panel } from "../../parts/Panel.tsx";
import { Weeks } from "../scorecard/charts.tsx";
import { toneOfSkill } from "../scorecard/parts.tsx";
import { Lately } from "./Lately.tsx";
import { ASKS } from "./asks.ts";
import { BestLow, Movers, sound } from "./Lists.tsx";
import "./overview.css";

const NO_EVENTS: ModelEvent[] = [];
const NO_POOLS: PoolPage = { pools: [], total: Number.NaN, next: null };

export default function Overview() {
  const best = useAnswer<PoolPage>(ASKS.best);
  const newest = useAnswer<PoolPage>(ASKS.newest);
  const card = useAnswer<Scorecard>(ASKS.card);
  const board = useAnswer<Leaderboard>(ASKS.board);
  const status = useAnswer<Status>(ASKS.status, {}, 60);
  const events = useAnswer<ModelEvents>(ASKS.events);
  if (newest.problem && !newest.data) {
    return <div className="page"><Panel title="Overview"><ErrorState problem={newest.problem} retry={newest.reload} /></Panel></div>;
  }
  if (newest.data?.total === 0) return <Nothing />;
  return (
    <div className="page">
      <Known newest={newest.data} best={best.data ?? (best.problem ? NO_POOLS : undefined)} card={card.data} board={board.data} status={status.data} />
      <div className="columns">
        <div className="span-7"><BestLow answer={best} /></div>
        <div className="span-5"><Movers answer={best} /></div>
        <div className="span-7"><Record card={card.data} failed={card.problem !== null} /></div>
        <div className="span-5"><Lately status={status} events={events.data?.events ?? NO_EVENTS} /></div>
      </div>
    </div>
  );
}

interface KnownProps {
  newest: PoolPage | undefined;
  best: PoolPage | undefined;
  card: Scorecard | undefined;
  board: Leaderboard | undefined;
  status: Status | undefined;
}

function Known({ newest, best, card, board, status }: KnownProps) {
  if (!newest || !best) return <Skeleton height={92} />;
  const served = board?.standings.find((one) => one.model === "served");
  const skill = card?.overall.skill ?? served?.scores["skill"] ?? null;
  const top = sound(best.pools)[0];
  const latest = newest.pools[0]?.ts;
  const model = top?.forecast_model;
  const failed = status?.jobs.filter((job) => job.status === "failed").length ?? 0;
  return (
    <Stats label="What is known">
      <Stat label="Pools" value={<Link href="/pools">{figure(newest.total)}</Link>} note={`${figure(best.total)} of $1M or more`} />
      <Stat label="Newest rate" value={latest ? ago(latest) : "–"} note={failed > 0 ? `${failed} ${failed === 1 ? "job" : "jobs"} failed last` : "by the clock of the source"} tone={failed > 0 ? "warn" : "plain"} />
      <Stat label="Best nearly sure" value={percent(top?.forecast_low)} note={top ? `${top.symbol ?? top.pool_id} · ${title(top.protocol)}` : "no forecast yet"} />
      <Stat
        label={card?.overall.skill == null ? "Skill on history" : "Skill of what was served"} tone={toneOfSkill(skill)}
        value={skill === null ? "–" : `${skill > 0 ? "+" : ""}${share(skill, 1)}`} note="of the yardstick's error saved"
      />
      <Stat label="In the 90 % interval" value={share(card?.overall.coverage ?? served?.scores["coverage"], 1)} note={card?.overall.forecasts ? `of ${figure(card.overall.forecasts)} truths` : "on history"} />
      <Stat label="Model" value={<span className="stat-word">{model ? title(model) : "–"}</span>} note="answers for the best pool" />
    </Stats>
  );
}

function Record({ card, failed }: { card: Scorecard | undefined; failed: boolean }) {
  if (!card && !failed) return <Skeleton height={360} />;
  if (card?.by_week.some((week) => week.figures.mae !== null)) return <Weeks card={card} height={330} />;
  return (
    <Panel title="How the forecasts did" actions={<Link className="button" href="/scorecard">Scorecard</Link>}>
      <Empty title="No forecast has come due yet">
        <p>{card?.waiting ? `${figure(card.waiting)} wait for their days to be over.` : "Each one that is served is kept, and scored when its days are over."}</p>
      </Empty>
    </Panel>
  );
}

function Nothing() {
  return (
    <div className="page">
      <Panel title="Welcome">
        <Empty title="Nothing is known yet">
          <p>The worker beside this service collects pools within a few minutes and forecasts them within two hours.</p>
          <p>To begin at once: <code>defimon collect --once</code> for live data, <code>defimon import FILE</code> for recorded data, <code>defimon import sample</code> for simulated data without a network.</p>
        </Empty>
      </Panel>
    </div>
  );
}
