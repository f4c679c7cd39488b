"""What one client finds out of a service, the next one of the process knows."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from math import inf

import pytest
from pydantic import SecretStr
from scripted_nodes import BLOCKS, QUICK, refused, status

from defimon.core.errors import BadData, TryAgain
from defimon.sources._answer import Answer
from defimon.sources._endpoints import endpoints_of
from defimon.sources._http import Http
from defimon.sources._json_rpc import JsonRpc
from defimon.sources._memory import FORGET_S, KeptAnswers, Memory, NodeFound


def fetched(url, memory, manners=QUICK):
    async def main():
        async with Http(manners, memory) as http:
            await http.get_json(url)

    asyncio.run(main())


def asked(url, memory, ask):
    async def main():
        async with Http(QUICK, memory) as http:
            return await ask(JsonRpc(http, [SecretStr(url)]))

    return asyncio.run(main())


@pytest.mark.parametrize("kept", [True, False])
def test_a_host_that_asked_for_a_long_pause_is_left_alone_by_the_next_client_too(httpserver, kept):
    httpserver.expect_request("/").respond_with_data("", status=429, headers={"Retry-After": "600"})
    memory = Memory() if kept else None
    for _ in range(3):
        with pytest.raises(TryAgain) as refusal:
            fetched(httpserver.url_for("/"), memory)
        assert 590 < refusal.value.after_seconds <= 600
    assert len(httpserver.log) == (1 if kept else 3)


def test_a_host_that_failed_many_times_in_a_row_stays_left_alone(httpserver):
    httpserver.expect_request("/").respond_with_data("", status=500)
    memory, manners = Memory(), replace(QUICK, attempts=4, failures_in_a_row=6, rest_s=300.0)
    with pytest.raises(TryAgain):
        fetched(httpserver.url_for("/"), memory, manners)
    for _ in range(2):
        with pytest.raises(TryAgain, match=r"left alone.*status 500"):
            fetched(httpserver.url_for("/"), memory, manners)
    assert len(httpserver.log) == 6


def test_limits_and_gaps_of_a_node_are_not_learnt_again(node):
    one, memory = (
        node(refused(-32005, "batch size too large"), refused(-32005, "batch size too large")),
        Memory(),
    )

    async def blocks(rpc):
        await rpc.batch(BLOCKS)

    asked(one.url, memory, blocks)
    assert [len(methods) for methods in one.asked] == [10, 5, 2, 2, 2, 2, 2]
    asked(one.url, memory, blocks)
    assert [len(methods) for methods in one.asked[7:]] == [2] * 5


def test_a_method_that_a_node_lacks_is_not_asked_for_again(node):
    one, memory = node(), Memory()

    async def new_thing(rpc):
        with pytest.raises(BadData):
            await rpc.call("eth_newThing")

    asked(one.url, memory, new_thing)
    assert ["eth_newThing"] in one.asked
    before = len(one.asked)
    asked(one.url, memory, new_thing)
    assert len(one.asked) == before


LEARNT = NodeFound(25, 1_000, 1_000.0, {}, 0, 0.0, 0.1)


def limits(memory):
    found = memory.node("url")
    return found.batch_limit, found.log_range, found.limited_at


def test_limits_are_as_old_as_when_they_were_learnt_however_many_clients_went_on_from_them():
    memory = Memory()
    for hour in range(3):
        memory.keep_node("url", replace(LEARNT, latency_s=0.1 * hour), 1_000.0 + hour * 3_600)
        assert limits(memory) == (25, 1_000, 1_000.0)


def test_of_two_clients_that_learnt_at_once_the_lower_limits_count():
    memory = Memory()
    memory.keep_node("url", NodeFound(25, 10_000, 5.0, {"a": 5.0}, 0, 0.0, None), 6.0)
    memory.keep_node("url", NodeFound(400, 2_000, 7.0, {"b": 7.0}, 1, 6.5, 0.3), 8.0)
    assert memory.node("url") == NodeFound(25, 2_000, 5.0, {"a": 5.0, "b": 7.0}, 1, 6.5, 0.3)
    memory.keep_node("url", NodeFound(25, 2_000, 9.0, {}, 0, 0.0, None), 9.0)
    assert limits(memory) == (25, 2_000, 9.0)


def test_a_client_that_learnt_no_limit_makes_none_last_longer():
    memory = Memory()
    memory.keep_node("url", LEARNT, 1_000.0)
    memory.keep_node("url", NodeFound(400, 10_000, -inf, {}, 0, 0.0, None), 5_000.0)
    assert limits(memory) == (25, 1_000, 1_000.0)


def test_a_limit_that_is_old_does_not_come_back_with_a_client_that_lived_long():
    memory = Memory()
    now = 1_000.0 + FORGET_S
    fresh = NodeFound(200, 10_000, now - 10, {}, 0, 0.0, None)
    for kept in ((LEARNT, fresh), (fresh, LEARNT)):
        for one in kept:
            memory.keep_node("url", one, now)
        assert limits(memory) == (200, 10_000, now - 10)


def test_a_limit_is_tried_anew_after_hours_though_a_method_was_refused_since():
    (one,) = endpoints_of([SecretStr("https://node.example")], "X")
    one.bears_batch(25, 1_000.0)
    one.bears_range(500, 1_000.0)
    for hour in range(7):
        now = 1_000.0 + hour * 3_600
        one.refused("eth_newThing", now)
        one.forget(now)
        assert (one.batch_limit, one.log_range) == ((400, 10_000) if hour == 6 else (25, 500))


def answer(body):
    return Answer("https://host.example/list", body, "application/json", datetime(2026, 3, 1, tzinfo=UTC))


def test_of_many_answers_those_that_were_used_last_are_kept():
    kept = KeptAnswers(most=3)
    for name in "abc":
        kept[name] = answer(name.encode())
    assert kept.get("a").body == b"a"
    kept["d"] = answer(b"d")
    assert [name for name in "abcd" if kept.get(name)] == ["a", "c", "d"]


def test_answers_are_kept_within_the_room_there_is():
    kept = KeptAnswers(most_bytes=10)
    for _ in range(5):
        kept["a"] = answer(b"12345")
    kept["b"] = answer(b"12345")
    assert [name for name in "ab" if kept.get(name)] == ["a", "b"]
    kept["c"] = answer(b"1")
    assert [name for name in "abc" if kept.get(name)] == ["b", "c"]
    kept["b"] = answer(b"12345678901")
    assert [name for name in "abc" if kept.get(name)] == ["c"]


def test_a_memory_shows_no_key(node):
    one, memory = node(status(500)), Memory()

    async def head(rpc):
        await rpc.call("eth_blockNumber")

    asked(one.url, memory, head)
    assert one.url.rpartition("/")[2] not in repr(memory)
