"""A node that answers calls of contracts with nothing leaves a gap, which is filled when it answers."""

import json

import pytest
from laboratory.aave_scene import played_scene
from laboratory.uniswap_scene import played_market
from werkzeug import Response

from defimon.core.settings import load_settings
from defimon.flows.collect_sources import collect_sources
from defimon.sources._manners import Manners
from defimon.store.database import Store

QUICK = Manners(first_wait_s=0.01, longest_wait_s=0.05, gap_s=0.0, attempts=3)


class SilentNode:
    """A node before a real one; `silent`: it answers every call of a contract with no bytes."""

    def __init__(self, server, chain):
        self.chain, self.silent = chain, True
        self.url = server.url_for("/silent")
        server.expect_request("/silent").respond_with_handler(self._serve)

    def _serve(self, request):
        question = json.loads(request.data)
        said = self.chain.http.post(
            "", content=request.data, headers={"Content-Type": "application/json"}
        ).json()
        if self.silent:
            members = question if isinstance(question, list) else [question]
            calls = {one["id"] for one in members if one["method"] == "eth_call"}
            for one in said if isinstance(said, list) else [said]:
                if one["id"] in calls:
                    one["result"] = "0x"
        return Response(json.dumps(said), content_type="application/json")


def scene_of(make, *given):
    try:
        return make(*given)
    except FileNotFoundError as missing:
        pytest.skip(f"needs npm: 'npm ci --ignore-scripts' in tests/laboratory did not bring {missing}")


@pytest.fixture
def store(tmp_path):
    with Store(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        opened.migrate()
        yield opened


def collected(store, settings, source):
    (result,) = collect_sources(settings, [source], store=store, manners=QUICK, every_gap=True).results
    return result


def test_a_market_of_aave_that_cannot_be_read_is_a_gap(store, httpserver):
    market = scene_of(played_scene, 31_337).market
    node = SilentNode(httpserver, market.chain)
    settings = load_settings({}, rpc={"local": node.url}, aave_markets=f"local:{market.provider.address}")
    result = collected(store, settings, "aave")
    assert (result.error, result.gaps_open, result.inserted) == ("", 1, 0)
    node.silent = False
    result = collected(store, settings, "aave")
    assert (result.error, result.gaps_open, result.gaps_filled, result.inserted) == ("", 0, 1, 6)


def test_balances_that_cannot_be_read_are_a_gap(store, httpserver):
    market = scene_of(played_market, 4)
    node = SilentNode(httpserver, market.chain)
    token = market.tokens[0].address
    settings = load_settings({}, rpc={"local": node.url}, tokens=f"local:{token}", accounts=f"local:{token}")
    result = collected(store, settings, "holdings")
    assert (result.error, result.gaps_open, result.inserted) == ("", 1, 0)
    node.silent = False
    result = collected(store, settings, "holdings")
    assert (result.error, result.gaps_open, result.gaps_filled, result.inserted) == ("", 0, 1, 3)


def test_a_pool_that_falls_silent_is_a_gap(store, httpserver):
    market = scene_of(played_market, 4)
    node = SilentNode(httpserver, market.chain)
    node.silent = False
    settings = load_settings({}, rpc={"local": node.url}, exchange_pools=f"local:{market.pair.address}")
    answer = node._serve

    def falls_silent(request):
        # Only the state is asked for by getReserves alone; what kind of pool it is, and its income, by more.
        calls = json.loads(request.data)
        asked = calls if isinstance(calls, list) else [calls]
        node.silent = [one["params"][0].get("data") for one in asked if one["method"] == "eth_call"] == [
            "0x0902f1ac"
        ]
        return answer(request)

    httpserver.clear()
    httpserver.expect_request("/silent").respond_with_handler(falls_silent)
    results = collect_sources(
        settings, ["uniswap"], store=store, manners=QUICK, chosen=lambda one: one.name.endswith(":state")
    ).results
    assert [(one.error, one.gaps_open, one.inserted) for one in results] == [("", 1, 0)]
