"""Quotes of a posted state: what is asked in a wrong way, and what asks for too much."""

import asyncio
import copy
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from defimon.apps.api.reckoning import MOST, THREADS, Reckoning
from defimon.apps.api.routes.quotes import EXAMPLE
from defimon.core.errors import BadData, TryAgain
from defimon.flows.posted_state import MOST_CURVES, curve_document


def changed(place, value):
    """The example with another value at a place such as pools.0.id of its state."""
    asked = copy.deepcopy(EXAMPLE)
    *way, last = [int(part) if part.isdigit() else part for part in place.split(".")]
    inner = asked["state"]
    for part in way:
        inner = inner[part]
    inner[last] = value
    return asked


def posted(client, path, asked):
    """As any program may write it: half characters as JSON's own escapes."""
    body = json.dumps(asked).encode()
    return client.post(path, content=body, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("path", ["/v1/quotes", "/v1/quotes/curve"])
@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("chain_id", 1 << 64), ("pools.0.id", "\ud800"), ("tokens.0.symbol", "\ud800"),
        ("tokens.0.id", "\ud800"), ("pools.0.tokens.1", "\udfff"),
    ],
)  # fmt: skip
def test_a_state_that_no_answer_could_repeat_is_refused_by_its_field(client, path, place, value):
    answer = posted(client, path, changed(place, value))
    assert answer.status_code == 422
    words = "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in place.split("."))
    assert f"state{words}" in answer.json()["detail"]


def test_the_largest_chain_id_is_repeated(client):
    most = (1 << 64) - 1
    assert posted(client, "/v1/quotes", changed("chain_id", most)).json()["chain_id"] == most


def many(count):
    """The example with so many pools alike."""
    (pool,) = EXAMPLE["state"]["pools"]
    return {**EXAMPLE["state"], "pools": [{**pool, "id": f"pair {n}"} for n in range(count)]}


def test_curves_are_drawn_of_so_many_pools_and_no_more(client):
    path = "/v1/quotes/curve"
    told = client.post(path, json={**EXAMPLE, "state": many(MOST_CURVES)}).json()
    named = [f"pair {n}" for n in range(MOST_CURVES)]
    assert list(dict.fromkeys(point["pool"] for point in told["curve"])) == named
    assert list(dict.fromkeys(point["pool"] for point in told["depth"])) == named
    more = {**EXAMPLE, "state": many(MOST_CURVES + 1)}
    refused = client.post(path, json=more)
    assert (refused.status_code, refused.json()["detail"]) == (422, "21 pools trade the two tokens.")
    assert "at most 20" in refused.json()["remedy"]
    assert client.post(path, json={**more, "pool": "pair 7"}).status_code == 200
    assert client.post("/v1/quotes", json=more).status_code == 200


def test_curves_that_take_too_long_are_given_up_between_two_pools():
    with pytest.raises(BadData, match="Only 0 of 20 pools were done after 0 seconds"):
        curve_document(many(20), most_s=0.0, sell="USDC", buy="WETH", amount="1500")


def test_quotes_keep_no_thread_from_others_and_are_refused_when_many_wait(filled, serve_on, as_key):
    with serve_on(filled.folder, api_open="never") as client, ThreadPoolExecutor(MOST) as callers:
        service, gate, begun = client.app.state.service, threading.Event(), threading.Semaphore(0)

        async def slow():
            waiting = asyncio.ensure_future(service.reckoning(gate.wait))
            await asyncio.sleep(0)
            begun.release()
            return await waiting

        try:
            under_way = [callers.submit(lambda: asyncio.run(slow())) for _ in range(MOST)]
            for _ in range(MOST):
                assert begun.acquire(timeout=60)
            refused = client.post("/v1/quotes", json=EXAMPLE, headers=as_key("read"))
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
            assert client.get("/v1/key", headers=as_key("run")).status_code == 200
            assert client.get("/v1/baskets", headers=as_key("run")).status_code == 200
        finally:
            gate.set()
        assert all(one.result(60) for one in under_way)
        assert client.post("/v1/quotes", json=EXAMPLE, headers=as_key("read")).status_code == 200


def test_a_quote_that_nobody_waits_for_any_more_is_not_begun():
    reckoning, gate, begun = Reckoning(), threading.Event(), []

    async def ask():
        held = [asyncio.ensure_future(reckoning.of(gate.wait)) for _ in range(THREADS)]
        left = [asyncio.ensure_future(reckoning.of(lambda: begun.append(1))) for _ in range(MOST - THREADS)]
        await asyncio.sleep(0)
        with pytest.raises(TryAgain):
            await reckoning.of(gate.wait)
        for one in left:
            one.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        last = asyncio.ensure_future(reckoning.of(lambda: "done"))
        gate.set()
        assert await asyncio.gather(*held) == [True] * THREADS
        return await last

    try:
        assert asyncio.run(ask()) == "done"
        assert begun == []
    finally:
        gate.set()
        reckoning.close()
