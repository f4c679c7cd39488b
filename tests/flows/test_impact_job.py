"""Swaps of a pool in the store, taken into the statistics of impact: those of a golden pool, as logs."""

from datetime import timedelta

import pytest
from followed_pool import Chain, golden, statistics

from defimon.core.settings import load_settings
from defimon.execution.statistics import MOMENTS
from defimon.flows._store import open_store, store_url
from defimon.flows.impact_job import Observed, observe_swaps
from defimon.flows.jobs import jobs_of
from defimon.flows.run_job import Place, Stop, run_job


def test_swaps_that_were_executed_on_the_recorded_state_are_in_the_statistics(chain):
    start = golden()["state"]
    price, liquidity = int(start["sqrtPriceX96"]), int(start["liquidity"])
    executed = [
        one for one in golden()["executed"] if one["zeroForOne"] and int(one.get("amount1Delta", 0)) < 0
    ]
    chain.pool = chain.recorded.pools[chain.address]
    chain.number += 1
    chain.log(0, (10**15, -(10**6)), price, liquidity, start["tick"])
    chain.keep_state()
    observe_swaps(chain.store)
    before = statistics(chain)
    for one in executed[:6]:
        net = int(one["amount0Delta"]), int(one["amount1Delta"])
        after = int(one["sqrtPriceX96After"]), int(one["liquidityAfter"]), one["tickAfter"]
        chain.number += 1
        chain.log(0, net, *after)
        chain.log(1, (-net[0], -net[1]), price, liquidity, start["tick"])
    assert observe_swaps(chain.store) == Observed(12)
    told = statistics(chain)
    assert told.count - before.count == 6
    impact = [1 - (int(one["sqrtPriceX96After"]) / price) ** 2 for one in executed[:6]]
    mid = (price / 2**96) ** 2
    shortfall = [1 + int(one["amount1Delta"]) / (int(one["amount0Delta"]) * mid) for one in executed[:6]]
    # On the very state that was read the exact quote is what the contract paid.
    sums = {"impact": sum(impact), "shortfall": sum(shortfall), "yardstick_absolute_error": 0.0}
    for name, expected in sums.items():
        rise = [one.count * getattr(one, name).mean for one in (before, told)]
        assert rise[1] - rise[0] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_swaps_of_one_block_are_taken_in_their_order_and_once(chain):
    observe_swaps(chain.store)
    quotes = chain.swap((0, 10**15), (1, 10**6), (0, 3 * 10**15), (0, 5 * 10**14))
    assert observe_swaps(chain.store) == Observed(4)
    told = statistics(chain)
    assert (told.count, statistics(chain, 1).count) == (3, 1)
    sold = [one for one in quotes if one.sell == chain.pool.tokens[0]]
    assert told.impact.mean == pytest.approx(sum(float(one.price_impact) for one in sold) / 3)
    kept = chain.store.content_hash("impact_statistics")
    assert observe_swaps(chain.store) == Observed()
    assert chain.store.content_hash("impact_statistics") == kept


def test_what_is_taken_in_at_once_or_bit_by_bit_comes_to_the_same(chain, settings, tmp_path):
    whole = settings.model_copy(update={"data_dir": tmp_path / "whole"})
    with open_store(whole) as beside:
        other = Chain(beside)
        other.number = chain.number
        for table in ("events", "pool_states"):
            beside.write(table, chain.store.read(table))
        other.pool = chain.pool
        for size in (10**15, 2 * 10**15, 3 * 10**15, 10**14):
            for one in (chain, other):
                one.swap((0, size))
            observe_swaps(chain.store)
        observe_swaps(beside)
        assert statistics(chain).count == 4
        told, expected = statistics(other), statistics(chain)
        for name in MOMENTS:
            one, two = getattr(told, name), getattr(expected, name)
            assert (one.mean, one.deviation) == pytest.approx((two.mean, two.deviation))


def test_a_swap_without_a_known_state_before_it_is_left_out(store):
    chain = Chain(store)
    chain.swap((0, 10**15))
    assert observe_swaps(store) == Observed()
    chain.keep_state()
    assert observe_swaps(store) == Observed()
    chain.swap((0, 10**15))
    assert observe_swaps(store) == Observed(0, 1)
    assert observe_swaps(store) == Observed()


def test_a_worker_that_collects_pools_has_the_job(chain, settings):
    given = {"DEFIMON_RPC_LOCAL": "http://127.0.0.1:1", "DEFIMON_EXCHANGE_POOLS": f"local:{chain.address}"}
    assert "impact" not in {job.name for job in jobs_of(settings)}
    (job,) = jobs_of(load_settings(given, data_dir=settings.data_dir), ["impact"])
    observe_swaps(chain.store)
    chain.swap((0, 10**15))
    place = Place(store_url(settings), "w", timedelta(seconds=60))
    with place.store() as leased:
        run = run_job(job, place, leased, Stop())
    assert (run.status, run.rows) == ("done", 1)
