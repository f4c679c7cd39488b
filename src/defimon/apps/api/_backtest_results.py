"""What the result of a backtest looks like."""

from datetime import date
from typing import Literal

from pydantic import Field

from defimon.apps.api.documents import Document


class StrategyFigures(Document):
    """What a strategy came to, after all costs. Returns and drawdown are fractions."""

    strategy: str
    simplest: bool = Field(description="the rule that the others have to beat")
    final_value_usd: float
    total_return: float = Field(description="of the whole period")
    annual_return: float = Field(description="compounded, a year")
    volatility: float = Field(description="of daily returns, a year")
    sharpe: float | None = Field(description="a year, against a rate of zero; null where nothing varies")
    sortino: float | None
    max_drawdown: float = Field(description="largest fall from the highest value so far")
    turnover: float = Field(description="money moved one way, multiple of the mean value a year")
    transactions: int
    costs_usd: float = Field(description="all costs, paid already in every figure")
    fees_usd: float = Field(description="of them basis points on deposits and withdrawals")
    gas_usd: float = Field(description="of them gas")
    swap_usd: float = Field(description="of them swaps")
    versus_hold: float | None = Field(description="more than holding, fraction a year; null for hold itself")
    versus_hold_low: float | None = Field(description="lower end of its 90 % interval")
    versus_hold_high: float | None = Field(description="upper end of it")
    deflated_sharpe: float | None = Field(
        description="probability that it is better than holding, given all settings that were tried"
    )


class StrategyCurve(Document):
    """A strategy on the days of the curves."""

    strategy: str
    value_usd: list[float] = Field(description="USD at the end of each day", max_length=1_000)
    drawdown: list[float] = Field(
        description="deepest since the point before, fraction below the highest value so far",
        max_length=1_000,
    )


class Curves(Document):
    """At most 1,000 points a strategy; all of a shorter period's days."""

    days: list[date] = Field(max_length=1_000)
    strategies: list[StrategyCurve]


class Stuck(Document):
    """Money that could not be withdrawn at the end."""

    strategy: str
    pool_id: str
    usd: float


class Accruals(Document):
    """How the growth of pool-days was found (docs/backtest.md)."""

    index: int = Field(description="by index, which is what was earned")
    quoted: int = Field(description="by the quoted rate")
    gap: int = Field(description="by the last known rate, on a day without an observation")
    refused: int = Field(description="index steps too large to be true")
    fallen: int = Field(description="falls of an index, losses of principal")


class BacktestResult(Document):
    """What came of a backtest."""

    backtest_id: str
    result_id: str
    days: list[date] = Field(description="first and last", min_length=2, max_length=2)
    pools: int = Field(description="pools of the universe")
    capital_usd: float
    origin: Literal["derived", "simulated"] = Field(description="simulated where some of the rows are")
    forecasts: str = Field(description="none, stored or walk_forward")
    data_hash: str
    code_version: str
    benchmark: str = Field(description="the simplest rule, beside which all stand")
    summary: list[StrategyFigures] = Field(description="the simplest rule first")
    refused: dict[str, str] = Field(description="why a strategy is not there that was not asked for by name")
    identical: list[list[str]] = Field(description="pairs of strategies that made the same trades")
    overfitting: float | None = Field(
        description="probability that the best of these is the best by luck; null where it cannot be said"
    )
    trials: int = Field(description="settings tried so far on this machine")
    stuck: list[Stuck]
    accruals: Accruals
    trades: int = Field(description="how many /trades lists")
    curves: Curves


class BacktestTrade(Document):
    """A deposit into a pool, or a withdrawal."""

    strategy: str
    day: date
    kind: Literal["deposit", "withdraw"]
    pool_id: str
    usd: float


class TradePage(Document):
    """Trades by strategy, in order of days."""

    backtest_id: str
    rows: list[BacktestTrade]
    total: int = Field(description="on all pages")
    next: str | None = Field(description="cursor of the next page; null on the last one")
