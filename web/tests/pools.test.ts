import assert from "node:assert/strict";
import { test } from "node:test";
import type { HistoryRow, Pool } from "../src/api/types.ts";
import { DAY_MS, daily, healthOf, realised } from "../src/pages/pool/data.ts";
import { type Filters, chosen } from "../src/pages/pools/filters.ts";

const ANY: Filters = { q: "", chain: "", protocol: "", kind: "", stablecoin: "", min_tvl: "", forecast: "" };
const POOLS = [
  { pool_id: "1", symbol: "USDC", protocol: "aave-v3", chain: "base", stablecoin: true, tvl_usd: 5e6, forecast: 0.05 },
  { pool_id: "2", symbol: "WETH-USDC", protocol: "uniswap-v3", chain: "ethereum", stablecoin: false, tvl_usd: null, forecast: null },
] as unknown as Pool[];

const found = (filters: Partial<Filters>) => chosen(POOLS, { ...ANY, ...filters }).map((pool) => pool.pool_id);

test("pools at hand are chosen as the API would", () => {
  assert.deepEqual(found({}), ["1", "2"]);
  assert.deepEqual(found({ q: "usdc BASE" }), ["1"]);
  assert.deepEqual(found({ chain: "Ethereum" }), ["2"]);
  assert.deepEqual(found({ stablecoin: "false" }), ["2"]);
  assert.deepEqual(found({ min_tvl: "1000000" }), ["1"]);
  assert.deepEqual(found({ forecast: "yes" }), ["1"]);
});

const START = Date.parse("2026-01-01T00:00:00Z");
const row = (day: number, given: Partial<HistoryRow> = {}) =>
  ({ ts: new Date(START + day * DAY_MS).toISOString(), apy: 0.05, index: 1.05 ** (day / 365), flags: null, source: "test", ...given }) as HistoryRow;

test("an index that grows by what is quoted earns what is quoted", () => {
  const rows = Array.from({ length: 20 }, (_, day) => row(day));
  const earned = realised(rows);
  assert.equal(earned.length, 13);
  for (const { earned: had, quoted } of earned) {
    assert.ok(Math.abs(had - 0.05) < 1e-9);
    assert.ok(Math.abs(quoted - 0.05) < 1e-12);
  }
});

test("no yield is told across a fallen index or without one", () => {
  const fallen = Array.from({ length: 8 }, (_, day) => row(day, { index: 2 - day / 10 }));
  assert.deepEqual(realised(fallen), []);
  assert.deepEqual(realised(fallen.map((one) => ({ ...one, index: null }))), []);
});

test("days that were not observed are gaps in a chart and told of", () => {
  const rows = [row(0), row(1, { flags: "jump,stale_repetition" }), row(5)];
  assert.deepEqual(daily(rows, (one) => one.apy).map(([, value]) => value), [0.05, 0.05, null, 0.05]);
  const health = healthOf(rows);
  assert.deepEqual([health?.observed, health?.days, health?.longestGap, health?.flagged, health?.byFlag], [3, 6, 3, 1, [["jump", 1], ["stale_repetition", 1]]]);
});
