from dataclasses import replace
from datetime import timedelta
from math import log

import numpy as np
import pytest
from numpy.random import default_rng

from defimon.amm.pools._errors import Refused
from defimon.amm.pools._tick_price import sqrt_price_at
from defimon.amm.pools._tick_table import TickTable
from defimon.amm.pools.concentrated import Concentrated
from defimon.amm.pools.stable_swap import StableSwap
from defimon.amm.pools.weighted import Weighted
from defimon.core.errors import BadData, Doubtful
from defimon.execution.history import History, history_of_states
from defimon.execution.impact import forecast_impact
from defimon.execution.moving import at_price

MINUTE = timedelta(minutes=1)
ETH = 10**18
RANGES = TickTable(
    10,
    ((-2_000, 10**24, 10**24), (-300, 10**24, 10**24), (300, 10**24, -(10**24)), (2_000, 10**24, -(10**24))),
)
POOLS = {
    "concentrated": Concentrated(("eth", "usd"), 500, sqrt_price_at(5) + 1, 5, 2 * 10**24, RANGES),
    "stable_swap": StableSwap(
        ("eth", "usd"), (10**24, 10**24), (10**18, 10**18), 20_000, 4_000_000, 2 * 10**10
    ),
    "weighted": Weighted(("eth", "usd"), (10**24, 10**23), (8 * 10**17, 2 * 10**17), 10**15, (18, 18), 2),
}  # fmt: skip


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("change", [-0.4, -0.01, 0.0, 0.00001, 0.02, 0.1])
def test_a_pool_moves_to_the_price_asked_for(name, change):
    pool = POOLS[name]
    if name == "stable_swap":
        change /= 20
    moved = at_price(pool, "eth", "usd", change)
    ratio = moved.spot_price("eth", "usd") / pool.spot_price("eth", "usd")
    assert log(ratio) == pytest.approx(change, abs=2e-7)


def test_a_move_crosses_the_ticks_of_the_pool():
    assert at_price(POOLS["concentrated"], "eth", "usd", 0.1).liquidity == 10**24


def test_a_price_that_the_pool_cannot_have_is_refused():
    with pytest.raises(Refused):
        at_price(POOLS["concentrated"], "eth", "usd", -200.0)


def test_in_a_still_market_the_forecast_is_the_exact_quote(pair, still):
    forecast = forecast_impact(pair, "eth", "usd", ETH, still, delay=5 * MINUTE)
    quote = pair.quote_exact_in("eth", "usd", ETH)
    for band, exact in (
        (forecast.impact, quote.price_impact),
        (forecast.amount_out, quote.amount_out),
        (forecast.shortfall, quote.slippage),
    ):
        assert band.yardstick == float(exact)
        assert (band.low, band.mean, band.median, band.high) == pytest.approx((float(exact),) * 4)
    assert forecast.shortfall_of(quote.amount_out) == pytest.approx(forecast.shortfall.yardstick)
    assert forecast.unanswered == 0


@pytest.mark.parametrize(("sell", "buy", "amount"), [("eth", "usd", ETH), ("usd", "eth", 10**9)])
def test_the_interval_holds_as_often_as_it_says(pair, walk, moved_pair, sell, buy, amount):
    draw = default_rng(3)
    truths = [
        moved_pair(float(change)).quote_exact_in(sell, buy, amount).amount_out
        for change in draw.normal(0, 0.001 * 5**0.5, 1_000)
    ]
    shares = []
    for now in walk.points[500:2_880:200]:
        band = forecast_impact(pair, sell, buy, amount, walk.until(now.ts), delay=5 * MINUTE).amount_out
        assert band.median == pytest.approx(band.yardstick, rel=5e-4)
        shares.append(np.mean([band.holds(truth) for truth in truths]))
    assert np.mean(shares) == pytest.approx(0.9, abs=0.02)


def test_a_restless_hour_widens_the_interval(pair, walk):
    calm, wild = (
        forecast_impact(pair, "eth", "usd", ETH, history, delay=MINUTE).shortfall
        for history in (walk.until(walk.points[2_879].ts), walk)
    )
    assert 2 < (wild.high - wild.low) / (calm.high - calm.low) < 4


def test_a_longer_delay_is_less_sure(pair, walk):
    widths = [
        (band := forecast_impact(pair, "eth", "usd", ETH, walk, delay=n * MINUTE).shortfall).high - band.low
        for n in (1, 4, 16)
    ]
    assert widths[1] / widths[0] == pytest.approx(2, abs=0.5)
    assert widths[2] / widths[1] == pytest.approx(2, abs=0.5)


def test_selling_the_other_token_gains_where_selling_this_one_loses(pair, still):
    """The price of eth jumps by 1 % in one window of twenty and never falls."""
    points = [replace(point, log_price=0.01 * (n // 20)) for n, point in enumerate(still.points)]
    history = History("eth", "usd", tuple(points))
    sold, bought = (
        forecast_impact(pair, *sides, delay=2 * MINUTE, history=history).shortfall
        for sides in (("eth", "usd", ETH), ("usd", "eth", 10**9))
    )
    assert sold.low < sold.yardstick - 0.005
    assert bought.high > bought.yardstick + 0.005
    assert sold.high == pytest.approx(sold.yardstick)


def test_depth_that_doubles_halves_the_impact(pair, deeper):
    forecast = forecast_impact(pair, "eth", "usd", 10 * ETH, deeper, delay=timedelta(hours=1))
    assert forecast.impact.low == pytest.approx(forecast.impact.yardstick / 2, rel=0.02)
    assert forecast.impact.high == pytest.approx(forecast.impact.yardstick * 2, rel=0.02)
    assert forecast.shortfall.low < forecast.shortfall.yardstick < forecast.shortfall.high


def test_windows_in_which_the_pool_cannot_answer_are_counted_and_too_many_are_doubtful(walk):
    narrow = TickTable(10, ((-20, 10**24, 10**24), (30, 10**24, -(10**24))))
    pool = Concentrated(("eth", "usd"), 500, sqrt_price_at(5) + 1, 5, 10**24, narrow)
    calm = walk.until(walk.points[2_000].ts)
    forecast = forecast_impact(pool, "eth", "usd", ETH, calm, delay=MINUTE)
    assert 0 < forecast.unanswered <= 10
    assert forecast.samples + forecast.unanswered == 200
    with pytest.raises(Doubtful, match="cannot fill"):
        forecast_impact(pool, "eth", "usd", ETH, calm, delay=30 * MINUTE)


def test_what_no_forecast_can_be_made_of_is_refused(pair, walk, still):
    for wrong in (
        {"history": History("eth", "dai", still.points)},
        {"history": History("eth", "usd", still.points[:10])},
        {"history": History("eth", "usd", ())},
        {"delay": timedelta(hours=3), "history": still},
        {"delay": timedelta(0)},
        {"level": 1.0},
        {"samples": 0},
    ):
        with pytest.raises(BadData):
            forecast_impact(pair, "eth", "usd", ETH, **{"history": walk, "delay": MINUTE} | wrong)
    with pytest.raises(BadData, match="follows"):
        History("eth", "usd", still.points[::-1])


def test_the_future_of_the_history_changes_nothing(pair, walk):
    now = walk.points[1_500].ts
    future = [replace(point, log_price=0.0) if point.ts > now else point for point in walk.points]
    changed = History("eth", "usd", tuple(future))
    forecasts = [
        forecast_impact(pair, "eth", "usd", ETH, history.until(now), delay=MINUTE)
        for history in (walk, changed)
    ]
    assert forecasts[0] == forecasts[1]


@pytest.mark.parametrize("name", POOLS)
def test_a_history_of_states_parts_price_moves_from_changes_of_depth(name, still):
    pool = POOLS[name]
    moved = at_price(pool, "eth", "usd", 0.004)
    times = [point.ts for point in still.points[:3]]
    twice = twice_as_deep(moved)
    history = history_of_states(list(zip(times, (pool, moved, twice), strict=True)), "eth", "usd")
    assert [point.log_depth for point in history.points] == pytest.approx([0, 0, log(2)], abs=2e-3)
    prices = [point.log_price - history.points[0].log_price for point in history.points]
    assert prices == pytest.approx([0, 0.004, 0.004], abs=1e-5)


def twice_as_deep(pool):
    if isinstance(pool, Concentrated):
        rows = tuple((tick, 2 * gross, 2 * net) for tick, gross, net in pool.ticks.rows)
        return replace(pool, liquidity=2 * pool.liquidity, ticks=TickTable(10, rows))
    return replace(pool, balances=tuple(2 * balance for balance in pool.balances))


def test_a_deeper_pool_gives_what_the_history_says(pair, deeper):
    twice = replace(pair, reserves=tuple(2 * reserve for reserve in pair.reserves))
    exact = twice.quote_exact_in("eth", "usd", 10 * ETH)
    forecast = forecast_impact(pair, "eth", "usd", 10 * ETH, deeper, delay=timedelta(hours=1))
    assert forecast.amount_out.high == pytest.approx(exact.amount_out, rel=1e-6)


def test_points_are_known_until_a_time(still):
    assert len(still.until(still.points[9].ts).points) == 10
