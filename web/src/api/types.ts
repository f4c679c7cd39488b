/** Answers of the API, as /v1/openapi.json describes them. Rates are fractions a year, money USD, times RFC 3339. */

export type Origin = "observed" | "derived" | "simulated";

export interface Pool {
  pool_id: string;
  protocol: string | null;
  chain: string | null;
  symbol: string | null;
  stablecoin: boolean | null;
  kind: string | null;
  address: string | null;
  meta: string | null;
  listed: boolean | null;
  ts: string;
  apy: number;
  apy_base: number | null;
  apy_reward: number | null;
  tvl_usd: number | null;
  volume_24h_usd: number | null;
  borrow_apy: number | null;
  utilisation: number | null;
  index: number | null;
  status: "active" | "frozen" | "paused" | null;
  flags: string | null;
  forecast: number | null;
  forecast_low: number | null;
  forecast_high: number | null;
  forecast_model: string | null;
  source: string;
  origin: Origin;
  known_at: string;
}

/** As much of a pool as a list shows: asked for with `fields`. */
export const LISTED = [
  "pool_id", "symbol", "protocol", "chain", "meta", "status", "flags", "apy", "forecast", "forecast_low", "forecast_high", "tvl_usd", "volume_24h_usd",
  "utilisation", "ts",
] as const satisfies readonly (keyof Pool)[];
export type ListedPool = Pick<Pool, (typeof LISTED)[number]>;

export interface PoolValues {
  protocol: ValueCount[];
  chain: ValueCount[];
  kind: ValueCount[];
}

export interface ValueCount {
  value: string;
  pools: number;
}

export interface PoolPage {
  pools: Pool[];
  total: number;
  next: string | null;
}

export interface HistoryRow {
  pool_id: string;
  ts: string;
  apy: number;
  apy_base: number | null;
  apy_reward: number | null;
  tvl_usd: number | null;
  volume_24h_usd: number | null;
  borrow_apy: number | null;
  utilisation: number | null;
  index: number | null;
  status: string | null;
  supply_cap: number | null;
  borrow_cap: number | null;
  reserve_factor: number | null;
  known_at: string;
  source: string;
  origin: Origin;
  flags: string | null;
}

export interface HistoryPage {
  pool_id: string;
  rows: HistoryRow[];
  next: string | null;
}

export interface Forecast {
  pool_id: string;
  ts: string;
  target: string;
  horizon: number;
  model: string;
  yhat: number | null;
  q05: number | null;
  q50: number | null;
  q95: number | null;
  p_drop20: number | null;
  y: number | null;
  refit_at: string | null;
  reason: string | null;
  role: "served" | "shadow" | null;
  version: string | null;
  yardstick: number | null;
  said_at: string | null;
  known_at: string;
  source: string;
  origin: Origin;
}

export interface PoolForecast {
  pool_id: string;
  horizon: number;
  interval_level: number;
  skill: Record<string, number | null>;
  forecasts: Forecast[];
}

export interface SaidPage {
  pool_id: string;
  rows: Forecast[];
  next: string | null;
}

export interface Standing {
  target: string;
  horizon: number;
  model: string;
  run_id: string;
  ts: string;
  origin: Origin;
  scores: Record<string, number>;
}

export interface Leaderboard {
  standings: Standing[];
}

export interface ModelVersion {
  model: string;
  version: string;
  ts: string;
  target: string;
  horizon: number;
  alias: string | null;
  data_hash: string;
  code_version: string;
  known_at: string;
  source: string;
  origin: Origin;
  scores: Record<string, number>;
}

export interface Models {
  versions: ModelVersion[];
  kinds: string[];
}

export interface SeriesStatus {
  series: string;
  source: string;
  chain: string;
  configured: boolean;
  every_s: number | null;
  position: number | null;
  ts: string | null;
  age_s: number | null;
  moved_at: string | null;
  gaps_open: number;
  gaps_filled: number;
  gaps_lost: number;
  missing: number;
  flagged_share: number | null;
  next_due: string | null;
}

export interface Quality {
  source: string;
  rows: number;
  flagged: number;
  quarantined: number;
  share: number | null;
}

export interface EndpointStatus {
  endpoint: string;
  ts: string;
  calls: number;
  failures: number;
  latency_s: number | null;
  state: string;
  note: string;
}

export interface JobRun {
  job: string;
  slot: string;
  attempt: number;
  started_at: string;
  lease_until: string;
  status: "running" | "done" | "failed";
  ended_at: string | null;
  rows: number | null;
  warnings: string;
  error: string;
  next_at: string | null;
}

export interface Status {
  format: string;
  version: number;
  at: string;
  series: SeriesStatus[];
  quality: Quality[];
  health: EndpointStatus[];
  jobs: JobRun[];
}

export interface ShownSettings {
  code_version: string;
  database: string;
  settings: Record<string, unknown>;
  set: Record<string, boolean>;
}

/** Figures of forecasts whose truth is known; null below the fewest forecasts, or what does not apply. */
export interface Figures {
  forecasts: number;
  pools: number;
  days: number;
  first: string | null;
  last: string | null;
  mae: number | null;
  yardstick_mae: number | null;
  brier: number | null;
  yardstick_brier: number | null;
  skill: number | null;
  dm_t: number | null;
  proved: boolean | null;
  bounded: number;
  coverage: number | null;
  width: number | null;
  winkler: number | null;
  calibration: { nominal: number; realised: number; forecasts: number }[];
}

export interface Group {
  name: string;
  figures: Figures;
}

interface ScorecardTold {
  target: string;
  unit: string;
  fewest: number;
  waiting: number;
  untold: number;
  overall: Figures;
}

export interface Scorecard extends ScorecardTold {
  since: string;
  by_model: Group[];
  by_protocol: Group[];
  by_chain: Group[];
  by_horizon: Group[];
  by_week: Group[];
}

export interface PastForecast {
  pool_id: string;
  ts: string;
  target: string;
  horizon: number;
  model: string;
  version: string | null;
  yhat: number | null;
  q05: number | null;
  q50: number | null;
  q95: number | null;
  y: number | null;
  yardstick: number | null;
  reason: string | null;
  said_at: string | null;
  error: number | null;
  inside: boolean | null;
}

export interface PoolScorecard extends ScorecardTold {
  pool_id: string;
  rows: PastForecast[];
}

export interface ModelEvent {
  target: string;
  horizon: number;
  ts: string;
  kind: "trained" | "challenger" | "promoted" | "refused" | "rolled_back" | "drift";
  model: string | null;
  version: string | null;
  figures: Record<string, number>;
  reason: string | null;
  author: string | null;
  origin: string;
}

export interface ModelEvents {
  events: ModelEvent[];
}

export interface RuleRows {
  source: string;
  rule: string;
  rows: number;
  last: string;
}

export interface RowApart {
  row_table: string;
  row_key: string;
  ts: string;
  rule: string;
  source: string;
  known_at: string;
}

export interface Quarantine {
  since: string;
  total: number;
  rules: RuleRows[];
  rows: RowApart[];
}
