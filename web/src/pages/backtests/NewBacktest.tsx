/** The form that has a worker run a backtest. */
import { type FormEvent, useState } from "react";
import { ask } from "../../api/client.ts";
import { useRunRefusal } from "../../api/caller.ts";
import { useAct } from "../../api/useAct.ts";
import { useAnswer } from "../../api/useAnswer.ts";
import type { Backtest, BacktestForm, Strategies } from "../../api/work.ts";
import { go } from "../../app/router.tsx";
import { title } from "../../format.ts";
import { Choice } from "../../parts/Choice.tsx";
import { Field, faultOf } from "../../parts/Field.tsx";
import { Icon } from "../../parts/Icon.tsx";
import { KeyEntry } from "../../parts/KeyEntry.tsx";
import { Panel } from "../../parts/Panel.tsx";
import { Answered, ErrorState } from "../../parts/states.tsx";
import { type Draft, USUAL, asked, draftOf } from "./form.ts";

const UNIVERSES = [["stable", "Dollar stablecoins"], ["all", "All pools"]] as const;
const FORECASTS = [["none", "None"], ["stored", "As given then"], ["walk_forward", "Made anew"]] as const;
const SHOWN_BY_FIELD = ["strategies", "chains", "protocols", "pools", "start", "end", "capital_usd", "bps", "gas_usd", "rebalance_days", "top_n", "holding_days", "horizon", "hysteresis", "most_distress", "forecasts"];

export function NewBacktest({ like }: { like?: BacktestForm | undefined }) {
  const refusal = useRunRefusal();
  const [draft, setDraft] = useState<Draft>(() => (like ? draftOf(like) : USUAL));
  const act = useAct();
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const queued = await act.run(() => ask<Backtest>("/v1/backtests", { method: "POST", body: asked(draft) }));
    if (queued) go(`/backtests/${queued.backtest_id}`);
  };
  const given = { draft, change, fault: (field: string) => faultOf(act.problem, field) };
  const elsewhere = act.problem && !SHOWN_BY_FIELD.some((field) => faultOf(act.problem, field));
  return (
    <Panel title="New backtest" about="Strategies on the history of the store, after all costs; a worker runs it">
      <form className="bt-form" onSubmit={(event) => void submit(event)} noValidate>
        <StrategyChoice {...given} />
        <Where {...given} />
        <Costs {...given} />
        <More {...given} />
        {elsewhere && act.problem && <ErrorState problem={act.problem} />}
        <div className="row">
          <button type="submit" className="button button-strong" disabled={act.busy || refusal !== null}><Icon name="play" size={16} />{act.busy ? "Asking…" : "Run backtest"}</button>
          {like && <button type="button" className="button" onClick={() => setDraft(USUAL)}>Start over</button>}
        </div>
      </form>
      {refusal && <div className="bt-key"><p>Running one {refusal}.</p><KeyEntry /></div>}
    </Panel>
  );
}

interface Part {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  fault: (field: string) => string | null;
}

function StrategyChoice({ draft, change, fault }: Part) {
  const answer = useAnswer<Strategies>("/v1/strategies");
  const wrong = fault("strategies");
  const toggle = (name: string) => {
    const has = draft.strategies.includes(name);
    change({ strategies: has ? draft.strategies.filter((one) => one !== name) : [...draft.strategies, name] });
  };
  return (
    <fieldset className={`bt-strategies ${wrong ? "field-wrong" : ""}`}>
      <legend>Strategies</legend>
      <Answered of={answer}>
        {({ strategies }) => (
          <>
            <p className="quiet">None ticked: all that the data allow. Holding one pool is always there, as what the others have to beat.</p>
            <ul>
              {strategies.map((one) => (
                <li key={one.name}>
                  <label className="check" title={one.doc}>
                    <input type="checkbox" checked={draft.strategies.includes(one.name)} onChange={() => toggle(one.name)} />
                    {title(one.name)}
                    {one.needs.includes("yhat") && <span className="quiet">forecasts</span>}
                  </label>
                </li>
              ))}
            </ul>
          </>
        )}
      </Answered>
      {wrong && <small role="alert">{wrong}</small>}
    </fieldset>
  );
}

function Where({ draft, change, fault }: Part) {
  return (
    <>
      <div className="field">
        <span className="label">Pools</span>
        <Choice label="Pools" value={draft.universe} options={UNIVERSES} onChange={(universe) => change({ universe })} />
      </div>
      <div className="bt-fields">
        <Field label="From" fault={fault("start")}>{(given) => <input {...given} type="date" className="input" value={draft.start} onChange={(event) => change({ start: event.target.value })} />}</Field>
        <Field label="To" fault={fault("end")}>{(given) => <input {...given} type="date" className="input" value={draft.end} onChange={(event) => change({ end: event.target.value })} />}</Field>
        <Field label="Only these chains" hint="By commas" fault={fault("chains")}>
          {(given) => <input {...given} type="text" className="input" placeholder="all" value={draft.chains} onChange={(event) => change({ chains: event.target.value })} />}
        </Field>
        <Field label="Only these protocols" hint="By commas" fault={fault("protocols")}>
          {(given) => <input {...given} type="text" className="input" placeholder="all" value={draft.protocols} onChange={(event) => change({ protocols: event.target.value })} />}
        </Field>
      </div>
    </>
  );
}

type Figure = "capital_usd" | "bps" | "gas_usd" | "rebalance_days" | "top_n" | "holding_days" | "hysteresis" | "most_distress" | "horizon";

function NumberField({ name, label, hint, draft, change, fault }: Part & { name: Figure; label: string; hint?: string }) {
  return (
    <Field label={label} hint={hint} fault={fault(name)}>
      {(given) => <input {...given} type="number" inputMode="decimal" step="any" className="input" value={draft[name]} onChange={(event) => change({ [name]: event.target.value })} />}
    </Field>
  );
}

function Costs(given: Part) {
  return (
    <div className="bt-fields">
      <NumberField {...given} name="capital_usd" label="Capital, USD" />
      <NumberField {...given} name="bps" label="Cost a side, basis points" />
      <NumberField {...given} name="gas_usd" label="Gas a transaction, USD" />
      <NumberField {...given} name="rebalance_days" label="Decide every, days" />
    </div>
  );
}

function More(given: Part) {
  const { draft, change, fault } = given;
  const wrong = fault("forecasts");
  return (
    <details className="bt-more" open={wrong !== null || undefined}>
      <summary>More choices</summary>
      <div className={`field ${wrong ? "field-wrong" : ""}`}>
        <span className="label">Forecasts that strategies may follow</span>
        <Choice label="Forecasts" value={draft.forecasts} options={FORECASTS} onChange={(forecasts) => change({ forecasts })} />
        <small role={wrong ? "alert" : undefined}>{wrong ?? "As given then: what was stored at the time. Made anew: walks forward, which takes minutes."}</small>
      </div>
      <div className="bt-fields">
        <NumberField {...given} name="top_n" label="Pools to hold at once" />
        <NumberField {...given} name="horizon" label="Forecasts look ahead, days" />
        <NumberField {...given} name="holding_days" label="A move must pay within, days" />
        <NumberField {...given} name="hysteresis" label="New pool better by, pp" hint="Percentage points a year" />
        <NumberField {...given} name="most_distress" label="Highest distress, %" hint="Probability that is still held" />
        <Field label="Only these pools" hint="Ids by commas" fault={fault("pools")}>
          {(own) => <input {...own} type="text" className="input" placeholder="all" value={draft.pools} onChange={(event) => change({ pools: event.target.value })} />}
        </Field>
      </div>
      <label className="check">
        <input type="checkbox" checked={draft.dilution} onChange={(event) => change({ dilution: event.target.checked })} />
        One's own deposit lowers the yield
      </label>
    </details>
  );
}
