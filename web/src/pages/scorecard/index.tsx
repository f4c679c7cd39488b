/** How the forecasts that were served came out, beside carrying today's rate forward. */
import type { Group, Scorecard as Card } from "../../api/types.ts";
import { useAnswer } from "../../api/useAnswer.ts";
import type { PageProps } from "../../app/pages.ts";
import { setQuery } from "../../app/router.tsx";
import { figure, percent, share, significant, title, utcDay } from "../../format.ts";
import { Choice } from "../../parts/Choice.tsx";
import { Panel } from "../../parts/Panel.tsx";
import { SaveCsv } from "../../parts/SaveCsv.tsx";
import { Stat, Stats } from "../../parts/Stat.tsx";
import { Answered, Empty, Skeleton } from "../../parts/states.tsx";
import { Table } from "../../table/Table.tsx";
import { Board } from "./Board.tsx";
import { Calibration, Weeks } from "./charts.tsx";
import { MEANT, groupColumns, toneOfSkill } from "./parts.tsx";
import "./scorecard.css";

const TARGETS = [["apy_mean", "Mean APY"], ["apy_volatility", "Volatility"], ["apy_drop", "Fall by a fifth"]] as const;
const DAYS = [["", "All"], ["1", "1 d"], ["7", "7 d"], ["14", "14 d"], ["30", "30 d"]] as const;

export default function Scorecard({ query }: PageProps) {
  const target = query.get("target") || "apy_mean";
  const horizon = query.get("horizon") ?? "";
  const answer = useAnswer<Card>("/v1/scorecard", { target, horizon });
  return (
    <div className="page">
      <div className="score-choices">
        <Choice label="What was forecast" value={target} options={TARGETS} onChange={(one) => setQuery({ target: one === "apy_mean" ? "" : one })} />
        <div className="row">
          <span className="quiet">Days ahead</span>
          <Choice label="Days ahead" value={horizon} options={DAYS} onChange={(one) => setQuery({ horizon: one })} />
        </div>
        <p className="quiet">Every forecast that was given is kept and scored when its days are over. None of a backtest counts here.</p>
      </div>
      <Answered of={answer} waiting={<><Skeleton height={92} /><Skeleton height={340} /></>}>
        {(card) => (card.overall.forecasts === 0 ? <Early card={card} /> : <Scored card={card} />)}
      </Answered>
      <Board target={target} />
    </div>
  );
}

function Early({ card }: { card: Card }) {
  return (
    <Panel title="Scored forecasts">
      <Empty title="No forecast has come due yet">
        <p>
          {card.waiting > 0
            ? `${figure(card.waiting)} forecasts wait for their days to be over. Until then, how the models did on history stands below.`
            : "None has been given. The worker makes them once a day from what is collected."}
        </p>
      </Empty>
    </Panel>
  );
}

function Scored({ card }: { card: Card }) {
  const { overall } = card;
  return (
    <>
      <Stats label="All forecasts">
        <Stat
          label="Skill" value={overall.skill === null ? "–" : `${overall.skill > 0 ? "+" : ""}${share(overall.skill, 1)}`} tone={toneOfSkill(overall.skill)}
          note="of the yardstick's error saved"
        />
        {overall.mae !== null && <Stat label="Mean error" value={percent(overall.mae)} note={`yardstick ${percent(overall.yardstick_mae)}`} />}
        {overall.brier !== null && <Stat label="Brier score" value={significant(overall.brier)} note={`yardstick ${significant(overall.yardstick_brier)}`} />}
        {overall.bounded > 0 && (
          <Stat
            label="In the 90 % interval" value={share(overall.coverage, 1)} tone={Math.abs((overall.coverage ?? MEANT) - MEANT) > 0.05 ? "warn" : "plain"}
            note={`mean width ${percent(overall.width)}`}
          />
        )}
        <Stat
          label="Against luck" value={<span className="stat-word">{overall.proved === null ? "Too early" : overall.proved ? "Proved" : "Not proved"}</span>}
          note={overall.dm_t === null ? "told from 60 days on" : `Diebold-Mariano t ${significant(overall.dm_t)}`} tone={overall.proved ? "good" : "plain"}
        />
        <Stat label="Forecasts scored" value={figure(overall.forecasts)} note={`${figure(overall.pools)} pools on ${figure(overall.days)} days`} />
        <Stat
          label="Waiting for the truth" value={figure(card.waiting)}
          note={overall.first && overall.last ? `${utcDay(overall.first)} to ${utcDay(overall.last)}` : `${figure(card.untold)} cannot be scored`}
        />
      </Stats>
      <div className="columns">
        <div className="span-7"><Weeks card={card} /></div>
        <div className="span-5"><Calibration card={card} /></div>
        <div className="stack span-6">
          <Groups title="By protocol" groups={card.by_protocol} />
          <Groups title="By model" groups={card.by_model} />
          <Groups title="By days ahead" groups={card.by_horizon} named={(name) => `${name} d`} />
        </div>
        <div className="span-6"><Groups title="By chain" groups={card.by_chain} /></div>
      </div>
    </>
  );
}

function Groups({ title: head, groups, named = title }: { title: string; groups: Group[]; named?: (name: string) => string }) {
  const columns = groupColumns(head.replace("By ", "").replace(/^./, (letter) => letter.toUpperCase()), named);
  return (
    <Panel title={head} flush actions={<SaveCsv name={`Scorecard ${head}`} columns={columns} rows={groups} />}>
      <Table label={head} columns={columns} rows={groups} rowKey={(group) => group.name} height={380} rowHeight={36} />
    </Panel>
  );
}
