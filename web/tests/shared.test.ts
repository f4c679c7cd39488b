import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { begin, shared } from "../src/api/shared.ts";

/** What is asked of the server, in order; each is answered with its number when the test says so. */
const asked: { answer: ServerResponse; gone: boolean }[] = [];
let path = "/";
let turn = 0;
const own = globalThis.fetch;

const server = createServer((_, answer) => {
  const one = { answer, gone: false };
  answer.on("close", () => (one.gone = !answer.writableEnded));
  asked.push(one);
});

before(async () => {
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  // Node knows no page that a path is of.
  globalThis.fetch = (input, init) => own(`http://127.0.0.1:${port}${String(input)}`, init);
});
after(() => {
  globalThis.fetch = own;
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked.length = 0;
  path = `/v1/thing/${turn++}`;
});

const never = () => new AbortController().signal;
const until = async (holds: () => boolean) => {
  for (const end = performance.now() + 20_000; !holds(); assert.ok(performance.now() < end)) await new Promise((next) => setTimeout(next, 5));
};
const pass = (ms: number) => new Promise((next) => setTimeout(next, ms));

function answer(number: number): void {
  asked[number]?.answer.setHeader("Content-Type", "application/json").end(JSON.stringify(number));
}

test("who asks the same at the same time shares one request", async () => {
  const told = [shared(path, never(), false), shared(path, never(), false)];
  await until(() => asked.length === 1);
  const fresh = [shared(path, never(), true), shared(path, never(), true)];
  await until(() => asked.length === 2 && asked[0]?.gone === true);
  answer(1);
  assert.deepEqual(await Promise.all([...told, ...fresh]), [1, 1, 1, 1]);
});

test("news that comes while the answer to older news is under way is asked for anew", async () => {
  const first = shared(path, never(), true);
  await until(() => asked.length === 1);
  await pass(80);
  const second = shared(path, never(), true);
  await until(() => asked.length === 2);
  answer(1);
  assert.deepEqual(await Promise.all([first, second]), [1, 1]);
});

test("a request that was overtaken is given up only with the last who waits", async () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const patient = Promise.allSettled([shared(path, one.signal, false)]);
  await until(() => asked.length === 1);
  const fresh = Promise.allSettled([shared(path, other.signal, true)]);
  await until(() => asked.length === 2);
  one.abort();
  await pass(30);
  assert.equal(asked[1]?.gone, false);
  other.abort();
  await until(() => asked[1]?.gone === true);
  const told = [...(await patient), ...(await fresh)];
  assert.deepEqual(told.map((each) => each.status), ["rejected", "rejected"]);
});

test("what was asked for ahead is there for who wants it, and passed over by who wants it new", async () => {
  begin([path]);
  await until(() => asked.length === 1);
  answer(0);
  await pass(30);
  assert.equal(await shared(path, never(), false), 0);
  const fresh = shared(path, never(), true);
  await until(() => asked.length === 2);
  answer(1);
  assert.equal(await fresh, 1);
});
