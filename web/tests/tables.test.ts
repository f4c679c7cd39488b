import assert from "node:assert/strict";
import { test } from "node:test";
import { csv } from "../src/parts/csv.ts";
import { sorted } from "../src/table/order.ts";

const column = { value: (row: number | string | null) => row };

test("figures sort by size, words as a reader would, missing ones come last either way", () => {
  assert.deepEqual(sorted([3, null, 20, 1], column, { key: "", descending: false }), [1, 3, 20, null]);
  assert.deepEqual(sorted([3, null, 20, 1], column, { key: "", descending: true }), [20, 3, 1, null]);
  assert.deepEqual(sorted(["b", "A", "a10", "a9"], column, { key: "", descending: false }), ["A", "a9", "a10", "b"]);
});

test("rows that are alike keep their order", () => {
  const rows = [{ a: 1, b: 1 }, { a: 1, b: 2 }, { a: 0, b: 3 }];
  const by = { value: (row: { a: number }) => row.a };
  assert.deepEqual(sorted(rows, by, { key: "", descending: true }).map((row) => row.b), [1, 2, 3]);
});

test("CSV quotes what needs it and leaves a missing value empty", () => {
  assert.equal(csv(["a", "b"], [["x,y", null], ['say "so"', 0.05], ["two\nlines", false]]), 'a,b\r\n"x,y",\r\n"say ""so""",0.05\r\n"two\nlines",false\r\n');
});

test("a name that a spreadsheet would run is marked as text, a figure is not", () => {
  assert.equal(csv(["a"], [["=1+1"], ["@x"], [-5]]), "a\r\n'=1+1\r\n'@x\r\n-5\r\n");
});
