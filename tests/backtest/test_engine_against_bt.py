"""The engine beside the library bt, on the same prices, weights and costs."""

import warnings
from datetime import date, timedelta

import numpy as np
import pytest

from defimon.backtest.costs import Costs
from defimon.backtest.engine import Rules, simulate
from defimon.backtest.market import Market

DAYS, ASSETS, WEEK, TOP = 250, 8, 7, 3
CAPITAL = 1_000_000.0


@pytest.fixture(scope="module")
def bt():
    """Loaded by the one process that asks for it, since it brings half of SciPy along."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("bt")


@pytest.fixture(scope="module")
def prices():
    rng = np.random.default_rng(3)
    return 100 * np.exp(np.cumsum(rng.normal(0.0003, 0.01, (DAYS, ASSETS)), axis=0))


def ours(prices, decide, decisions, bps):
    first = date(2024, 1, 1)
    days = [first + timedelta(days=i) for i in range(DAYS)]
    market = Market.from_prices(days, [f"a{i}" for i in range(ASSETS)], prices)
    run = simulate(market, decisions, decide, CAPITAL, Costs(bps), Rules(delay=0, smallest_move=0.0))
    return run.equity


def theirs(bt, prices, weights, bps):
    """Equity of bt for `weights` (decisions, assets) by day; zero weights close a position."""
    import pandas as pd

    index = pd.date_range("2024-01-01", periods=DAYS)
    frame = pd.DataFrame(prices, index=index, columns=[f"a{i}" for i in range(ASSETS)])
    table = pd.DataFrame(weights, columns=frame.columns).set_index(index[list(weights["day"])])
    plan = bt.Strategy("s", [bt.algos.WeighTarget(table), bt.algos.Rebalance()])
    test = bt.Backtest(
        plan,
        frame,
        initial_capital=CAPITAL,
        commissions=lambda quantity, price: abs(quantity) * price * bps * 1e-4,
        integer_positions=False,
        progress_bar=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bt.run(test)
    return test.strategy.data["value"].to_numpy()[-DAYS:]


def as_table(decisions, rows):
    table = {"day": decisions}
    table |= {f"a{i}": [row[i] for row in rows] for i in range(ASSETS)}
    return table


def hold_equal(_prices, _day):
    return np.full(ASSETS, 1 / ASSETS)


def momentum(prices, day):
    weights = np.zeros(ASSETS)
    gain = prices[day] / prices[day - 20]
    weights[np.argsort(-gain)[:TOP]] = 1 / TOP
    return weights


@pytest.mark.parametrize(
    ("choose", "decisions", "bps"),
    [
        pytest.param(hold_equal, [21], 0.0, id="buy_and_hold"),
        pytest.param(hold_equal, list(range(21, DAYS, WEEK)), 10.0, id="weekly_equal_weight_with_costs"),
        pytest.param(momentum, list(range(21, DAYS, WEEK)), 10.0, id="weekly_momentum_with_costs"),
    ],
)
def test_values_equal_those_of_bt(bt, prices, choose, decisions, bps):
    rows = [choose(prices, day) for day in decisions]
    by_day = dict(zip(decisions, rows, strict=True))
    mine = ours(prices, lambda day, _holdings, _cash: by_day[day], decisions, bps)
    peer = theirs(bt, prices, as_table(decisions, rows), bps)
    assert peer[-1] != pytest.approx(CAPITAL, rel=1e-3)
    assert np.abs(mine / peer - 1).max() < 1e-4
