import assert from "node:assert/strict";
import { test } from "node:test";
import { eventOf, events } from "../src/api/stream.ts";

test("an event has a name, data and an id", () => {
  assert.deepEqual(eventOf('id: 7\nevent: job\ndata: {"job": "forecasts"}'), { event: "job", data: { job: "forecasts" }, id: "7" });
});

test("comments and what has no data are no events", () => {
  assert.equal(eventOf(": still here"), null);
  assert.equal(eventOf("retry: 3000"), null);
});

test("events are told apart wherever the stream is cut", async () => {
  const text = "retry: 3000\n\nid: 1\nevent: data\ndata: {}\n\n: still here\n\nid: 2\r\nevent: alert\r\ndata: one\r\ndata: two\r\n\r\n";
  for (let size = 1; size < 9; size++) {
    const bytes = new TextEncoder().encode(text);
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
        controller.close();
      },
    });
    const told = [];
    for await (const one of events(body)) told.push(one);
    assert.deepEqual(told, [{ event: "data", data: {}, id: "1" }, { event: "alert", data: "one\ntwo", id: "2" }]);
  }
});
