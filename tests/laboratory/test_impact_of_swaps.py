"""Swaps of real pools, collected from their logs, in the statistics of impact."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import exp

import pytest
from laboratory.uniswap_scene import played_market

from defimon.core.settings import load_settings
from defimon.flows._pool_swaps import Swap, read_logs
from defimon.flows.collect_sources import collect_sources
from defimon.flows.impact_job import Observed, observe_swaps
from defimon.store.database import Store

DAYS = 9
"""Two more than a forecast looks back, so that the last ones have twenty windows of six hours before them."""


@pytest.fixture(scope="module")
def market():
    try:
        return played_market(DAYS, 31_338)
    except FileNotFoundError as missing:
        pytest.skip(f"needs npm: 'npm ci --ignore-scripts' in tests/laboratory did not bring {missing}")


@pytest.fixture(scope="module")
def store(market, tmp_path_factory):
    named = ",".join(f"local:{one.address}" for one in (market.pair, market.pool))
    settings = load_settings({"DEFIMON_RPC_LOCAL": market.url, "DEFIMON_EXCHANGE_POOLS": named})
    block = market.chain.rpc("eth_getBlockByNumber", "0x0", False)
    since = datetime.fromtimestamp(int(block["timestamp"], 16), UTC)
    with Store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}") as opened:
        opened.migrate()
        collect_sources(settings, ["uniswap"], store=opened, since=since)
        yield opened


def pool_after(states, number):
    """The pool as it was read first after a block; nothing happened to it in between."""
    return states[min(one for one in states if one >= number)]


def test_logs_tell_each_swap_and_where_the_pool_stood_after_it(market, store):
    for name, contract in (("pair", market.pair), ("pool", market.pool)):
        rows = store.read("events", where={"address": [contract.address]}).sort("number", "log_index")
        told = list(read_logs(rows.iter_rows(named=True)))
        swaps = [one for one in told if isinstance(one, Swap)]
        assert len(swaps) == 4 * DAYS
        for earlier, swap in pairwise(swaps):
            assert swap.before == earlier.after
            before, after = (pool_after(market.seen[name], one.after.number) for one in (earlier, swap))
            sell, buy = before.tokens[swap.sold], before.tokens[1 - swap.sold]
            assert before.quote_exact_in(sell, buy, swap.amount_in).amount_out == swap.amount_out
            price = float(after.spot_price(*after.tokens))
            assert exp(swap.after.log_price) == pytest.approx(price, rel=1e-12)


@pytest.fixture
def a_version_each_block(monkeypatch):
    monkeypatch.setattr("defimon.flows.impact_job.MOST_LOGS", 1)


@pytest.mark.usefixtures("a_version_each_block")
def test_each_swap_is_taken_into_the_statistics_once(store):
    done = observe_swaps(store)
    assert done.taken + done.left_out == 2 * 4 * DAYS
    assert done.taken == store.count("impact_statistics") > 20
    kept = store.content_hash("impact_statistics")
    assert observe_swaps(store) == Observed()
    assert store.content_hash("impact_statistics") == kept
    rows = store.read("impact_statistics")
    assert rows.height == 4
    assert set(rows["origin"]) == {"simulated"}
    assert rows["absolute_error_mean"].is_between(1e-6, 0.1).all()


@pytest.mark.usefixtures("a_version_each_block")
def test_statistics_rise_by_what_each_swap_did_to_the_price(market, store):
    observe_swaps(store)
    for kind, name, contract in (("v2", "pair", market.pair), ("v3", "pool", market.pool)):
        rows = store.read("events", where={"address": [contract.address]}).sort("number", "log_index")
        states, taken = market.seen[name], 0
        tokens = states[max(states)].tokens
        for swap in (one for one in read_logs(rows.iter_rows(named=True)) if isinstance(one, Swap)):
            sell, buy = tokens[swap.sold], tokens[1 - swap.sold]
            where = {"venue": [f"uniswap-{kind}:local:{contract.address}"], "sell": [sell]}
            moments = (swap.after.ts - timedelta(microseconds=1), swap.after.ts)
            before, after = (store.read("impact_statistics", as_of=moment, where=where) for moment in moments)
            if after.is_empty() or after.equals(before):
                continue
            taken += 1
            first, last = (
                pool_after(states, one.number).spot_price(sell, buy) for one in (swap.before, swap.after)
            )
            told = [(one["count"] * one["impact_mean"]).sum() for one in (before, after)]
            assert told[1] - told[0] == pytest.approx(float(1 - last / first))
        assert taken > 10
