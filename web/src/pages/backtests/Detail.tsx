/** One backtest: how far it is, and what came of it. */
import { useEffect, useState } from "react";
import { ask } from "../../api/client.ts";
import { onEvent } from "../../api/live.ts";
import { useAct } from "../../api/useAct.ts";
import { useAnswer } from "../../api/useAnswer.ts";
import type { Backtest, BacktestResult } from "../../api/work.ts";
import { Link, go } from "../../app/router.tsx";
import { percent } from "../../format.ts";
import { Icon } from "../../parts/Icon.tsx";
import { Panel } from "../../parts/Panel.tsx";
import { Answered, Empty, ErrorState, Skeleton, Told } from "../../parts/states.tsx";
import { Time } from "../../parts/Time.tsx";
import { choicesOf } from "./Facts.tsx";
import { State } from "./List.tsx";
import { Result } from "./Result.tsx";
import { summaryOf } from "./form.ts";

const LOOK_S = 3;

export function Detail({ id }: { id: string }) {
  const path = `/v1/backtests/${encodeURIComponent(id)}`;
  const [ended, setEnded] = useState(false);
  const answer = useAnswer<Backtest>(path, {}, ended ? 0 : LOOK_S);
  const told = useProgress(answer.data);
  const open = told?.state === "queued" || told?.state === "running";
  useEffect(() => setEnded(told !== undefined && !open), [told, open]);
  const result = useAnswer<BacktestResult>(answer.data?.state === "done" ? `${path}/result` : null);
  return (
    <div className="page">
      <Link href="/backtests" className="bt-back"><Icon name="back" size={16} />Backtests</Link>
      <Answered of={answer} waiting={<Skeleton height={160} />}>
        {(found) => {
          const shown = told ?? found;
          return (
            <>
              <Head backtest={shown} />
              {(shown.state === "queued" || shown.state === "running") && <Progress backtest={shown} path={path} onChange={answer.reload} />}
              {withoutResult(shown) && <Ended backtest={shown} />}
              {shown.state === "done" && (
                <Answered of={result} waiting={<><Skeleton height={92} /><Skeleton height={380} /></>}>
                  {(came) => <Result result={came} path={path} form={shown.form} />}
                </Answered>
              )}
            </>
          );
        }}
      </Answered>
    </div>
  );
}

function withoutResult(backtest: Backtest): boolean {
  return backtest.state === "failed" || backtest.state === "cancelled";
}

/** The backtest with what events have told since it was asked for. */
function useProgress(answered: Backtest | undefined): Backtest | undefined {
  const [news, setNews] = useState<Partial<Backtest> | null>(null);
  const id = answered?.backtest_id;
  useEffect(() => {
    if (id === undefined) return;
    return onEvent(({ event, data }) => {
      const told = data as Partial<Backtest> | null;
      if (event === "backtest" && told?.backtest_id === id) setNews(told);
    });
  }, [id]);
  if (!answered) return undefined;
  // What has ended does not run again, whatever was told of it before.
  const open = answered.state === "queued" || answered.state === "running";
  const further = news && open && (news.progress ?? 0) >= answered.progress && (news.state === "running" || news.state === "queued");
  return further ? { ...answered, ...news } : answered;
}

function Head({ backtest }: { backtest: Backtest }) {
  const act = useAct();
  const remove = async () => {
    if (!confirm("Take this backtest off the list?")) return;
    const done = await act.run(async () => { await ask(`/v1/backtests/${encodeURIComponent(backtest.backtest_id)}`, { method: "DELETE" }); return true; });
    if (done) go("/backtests");
  };
  return (
    <>
      <header className="bt-head">
        <h2>{summaryOf(backtest.form)}</h2>
        <State of={backtest} />
        <span className="quiet">asked <Time at={backtest.asked_at} as="ago" /> by {backtest.owner}</span>
        <div className="row">
          {!withoutResult(backtest) && <Link className="button" href={`/backtests?like=${encodeURIComponent(backtest.backtest_id)}`}>Change and run</Link>}
          <button type="button" className="button" disabled={act.busy} onClick={() => void remove()}><Icon name="trash" size={16} />Remove</button>
        </div>
      </header>
      {act.problem && <ErrorState problem={act.problem} />}
    </>
  );
}

function Progress({ backtest, path, onChange }: { backtest: Backtest; path: string; onChange: () => void }) {
  const act = useAct();
  const cancel = async () => {
    await act.run(() => ask(`${path}/cancel`, { method: "POST" }));
    onChange();
  };
  const doing = backtest.doing ?? (backtest.state === "queued" ? "waiting for a worker" : "at work");
  return (
    <Panel
      title={backtest.state === "queued" ? "Waiting" : "Running"} about="The result shows here as soon as it is there; the page may be left meanwhile"
      actions={<button type="button" className="button" disabled={act.busy} onClick={() => void cancel()}><Icon name="stop" size={16} />Cancel</button>}
    >
      <div className="bt-progress">
        <progress max={1} value={backtest.state === "queued" ? 0 : backtest.progress} aria-label="Share that is done" />
        <p role="status"><b className="number">{percent(backtest.progress, 0)}</b> · {doing}{backtest.attempt > 1 && `, try ${backtest.attempt}`}</p>
        {backtest.state === "queued" && <p className="quiet"><code>defimon serve</code> runs a worker beside itself unless told not to; else <code>defimon worker</code> does.</p>}
      </div>
      {act.problem && <ErrorState problem={act.problem} />}
    </Panel>
  );
}

function Ended({ backtest }: { backtest: Backtest }) {
  const again = <Link className="button button-strong" href={`/backtests?like=${encodeURIComponent(backtest.backtest_id)}`}>Change and run again</Link>;
  const failed = backtest.state === "failed";
  return (
    <>
      <Panel title="No result">
        <Empty title={failed ? "It failed" : "It was cancelled"} action={again}>
          {failed
            ? <p className="bad"><Told text={backtest.error ?? "The worker did not say why."} /></p>
            : <p>{backtest.ended_at ? <>It ended <Time at={backtest.ended_at} as="ago" />; </> : ""}nothing of what was reckoned until then is kept.</p>}
          {backtest.field && <p>Where: <code>{backtest.field}</code></p>}
          {backtest.remedy && <p className="state-remedy"><Told text={backtest.remedy} /></p>}
        </Empty>
      </Panel>
      <Panel title="What was asked">
        <dl className="bt-facts">
          {choicesOf(backtest.form).map(([name, value]) => <div key={name} className="bt-fact"><dt>{name}</dt><dd>{value}</dd></div>)}
        </dl>
      </Panel>
    </>
  );
}
