import assert from "node:assert/strict";
import { test } from "node:test";
import type { HistoryRow } from "../src/api/types.ts";
import { DAY_MS, daily, healthOf, realised } from "../src/pages/pool/data.ts";
import { address } from "../src/api/client.ts";
import { chunkAddress } from "../src/pages/pools/asks.ts";
import { asQuestion, filtersOf, sortOf } from "../src/pages/pools/filters.ts";

const asked = (text: string) => {
  const query = new URLSearchParams(text);
  return address("", asQuestion(filtersOf(query), sortOf(query)));
};

test("what stands in the address is asked of the API", () => {
  assert.equal(asked(""), "?sort=tvl_usd&order=desc");
  assert.equal(asked("q=usdc+&chain=base&forecast=yes&min_tvl=1e6"), "?q=usdc&chain=base&min_tvl_usd=1e6&with_forecast=true&sort=tvl_usd&order=desc");
  assert.equal(asked("sort=move&order=asc"), "?sort=forecast_change&order=asc");
  assert.equal(asked("sort=range"), "?sort=forecast_high&order=desc");
  assert.equal(asked("sort=nonsense&order=asc"), "?sort=tvl_usd&order=desc");
});

test("rows are asked for a hundred at a time, with the fields of a list alone", () => {
  const query = { sort: "apy" };
  assert.ok(chunkAddress(query, 0).endsWith("&limit=100"));
  assert.ok(chunkAddress(query, 150).endsWith("&limit=100&skip=15000"));
  assert.match(chunkAddress(query, 0), /fields=pool_id%2Csymbol/);
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
