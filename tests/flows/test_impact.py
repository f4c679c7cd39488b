import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from numpy.random import default_rng
from typer.testing import CliRunner

from defimon.amm.pools._tick_price import sqrt_price_at
from defimon.amm.state.document import State, Token, write_state
from defimon.apps.cli.main import build
from defimon.core.errors import BadData, FixSettings
from defimon.execution.history import History, Point
from defimon.execution.impact import forecast_impact
from defimon.execution.marks import Mark
from defimon.execution.statistics import MOMENTS, ObservedTrade
from defimon.flows._store import open_store
from defimon.flows.impact import forecast_trade, observe_trade, observe_trades, read_statistics

START = datetime(2024, 2, 15, tzinfo=UTC)
TOKENS = (Token("0xa", "USDC", 6), Token("0xb", "WETH", 18))
IDS = ("0xa", "0xb")
HEAD = "timestamp,netAmount0,netAmount1,inAmount0,inAmount1,closeTick,currentLiquidity"


@pytest.fixture
def files(tmp_path):
    """State of a pool after two hours of random swaps, and the minutes of those."""
    draw = default_rng(4)
    pool = Mark(START, sqrt_price_at(197_030) + 1, 714_229_919_033_639_131, exact=True, fee_ppm=500).pool(IDS)
    lines = [HEAD]
    for number in range(120):
        side = int(draw.integers(2))
        quote = pool.quote_exact_in(IDS[side], IDS[1 - side], int(draw.lognormal() * (1e10, 4e18)[side]))
        pool = quote.after
        net = (quote.amount_in, -quote.amount_out)[:: 1 if side == 0 else -1]
        paid = (quote.amount_in, 0)[:: 1 if side == 0 else -1]
        ts = START + timedelta(minutes=number)
        lines.append(
            f"{ts:%Y-%m-%d %H:%M:%S},{net[0]},{net[1]},{paid[0]},{paid[1]},{pool.tick},{pool.liquidity}"
        )
    minutes, state = tmp_path / "minutes.csv", tmp_path / "state.json"
    minutes.write_text("\n".join(lines))
    whole = State(137, 1, "simulated", TOKENS, {"pool": pool, "other": pool})
    state.write_text(json.dumps(write_state(whole)))
    return state, minutes


def test_a_forecast_comes_from_a_state_and_the_minutes_before_it(files):
    state, minutes = files
    trade = forecast_trade(state, [minutes], sell="WETH", amount="2", pool="pool", delay=5)
    assert trade.minutes == 120
    assert trade.forecast.yardstick.amount_in == 2 * 10**18
    assert trade.forecast.samples == 115
    for band in (trade.forecast.amount_out, trade.forecast.shortfall):
        assert band.low < band.yardstick < band.high


def test_one_pool_must_be_meant(files):
    state, minutes = files
    with pytest.raises(FixSettings, match="2 pools"):
        forecast_trade(state, [minutes], sell="WETH", amount="2")


def test_the_command_prints_the_distribution_beside_the_exact_quote(files):
    state, minutes = files
    words = ["impact", str(state), "--minutes", str(minutes), "--sell", "WETH", "--amount", "2"]
    done = CliRunner().invoke(build(), [*words, "--pool", "pool", "--delay", "3"])
    assert done.exit_code == 0, done.output
    for text in (
        "exact quote",
        "95%",
        "bought, USDC",
        "price impact",
        "shortfall",
        "simulated",
        "120 minutes",
    ):
        assert text in done.output


@pytest.fixture
def trade(files):
    pool = Mark(START, sqrt_price_at(197_030) + 1, 714_229_919_033_639_131, exact=True, fee_ppm=500).pool(IDS)
    points = (Point(START + timedelta(minutes=n), 0.001 * (n % 5), 0.0) for n in range(60))
    history = History(*IDS, tuple(points))
    forecast = forecast_impact(pool, *IDS, 10**9, history, delay=timedelta(minutes=1))
    return ObservedTrade(forecast, round(forecast.amount_out.mean * 0.999), 0.0002)


def test_statistics_are_kept_in_the_store_and_go_on(settings, trade):
    later = replace(trade, amount_out=trade.amount_out + 10**13, impact=0.0001)
    with open_store(settings) as store:
        assert read_statistics(store, "uniswap", *IDS).count == 0
        first = observe_trade(store, "uniswap", trade, START, source="test")
        second = observe_trade(store, "uniswap", later, START + timedelta(hours=1), source="test")
    with open_store(settings) as store:
        stored = read_statistics(store, "uniswap", *IDS)
        then = store.read("impact_statistics", as_of=START)
        assert store.count("impact_statistics") == 2
        assert read_statistics(store, "uniswap", *reversed(IDS)).count == 0
    assert stored.count == second.count == 2
    for name in MOMENTS:
        kept, known = getattr(stored, name), getattr(second, name)
        assert (kept.mean, kept.deviation) == pytest.approx((known.mean, known.deviation))
    assert then["count"].to_list() == [first.count] == [1]
    assert then["origin"].to_list() == ["derived"]


def test_a_trade_is_taken_in_once(settings, trade):
    with open_store(settings) as store:
        observe_trade(store, "uniswap", trade, START, source="test")
        with pytest.raises(BadData, match="not later"):
            observe_trade(store, "uniswap", trade, START, source="test")
        assert read_statistics(store, "uniswap", *IDS).count == 1


def test_trades_of_one_block_are_taken_in_together_in_their_order(settings, trade):
    second = replace(trade, impact=0.0004)
    with open_store(settings) as store:
        told = observe_trades(store, "uniswap", [(START, trade), (START, second)], source="test")
        assert told.impact.mean == pytest.approx(0.0003)
        assert read_statistics(store, "uniswap", *IDS).count == 2
        with pytest.raises(BadData, match="not later"):
            observe_trades(store, "uniswap", [(START, trade)], source="test")
        later = START + timedelta(hours=1)
        with pytest.raises(BadData, match="not later"):
            observe_trades(store, "uniswap", [(later, trade), (START, trade)], source="test")
        assert read_statistics(store, "uniswap", *IDS).count == 2


@pytest.mark.parametrize("delay", [float("nan"), float("inf"), 0.0, -1.0, 1e308])
def test_a_delay_that_is_none_is_refused(files, delay):
    state, minutes = files
    with pytest.raises(FixSettings, match="--delay is"):
        forecast_trade(state, [minutes], sell="WETH", amount="2", pool="pool", delay=delay)
