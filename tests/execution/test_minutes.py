from datetime import UTC, datetime, timedelta
from math import floor

import numpy as np
import pytest
from numpy.random import default_rng

from defimon.amm.pools._tick_price import sqrt_price_at, tick_at
from defimon.core.errors import BadData
from defimon.execution.marks import Mark
from defimon.execution.minutes import Minute, fee_of, follow
from defimon.flows.minutes import read_minutes

START = datetime(2023, 8, 14, tzinfo=UTC)
TOKENS = ("usd", "eth")
LIQUIDITY = 2_400_000_000_000_000_000


def minute_of_trades(pool, number, trades):
    """The pool after (place of the token sold, amount) trades, and the minute that they make."""
    net, paid = [0, 0], [0, 0]
    for side, amount in trades:
        quote = pool.quote_exact_in(TOKENS[side], TOKENS[1 - side], amount)
        net[side] += quote.amount_in
        net[1 - side] -= quote.amount_out
        paid[side] += quote.amount_in
        pool = quote.after
    ts = START + timedelta(minutes=number)
    return pool, Minute(ts, tuple(net), tuple(paid), pool.tick, pool.liquidity)


def one_range(fee_ppm=500, tick=201_149):
    price = (sqrt_price_at(tick) + sqrt_price_at(tick + 1)) // 2
    return Mark(START, price, LIQUIDITY, exact=True, fee_ppm=fee_ppm).pool(TOKENS)


def random_minutes(pool, count, seed=5):
    draw = default_rng(seed)
    pools, minutes = [], []
    for number in range(count):
        side = int(draw.integers(2))
        sizes = draw.lognormal(0, 1, int(draw.integers(4))) * (1e10 if side == 0 else 5e18)
        pool, minute = minute_of_trades(pool, number, [(side, int(size)) for size in sizes])
        pools.append(pool)
        minutes.append(minute)
    return pools, minutes


def test_amounts_of_a_minute_tell_the_price_inside_its_tick():
    pools, minutes = random_minutes(one_range(), 50)
    told = 0
    for mark, pool, minute in zip(follow(minutes, 500), pools, minutes, strict=True):
        told += mark.exact and not minute.quiet
        if mark.exact:
            assert abs(mark.sqrt_price_x96 / pool.sqrt_price_x96 - 1) < 1e-9
    assert told > 30


def test_a_minute_whose_amounts_do_not_tell_ends_in_the_middle_of_its_tick():
    mark = next(follow([Minute(START, (0, 0), (0, 0), -42, LIQUIDITY)], 500))
    assert not mark.exact
    assert mark.tick == pytest.approx(-41.5, abs=0.01)


def test_a_quiet_minute_keeps_the_price_that_was_told():
    _, minutes = random_minutes(one_range(), 20)
    last = minutes[-1]
    quiet = Minute(last.ts + timedelta(minutes=1), (0, 0), (0, 0), last.close_tick, LIQUIDITY)
    *_, before, after = follow([*minutes, quiet], 500)
    assert after.sqrt_price_x96 == before.sqrt_price_x96


def test_marks_do_not_know_later_minutes():
    _, minutes = random_minutes(one_range(), 30)
    assert list(follow(minutes, 500))[:20] == list(follow(minutes[:20], 500))


@pytest.mark.parametrize("fee_ppm", [100, 500, 3_000, 10_000])
def test_the_fee_is_told_by_the_minutes(fee_ppm):
    _, minutes = random_minutes(one_range(fee_ppm), 40)
    assert fee_of(minutes) == fee_ppm


def test_minutes_that_fit_no_fee_are_refused():
    with pytest.raises(BadData, match="fit any fee"):
        fee_of([Minute(START, (0, 0), (0, 0), 5, 1)])


def test_liquidity_seen_elsewhere_comes_back_when_the_price_does():
    seen = {10: 5_000_000, 11: 7_000_000, 13: 1_000_000}
    mark = Mark(START, sqrt_price_at(115), 7_500_000, exact=True, fee_ppm=500, seen=seen)
    pool = mark.pool(TOKENS)
    assert [pool.ticks.liquidity_at(tick) for tick in (95, 105, 115, 125, 135, 500)] == [
        5_000_000, 5_000_000, 7_500_000, 7_500_000, 1_000_000, 1_000_000,
    ]  # fmt: skip
    assert pool.tick == 115
    assert tick_at(pool.sqrt_price_x96) == 115


def test_a_mark_without_liquidity_is_a_pool_without():
    pool = Mark(START, sqrt_price_at(0), 0, exact=False, fee_ppm=500).pool(TOKENS)
    assert pool.liquidity == 0


@pytest.mark.real_data
def test_the_tick_after_real_one_way_minutes_is_met_within_half_a_tick(data_sets):
    folder = data_sets / "open" / "uniswap_v3_minutes"
    minutes = read_minutes(*sorted(folder.glob("polygon-*-2024-*.minute.csv.gz")))
    errors, before = [], None
    for minute, mark in zip(minutes, follow(minutes, 500), strict=True):
        if before is not None and minute.one_way:
            sell, buy = TOKENS[minute.sold], TOKENS[1 - minute.sold]
            after = before.pool(TOKENS).quote_exact_in(sell, buy, sum(minute.paid)).after
            tick = Mark(minute.ts, after.sqrt_price_x96, 1, exact=True, fee_ppm=500).tick
            errors.append(abs(tick - minute.close_tick - 0.5))
        before = mark
    assert len(errors) > 1_000
    assert np.median(errors) <= 0.45
    assert np.quantile(errors, 0.9) < 1


@pytest.mark.real_data
def test_real_minutes_tell_their_pools_fees(data_sets):
    folder = data_sets / "open" / "uniswap_v3_minutes"
    for pattern, fee in (("ethereum-*-17.minute*", 3_000), ("polygon-*-13.minute*", 500)):
        minutes = read_minutes(*folder.glob(pattern))
        assert fee_of(minutes) == fee
        assert all(
            floor(mark.tick + 1e-6) == minute.close_tick or mark.tick == pytest.approx(minute.close_tick)
            for mark, minute in zip(follow(minutes, fee), minutes, strict=True)
        )
