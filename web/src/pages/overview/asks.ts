/** What the overview asks: begun while its code is still loading. */
import { address } from "../../api/client.ts";

export const ASKS = {
  newest: address("/v1/pools", { sort: "ts", limit: 1 }),
  // As many as hold the best few, whatever of them is doubted or frozen.
  best: address("/v1/pools", { sort: "forecast_low", min_tvl_usd: 1_000_000, limit: 100 }),
  card: address("/v1/scorecard", { target: "apy_mean" }),
  board: address("/v1/leaderboard", { target: "apy_mean" }),
  status: "/v1/status",
  events: address("/v1/models/events", { limit: 10 }),
};
