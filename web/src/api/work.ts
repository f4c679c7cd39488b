/** Answers of the API about what can be asked for: backtests, models, quotes, alerts; as /v1/openapi.json describes them. */
import type { Origin } from "./types.ts";

export type BacktestState = "queued" | "running" | "done" | "failed" | "cancelled";

/** Every choice of a backtest. */
export interface BacktestForm {
  strategies: string[];
  universe: string;
  chains: string[];
  protocols: string[];
  pools: string[];
  start: string | null;
  end: string | null;
  days: number | null;
  capital_usd: number;
  bps: number;
  gas_usd: number;
  rebalance_days: number;
  top_n: number;
  pool: string | null;
  holding_days: number;
  hysteresis: number;
  most_distress: number;
  dilution: boolean;
  forecasts: string;
  horizon: number;
  models: string[];
  model: string | null;
}

export interface Backtest {
  backtest_id: string;
  owner: string;
  asked_at: string;
  state: BacktestState;
  progress: number;
  doing: string | null;
  attempt: number;
  started_at: string | null;
  ended_at: string | null;
  error: string | null;
  field: string | null;
  remedy: string | null;
  result_id: string | null;
  form: BacktestForm;
}

export interface BacktestPage {
  backtests: Backtest[];
  total: number;
  next: string | null;
}

/** What a strategy came to, after all costs; returns and drawdown are fractions. */
export interface StrategyFigures {
  strategy: string;
  simplest: boolean;
  final_value_usd: number;
  total_return: number;
  annual_return: number;
  volatility: number;
  sharpe: number | null;
  sortino: number | null;
  max_drawdown: number;
  turnover: number;
  transactions: number;
  costs_usd: number;
  fees_usd: number;
  gas_usd: number;
  swap_usd: number;
  versus_hold: number | null;
  versus_hold_low: number | null;
  versus_hold_high: number | null;
  deflated_sharpe: number | null;
}

export interface StrategyCurve {
  strategy: string;
  value_usd: number[];
  drawdown: number[];
}

export interface BacktestResult {
  backtest_id: string;
  result_id: string;
  days: string[];
  pools: number;
  capital_usd: number;
  origin: Origin;
  forecasts: string;
  data_hash: string;
  code_version: string;
  benchmark: string;
  summary: StrategyFigures[];
  refused: Record<string, string>;
  identical: string[][];
  overfitting: number | null;
  trials: number;
  stuck: { strategy: string; pool_id: string; usd: number }[];
  accruals: { index: number; quoted: number; gap: number; refused: number; fallen: number };
  trades: number;
  curves: { days: string[]; strategies: StrategyCurve[] };
}

export interface Trade {
  strategy: string;
  day: string;
  kind: "deposit" | "withdraw";
  pool_id: string;
  usd: number;
}

export interface TradePage {
  backtest_id: string;
  rows: Trade[];
  total: number;
  next: string | null;
}

export interface Strategy {
  name: string;
  doc: string;
  needs: string[];
  settings: Record<string, string>;
}

export interface Strategies {
  strategies: Strategy[];
}

export interface Comparison {
  target: string;
  horizon: number;
  one: string;
  other: string;
  forecasts: number;
  days: number;
  first: string | null;
  last: string | null;
  one_error: number | null;
  other_error: number | null;
  yardstick_error: number | null;
  dm_t: number | null;
  better: string | null;
}

export interface Promoted {
  version: string;
  target: string;
  horizon: number;
  reason: string;
  checks: { name: string; passed: boolean; value: number | null; needed: string }[];
}

export interface RolledBack {
  target: string;
  horizon: number;
  champion: string | null;
}

/** One pool's answer; amounts are texts with every digit, without an answer `reason` tells why. */
export interface PoolQuote {
  pool: string;
  title: string;
  reason: string;
  partial: boolean;
  sold: string | null;
  bought: string | null;
  fee: string | null;
  fee_token: string | null;
  average_price: number | null;
  price_before: number | null;
  price_after: number | null;
  impact: number | null;
  slippage: number | null;
}

export interface Quotes {
  chain_id: number;
  block: number;
  origin: string;
  sell: string;
  buy: string;
  quotes: PoolQuote[];
}

export interface ImpactCurve {
  origin: string;
  sell: string;
  buy: string;
  curve: { pool: string; amount: number; impact: number; slippage: number }[];
  depth: { pool: string; bps: number; amount: number }[];
}
