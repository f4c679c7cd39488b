"""A liquidity position as a function of the price: what it holds, is worth, and loses to rebalancing."""

from dataclasses import dataclass
from math import inf, isfinite, sqrt
from typing import Self

import numpy as np
import numpy.typing as npt

from defimon.amm.pools._tick_price import MAX_TICK, MIN_TICK
from defimon.core.errors import BadData

Floats = npt.NDArray[np.float64]

TICK = 1.0001
"""Price ratio between neighbouring ticks (whitepaper of Uniswap v3, section 6.1)."""


@dataclass(frozen=True, slots=True)
class Position:
    """Liquidity between two prices of token 0 in token 1; without bounds it is a share of a v2 pool.

    `liquidity` is the root of the product of the two amounts that the same liquidity without bounds would
    hold. Amounts, prices and liquidity are in any one system of units: base units on both sides, or whole
    tokens on both sides. Values are in token 1; `turned` gives the same position valued in token 0.

    Floating point, for paths over time; amounts exact to the base unit are in `base_units`. Raises BadData.
    """

    liquidity: float
    lower: float = 0.0
    upper: float = inf

    def __post_init__(self) -> None:
        if not (isfinite(self.liquidity) and self.liquidity > 0):
            raise BadData(f"liquidity is {self.liquidity}.", remedy="It must be a number above 0.")
        if not 0 <= self.lower < self.upper:
            raise BadData(
                f"The range is from {self.lower} to {self.upper}.",
                remedy="Prices start at 0, and the lower end lies below the upper one.",
            )

    @classmethod
    def worth(cls, value: float, price: float, lower: float = 0.0, upper: float = inf) -> Self:
        """The position that opens with `value` (in token 1, both amounts together) at `price`."""
        one = cls(1.0, lower, upper)
        return cls(value / float(one.value(np.array([price]))[0]), lower, upper)

    @classmethod
    def between_ticks(cls, liquidity: float, lower: int, upper: int) -> Self:
        """A v3 position by its ticks, in base units."""
        if not MIN_TICK <= lower < upper <= MAX_TICK:
            raise BadData(
                f"The ticks are {lower} and {upper}.", remedy=f"Both from {MIN_TICK} to {MAX_TICK}, rising."
            )
        return cls(liquidity, TICK**lower, TICK**upper)

    @classmethod
    def share_of(cls, share: float, reserve0: float, reserve1: float) -> Self:
        """A `share` (0.01 is 1 %) of a v2 pool with these reserves."""
        return cls(share * sqrt(reserve0 * reserve1))

    def turned(self) -> Self:
        """The same position with the tokens changing places: prices and values are then in token 0."""
        return type(self)(self.liquidity, 1 / self.upper, 1 / self.lower if self.lower else inf)

    def amounts(self, price: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Token 0 and token 1 held at each price; outside the range one of them is 0."""
        root = np.sqrt(np.clip(_checked(price), self.lower, self.upper))
        amount0 = self.liquidity * (1 / root - 1 / sqrt(self.upper))
        return amount0, self.liquidity * (root - sqrt(self.lower))

    def value(self, price: npt.ArrayLike) -> Floats:
        """What the position holds at each price, in token 1, without fees."""
        amount0, amount1 = self.amounts(price)
        return amount0 * np.asarray(price, dtype=np.float64) + amount1

    def holds_in_range(self, price: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Whether the position trades, and so earns, at each price."""
        prices = _checked(price)
        return (self.lower <= prices) & (prices < self.upper)

    def loss_rate(self, price: npt.ArrayLike, volatility: npt.ArrayLike) -> Floats:
        """Expected loss-versus-rebalancing a year at each price, in token 1, before fees.

        `volatility` is the standard deviation of log-returns a year as a fraction. The loss is sigma^2 / 2 *
        P^2 * |d amount0 / dP| = sigma^2 / 4 * liquidity * sqrt(P) within the range, which for a v2 share is
        sigma^2 / 8 of its value. Source: Milionis, Moallemi, Roughgarden and Zhang (2022), theorem 1.
        """
        prices, sigma = _checked(price), np.asarray(volatility, dtype=np.float64)
        return np.where(self.holds_in_range(prices), sigma**2 / 4 * self.liquidity * np.sqrt(prices), 0.0)


def _checked(price: npt.ArrayLike) -> Floats:
    prices = np.asarray(price, dtype=np.float64)
    if not np.all(np.isfinite(prices) & (prices > 0)):
        raise BadData("A price is not a number above 0.", remedy="Leave out moments without a price.")
    return prices
