import assert from "node:assert/strict";
import { test } from "node:test";
import { ago, duration, percent, points, significant, title, usd, utcTime } from "../src/format.ts";

const plain = (text: string) => text.replaceAll("\u202f", " ").replaceAll("\u2212", "-");

test("a fraction is shown as percent, a missing one as a dash", () => {
  assert.equal(plain(percent(0.052)), "5.20 %");
  assert.equal(plain(percent(-0.00001)), "0.00 %");
  assert.equal(plain(percent(1147.55)), "114,755 %");
  assert.equal(percent(null), "–");
  assert.equal(percent(Number.NaN), "–");
});

test("a difference of rates is in percentage points and has its sign", () => {
  assert.equal(plain(points(0.0042)), "+0.42 pp");
  assert.equal(plain(points(-0.0042)), "-0.42 pp");
  assert.equal(plain(points(0.000_001)), "0.00 pp");
});

test("money is short", () => {
  const told = [0, 950, 12_345, 1_240_000, 99_960_000, 2.78e10, -5_000].map((value) => plain(usd(value)));
  assert.deepEqual(told, ["$0", "$950", "$12.3K", "$1.24M", "$100.0M", "$27.8B", "-$5.00K"]);
});

test("lengths of time stand in their largest unit", () => {
  assert.deepEqual([0, 0.25, 42, 90, 3_600, 200_000, 864_000].map((value) => plain(duration(value))), [
    "0 s", "250 ms", "42 s", "1.5 min", "1 h", "2.3 d", "10 d",
  ]);
});

test("a moment is told from now, either way", () => {
  const now = Date.parse("2026-01-31T12:00:00Z");
  assert.equal(plain(ago("2026-01-31T10:00:00Z", now)), "2 h ago");
  assert.equal(plain(ago("2026-01-31T12:30:00Z", now)), "in 30 min");
  assert.equal(utcTime("2026-01-31T12:30:05.250Z"), "2026-01-31 12:30:05 UTC");
});

test("slugs are written as people write them", () => {
  assert.deepEqual(["aave-v3", "curve-dex", "zksync", "rolling_mean", "ridge@f5e29788eb4c", null].map(title), ["Aave v3", "Curve DEX", "zkSync", "Rolling Mean", "Ridge f5e297", "–"]);
});

test("small figures keep the digits that say something", () => {
  assert.equal(significant(0.0031234), "0.00312");
  assert.equal(significant(0), "0");
});
