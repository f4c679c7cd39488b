import numpy as np
import pytest

from defimon.backtest.costs import Costs
from defimon.backtest.engine import Run
from defimon.backtest.ledger import Ledger
from defimon.backtest.statistics import annualised, max_drawdown, performance


def run_of(equity, **figures):
    return Run(np.array(equity, dtype=float), np.zeros(1), 0.0, Ledger(100.0, Costs()), **figures)


def test_a_year_of_a_tenth_is_a_tenth_a_year():
    figures = performance(run_of(100 * 1.1 ** (np.arange(366) / 365)), 100.0)
    assert figures.total_return == pytest.approx(0.1)
    assert figures.annual_return == pytest.approx(0.1)
    assert figures.max_drawdown == 0.0


def test_sharpe_and_sortino_are_none_where_nothing_varies():
    figures = performance(run_of([100.0] * 10), 100.0)
    assert (figures.sharpe, figures.sortino, figures.volatility) == (None, None, 0.0)


def test_sharpe_and_sortino_follow_their_definitions():
    daily = np.array([0.01, -0.02, 0.03])
    figures = performance(run_of(100 * np.cumprod([1, *(1 + daily)])), 100.0)
    assert figures.sharpe == pytest.approx(daily.mean() / daily.std(ddof=1) * 365**0.5)
    assert figures.sortino == pytest.approx(daily.mean() / np.sqrt(0.02**2 / 3) * 365**0.5)
    assert figures.volatility == pytest.approx(daily.std(ddof=1) * 365**0.5)


def test_a_drawdown_is_measured_from_the_highest_value_so_far():
    assert max_drawdown(np.array([100.0, 120.0, 90.0, 130.0, 117.0])) == pytest.approx(0.25)


def test_turnover_counts_money_moved_one_way_as_a_multiple_of_the_mean_value_a_year():
    figures = performance(run_of([100.0] * 366, moved_usd=400.0), 100.0)
    assert figures.turnover == pytest.approx(2.0)


def test_losing_everything_is_minus_one_a_year():
    assert annualised(-1.0, 0.5) == -1.0
