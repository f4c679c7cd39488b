/** What a backtest was asked with, and what its figures rest on. */
import type { BacktestForm, BacktestResult } from "../../api/work.ts";
import { figure, percent, title } from "../../format.ts";
import { Badge } from "../../parts/Badge.tsx";
import { Panel } from "../../parts/Panel.tsx";

const ANY = "all";

/** Every choice in words, by what it is called. */
export function choicesOf(form: BacktestForm): [string, string][] {
  const all = (names: readonly string[]) => (names.length > 0 ? names.join(", ") : ANY);
  return [
    ["Strategies", form.strategies.map(title).join(", ") || ANY],
    ["Pools", form.pools.length > 0 ? form.pools.join(", ") : form.universe === "stable" ? "dollar stablecoins" : ANY],
    ["Chains", all(form.chains)],
    ["Protocols", all(form.protocols)],
    ["Period", `${form.start ?? "first day"} to ${form.end ?? "last day"}`],
    ["Capital", `$${figure(form.capital_usd)}`],
    ["Cost a side", `${form.bps} basis points`],
    ["Gas a transaction", usdPlain(form.gas_usd)],
    ["Decides every", `${form.rebalance_days} days`],
    ["Pools at once", String(form.top_n)],
    ["Forecasts", form.forecasts === "none" ? "none" : `${form.forecasts.replace("_", " ")}, ${form.horizon} days ahead`],
    ["A move must pay within", `${form.holding_days} days`],
    ["New pool better by", `${percent(form.hysteresis)} a year`],
    ["Highest distress", percent(form.most_distress, 0)],
    ["Own deposit dilutes", form.dilution ? "yes" : "no"],
  ];
}

function usdPlain(value: number): string {
  return `$${figure(value, 2)}`;
}

export function Facts({ result, form }: { result: BacktestResult; form: BacktestForm }) {
  const { accruals } = result;
  const grown = accruals.index + accruals.quoted + accruals.gap;
  const share = (count: number) => (grown > 0 ? percent(count / grown, 0) : "–");
  const facts: [string, string][] = [
    ...choicesOf(form),
    ["Growth by index", `${share(accruals.index)} of pool-days: what was earned`],
    ["By the quoted rate", `${share(accruals.quoted)}; over gaps ${share(accruals.gap)}`],
    ["Settings tried so far", figure(result.trials)],
    ["Data", result.data_hash.slice(0, 16)],
    ["Code", result.code_version],
  ];
  return (
    <Panel title="Choices and data" actions={result.origin === "simulated" ? <Badge tone="warn">simulated</Badge> : undefined} about={`Result ${result.result_id.slice(0, 12)}: the same choices on the same data give it again`}>
      <dl className="bt-facts">
        {facts.map(([name, value]) => <div key={name} className="bt-fact"><dt>{name}</dt><dd>{value}</dd></div>)}
      </dl>
    </Panel>
  );
}
