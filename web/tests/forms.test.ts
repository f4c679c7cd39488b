import assert from "node:assert/strict";
import { test } from "node:test";
import type { Kind, Rule } from "../src/api/alerts.ts";
import { EMPTY, asked as ruleAsked, draftOf as ruleDraft, ofKind } from "../src/pages/alerts/rules.ts";
import { USUAL, asked } from "../src/pages/backtests/form.ts";
import { leading } from "../src/pages/backtests/curves.ts";
import { partners, read } from "../src/pages/execution/document.ts";
import { Problem } from "../src/api/problem.ts";
import { faultOf } from "../src/parts/Field.tsx";
import { listed } from "../src/parts/words.ts";

test("what a form leaves empty is left out, percent become fractions", () => {
  const told = asked({ ...USUAL, hysteresis: "0.5", start: "2026-01-01", capital_usd: "", chains: "base,  base, ethereum" });
  assert.equal(told["hysteresis"], 0.005);
  assert.equal(told["start"], "2026-01-01");
  assert.deepEqual(told["chains"], ["base", "ethereum"]);
  for (const name of ["end", "capital_usd", "strategies", "protocols", "pools"]) assert.ok(!(name in told), name);
});

test("words are told apart by commas and line breaks", () => {
  assert.deepEqual(listed(" a, b\nc,,a "), ["a", "b", "c"]);
});

test("the simplest rule stands among the leading strategies", () => {
  const row = (strategy: string, final_value_usd: number, simplest = false) => ({ strategy, final_value_usd, simplest });
  const rows = [row("hold", 1, true), row("a", 5), row("b", 4), row("c", 3)] as unknown as Parameters<typeof leading>[0];
  assert.deepEqual(leading(rows, 3), ["a", "b", "hold"]);
});

const STATE = (reserve: string) => `{"format": "defimon.pools", "version": 1, "chain_id": 1, "block": 1, "origin": "simulated",
  "tokens": [{"id": "x", "symbol": "USDC", "decimals": 6}, {"id": "y", "decimals": 18}, {"id": "z", "decimals": 18}],
  "pools": [{"id": "12345678901234567890 \\" 1", "type": "constant_product", "tokens": ["x", "y"], "reserves": [${reserve}, 5], "fee_ppm": 3000}]}`;

test("whole numbers that a float does not hold keep every digit", () => {
  const state = read(STATE("30000000000000000001"));
  assert.ok(typeof state !== "string");
  const [pool] = (state.raw as { pools: { id: string; reserves: unknown[] }[] }).pools;
  assert.deepEqual(pool?.reserves, ["30000000000000000001", 5]);
  assert.equal(pool?.id, '12345678901234567890 " 1');
  assert.deepEqual(partners(state, "x").map((one) => one.symbol), ["y"]);
});

test("what is no state says why", () => {
  assert.match(read("") as string, /Paste/);
  assert.match(read("{") as string, /no JSON/);
  assert.match(read("[]") as string, /format/);
});

const KIND: Kind = {
  name: "apy_change", doc: "", about: "pools", unit: "fraction a year",
  settings: [{ name: "by", doc: "", unit: "fraction a year", low: 0, high: 1, default: null }, { name: "hours", doc: "", unit: "hours", low: 1, high: 720, default: 24 }],
};

test("a rule is typed in percent and kept as a fraction, and back", () => {
  const draft = { ...ofKind(EMPTY, KIND), name: "moves", stablecoin: "no" as const };
  assert.deepEqual(draft.settings, { by: "", hours: "24" });
  const told = ruleAsked({ ...draft, settings: { by: "0.7", hours: "24" } }, KIND);
  assert.ok(Math.abs((told.settings["by"] as number) - 0.007) < 1e-12);
  assert.equal(told.scope.stablecoin, false);
  const rule = { ...told, rule_id: "1", owner: "me", saved_at: "", scope: { names: [], chains: [], protocols: [], stablecoin: false, min_tvl_usd: null } } as Rule;
  assert.equal(ruleDraft(rule, KIND).settings["by"], "0.7");
});

test("what the API says of a field stands at the field", () => {
  const body = new Problem(422, { field: "body.capital_usd", errors: [{ field: "body.capital_usd", detail: "too small" }] });
  assert.equal(faultOf(body, "capital_usd"), "too small");
  assert.equal(faultOf(body, "bps"), null);
  const unknown = new Problem(404, { detail: "1 of the chains are unknown.", field: "chains", unknown: { ethereun: ["ethereum"] } });
  assert.match(faultOf(unknown, "chains") ?? "", /did you mean ethereum/);
  assert.match(faultOf(new Problem(422, { detail: "No.", field: "chains, pools" }), "pools") ?? "", /No/);
});
