"""What a strategy is, and what it may look at on the day it decides."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

import polars as pl

from defimon.core.errors import BadData, FixSettings
from defimon.core.plugins import Family

FORECAST_COLUMNS = ("yhat", "q05", "q95", "p_distress")
"""Columns of a view that come from injected forecasts."""


Swap = Callable[[str | None, str | None, float], float]
"""(pool left, pool entered, USD), None for cash, to the USD that swapping on the way loses."""


def no_swap(_left: str | None, _entered: str | None, _usd: float) -> float:
    """Nothing has to be swapped."""
    return 0.0


@dataclass(frozen=True, slots=True)
class Choices:
    """Settings of strategies; each strategy reads the ones that its docstring names."""

    top_n: int = 3
    """How many pools to hold at once."""
    pool: str | None = None
    """Pool that `hold` holds; by its own rule when empty."""
    holding_days: int = 30
    """How long a position is expected to stay, over which a move has to earn its costs."""
    hysteresis: float = 0.0
    """Fraction a year by which a new pool must beat the old one on top of the costs."""
    most_distress: float = 0.2
    """Highest probability of distress that `risk_filtered` accepts."""
    least_apy: float = 0.01
    """Fraction a year that `tvl_weighted` asks of a pool."""

    def __post_init__(self) -> None:
        for name, low in (("top_n", 1), ("holding_days", 1), ("hysteresis", 0.0), ("most_distress", 0.0)):
            if not getattr(self, name) >= low:  # NaN is refused too
                raise FixSettings(
                    f"{name} is {getattr(self, name)}.", variable=name, remedy=f"Choose {low} or more."
                )
        if self.most_distress > 1.0:
            raise FixSettings(
                f"most_distress is {self.most_distress}.",
                variable="most_distress",
                remedy="Choose a probability from 0 to 1.",
            )


@dataclass(frozen=True, slots=True)
class View:
    """What was known when the day ended on which the strategy decides.

    `pools`: one row a pool with a recent observation, sorted by pool_id: pool_id, apy, tvl_usd,
    volume_24h_usd, stablecoin, status, protocol, chain, symbol (null where unknown), and FORECAST_COLUMNS
    where forecasts were injected. `holdings`: USD by pool, only what is held. `bps_per_side` and `gas_usd`
    are what a move will cost, `swap` what is lost on the way from one pool's asset to another's.
    """

    day: date
    pools: pl.DataFrame
    holdings: Mapping[str, float]
    cash_usd: float
    bps_per_side: float = 0.0
    gas_usd: float = 0.0
    swap: Swap = no_swap

    @property
    def value_usd(self) -> float:
        return self.cash_usd + sum(self.holdings.values())

    @property
    def held_weights(self) -> dict[str, float]:
        """Share of the whole value in each pool held: the weights that ask for no move."""
        value = self.value_usd
        return {pool: usd / value for pool, usd in self.holdings.items()} if value > 0 else {}

    @property
    def open_pools(self) -> pl.DataFrame:
        """Rows of pools that take deposits; an unknown status counts as open."""
        return self.pools.filter(pl.col("status").fill_null("active") == "active")


class Strategy(ABC):
    """Says on each decision day which share of the value belongs into which pool.

    `needs` names the columns of a view without which the strategy has no answer.
    """

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ("apy",)

    def __init__(self, choices: Choices | None = None) -> None:
        self.choices = choices or Choices()

    @abstractmethod
    def weights(self, view: View) -> dict[str, float]:
        """Share of the whole value by pool_id, none below 0 and at most 1 together; the rest stays cash."""

    def require(self, columns: Mapping[str, bool]) -> None:
        """Refuse a panel that lacks what the strategy needs.

        `columns` says for each column there is whether it holds any value. Raises BadData that names
        strategy, column and remedy.
        """
        for column in self.needs:
            if not columns.get(column, False):
                state = "is empty" if column in columns else "is missing"
                target = "distress" if column == "p_distress" else "apy_mean"
                remedy = (
                    "Give predictions for these pools and days: "
                    f"`defimon evaluate --target {target} --out FILE` makes them."
                    if column in FORECAST_COLUMNS
                    else "Use a panel that has it, or leave this strategy out."
                )
                raise BadData(
                    f"Strategy {self.name} needs the column {column}, which {state}.", remedy=remedy
                )


def largest(pools: pl.DataFrame, column: str, count: int) -> list[str]:
    """The `count` pool_ids with the highest `column`, ties by pool_id; rows without a value are left out."""
    ordered = pools.drop_nulls(column).sort([column, "pool_id"], descending=[True, False])
    return ordered["pool_id"].head(count).to_list()


def spread_evenly(pools: list[str]) -> dict[str, float]:
    """The same share for each pool, all of the value together; empty when there is no pool."""
    return dict.fromkeys(pools, 1.0 / len(pools)) if pools else {}


FAMILY: Family[Strategy] = Family("defimon.strategies", Strategy)  # type: ignore[type-abstract]
