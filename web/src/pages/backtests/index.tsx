/** Strategies on history: asked for here, run by a worker, seen and compared. */
import { useAnswer } from "../../api/useAnswer.ts";
import type { Backtest, BacktestPage } from "../../api/work.ts";
import type { PageProps } from "../../app/pages.ts";
import { Skeleton } from "../../parts/states.tsx";
import { Compare } from "./Compare.tsx";
import { Detail } from "./Detail.tsx";
import { List } from "./List.tsx";
import { NewBacktest } from "./NewBacktest.tsx";
import "./backtests.css";

const SHOWN = 200;

export default function Backtests({ rest, query }: PageProps) {
  const id = rest[0];
  const compared = (query.get("compare") ?? "").split(",").filter(Boolean);
  if (id) return <Detail key={id} id={id} />;
  if (compared.length > 0) return <Compare key={compared.join()} ids={compared} />;
  return <Home like={query.get("like")} />;
}

function Home({ like }: { like: string | null }) {
  const all = useAnswer<BacktestPage>("/v1/backtests", { limit: SHOWN });
  const model = useAnswer<Backtest>(like ? `/v1/backtests/${encodeURIComponent(like)}` : null);
  const waits = like !== null && !model.data && !model.problem;
  return (
    <div className="page">
      <div className="columns">
        <div className="span-5">{waits ? <Skeleton height={480} /> : <NewBacktest key={like ?? ""} like={model.data?.form} />}</div>
        <div className="span-7"><List answer={all} /></div>
      </div>
    </div>
  );
}
