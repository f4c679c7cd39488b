"""Figures of one equity curve."""

from dataclasses import dataclass

import numpy as np

from defimon.backtest.arrays import Floats
from defimon.backtest.engine import Run
from defimon.core.units import DAYS_PER_YEAR


@dataclass(frozen=True, slots=True)
class Performance:
    """Figures of a run. Returns, volatility and drawdown are fractions; per year where the name says so.

    `total_return` of the whole period; `annual_return` compounded; `volatility` of daily returns, a year;
    `sharpe` and `sortino` a year against a riskless rate of zero, None where nothing varies; `max_drawdown`
    from the highest value so far, losses of principal and costs included; `turnover` money moved, one way,
    as a multiple of the mean value, a year; `transactions` a count; `swap_usd` the part of `costs_usd` that
    swaps lost.
    """

    final_value_usd: float
    total_return: float
    annual_return: float
    volatility: float
    sharpe: float | None
    sortino: float | None
    max_drawdown: float
    turnover: float
    costs_usd: float
    transactions: int
    swap_usd: float


def performance(run: Run, capital: float) -> Performance:
    """Figures of a run over at least one day that began with `capital` USD."""
    equity = run.equity
    years = (len(equity) - 1) / DAYS_PER_YEAR
    total = float(equity[-1]) / capital - 1.0
    daily = returns(equity)
    deviation = float(daily.std(ddof=1)) if len(daily) > 1 else 0.0
    return Performance(
        final_value_usd=float(equity[-1]),
        total_return=total,
        annual_return=annualised(total, years),
        volatility=deviation * DAYS_PER_YEAR**0.5,
        sharpe=_ratio(float(daily.mean()), deviation),
        sortino=_ratio(float(daily.mean()), float(np.sqrt((np.minimum(daily, 0.0) ** 2).mean()))),
        max_drawdown=max_drawdown(equity),
        turnover=run.moved_usd / 2.0 / float(equity.mean()) / years,
        costs_usd=run.costs_usd,
        transactions=run.transactions,
        swap_usd=run.swap_usd,
    )


def returns(equity: Floats) -> Floats:
    """Simple daily returns (t - 1,) of values (t,)."""
    change: Floats = equity[1:] / equity[:-1] - 1.0
    return change


def annualised(total: float, years: float) -> float:
    """Compounded fraction a year of a total return; -1 when all is lost."""
    return float((1.0 + total) ** (1.0 / years) - 1.0) if total > -1.0 else -1.0


def max_drawdown(equity: Floats) -> float:
    """Largest fall from the highest value so far, a fraction from 0 to 1."""
    return float((1.0 - equity / np.maximum.accumulate(equity)).max())


def _ratio(mean: float, deviation: float) -> float | None:
    """Mean over deviation a year; None where the deviation is no more than rounding."""
    return mean / deviation * DAYS_PER_YEAR**0.5 if deviation > 1e-12 else None
