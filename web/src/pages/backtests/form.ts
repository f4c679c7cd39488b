/** The form of a backtest as texts, and as the API takes it. */
import type { BacktestForm } from "../../api/work.ts";
import { title } from "../../format.ts";
import { listed } from "../../parts/words.ts";

/** Texts of the inputs; strategies are chosen one by one. */
export interface Draft {
  strategies: string[];
  universe: string;
  chains: string;
  protocols: string;
  pools: string;
  start: string;
  end: string;
  capital_usd: string;
  bps: string;
  gas_usd: string;
  rebalance_days: string;
  top_n: string;
  holding_days: string;
  hysteresis: string;
  most_distress: string;
  forecasts: string;
  horizon: string;
  dilution: boolean;
}

export const USUAL: Draft = {
  strategies: [], universe: "stable", chains: "", protocols: "", pools: "", start: "", end: "", capital_usd: "10000", bps: "10", gas_usd: "1",
  rebalance_days: "7", top_n: "3", holding_days: "30", hysteresis: "0", most_distress: "20", forecasts: "none", horizon: "7", dilution: true,
};

export function draftOf(form: BacktestForm): Draft {
  return {
    ...USUAL,
    strategies: form.strategies, universe: form.universe, chains: form.chains.join(", "), protocols: form.protocols.join(", "),
    pools: form.pools.join(", "), start: form.start ?? "", end: form.end ?? "", capital_usd: String(form.capital_usd), bps: String(form.bps),
    gas_usd: String(form.gas_usd), rebalance_days: String(form.rebalance_days), top_n: String(form.top_n), holding_days: String(form.holding_days),
    hysteresis: tidy(form.hysteresis * 100), most_distress: tidy(form.most_distress * 100), forecasts: form.forecasts, horizon: String(form.horizon),
    dilution: form.dilution,
  };
}

function tidy(value: number): string {
  return String(Number(value.toPrecision(12)));
}

/** What is sent: fields that are left empty are left out, percent become fractions. */
export function asked(draft: Draft): Record<string, unknown> {
  const lists = { strategies: draft.strategies, chains: listed(draft.chains), protocols: listed(draft.protocols), pools: listed(draft.pools) };
  const numbers = {
    capital_usd: draft.capital_usd, bps: draft.bps, gas_usd: draft.gas_usd, rebalance_days: draft.rebalance_days, top_n: draft.top_n,
    holding_days: draft.holding_days, horizon: draft.horizon,
  };
  const shares = { hysteresis: draft.hysteresis, most_distress: draft.most_distress };
  return {
    universe: draft.universe, forecasts: draft.forecasts, dilution: draft.dilution,
    ...(draft.start ? { start: draft.start } : {}),
    ...(draft.end ? { end: draft.end } : {}),
    ...kept(lists, (list) => list.length > 0, (list) => list),
    ...kept(numbers, (text) => text.trim() !== "", Number),
    ...kept(shares, (text) => text.trim() !== "", (text) => Number(text) / 100),
  };
}

function kept<Given, Made>(of: Record<string, Given>, wanted: (one: Given) => boolean, make: (one: Given) => Made): Record<string, Made> {
  return Object.fromEntries(Object.entries(of).filter(([, one]) => wanted(one)).map(([name, one]) => [name, make(one)]));
}

/** A few words on what a backtest is of. */
export function summaryOf(form: BacktestForm): string {
  const names = [...form.protocols, ...form.chains, ...(form.pools.length > 0 ? [`${form.pools.length} pools`] : [])];
  const where = names.length > 0 ? names.join(", ") : form.universe === "stable" ? "dollar stablecoins" : "all pools";
  const what = form.strategies.length === 0 ? "All strategies" : form.strategies.length > 3 ? `${form.strategies.length} strategies` : form.strategies.map(title).join(", ");
  return `${what} · ${where}`;
}
