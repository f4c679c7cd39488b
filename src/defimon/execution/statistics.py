"""What trades on a venue came to, beside what was forecast: running figures that need no past trades."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from math import sqrt
from typing import Any, Self

from defimon.core.errors import BadData
from defimon.execution.impact import LEVEL, Band, ImpactForecast


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and sum of squared deviations of weighted values (West 1979); a weight is 1 until forgotten."""

    weight: float = 0.0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, value: float, *, forgetting: float = 1.0) -> "Moments":
        """With one value more; what came before counts `forgetting` times as much as it did."""
        before = self.weight * forgetting
        weight = before + 1.0
        change = value - self.mean
        mean = self.mean + change / weight
        return Moments(weight, mean, self.squares * forgetting + before / weight * change * change)

    def merge(self, other: "Moments") -> "Moments":
        """Of both sets of values (Chan, Golub and LeVeque 1979)."""
        weight = self.weight + other.weight
        if weight == 0.0:
            return self
        change = other.mean - self.mean
        between = change * change * self.weight * other.weight / weight
        mean = self.mean + change * other.weight / weight
        return Moments(weight, mean, self.squares + other.squares + between)

    @property
    def deviation(self) -> float:
        """Standard deviation of the values seen; 0 of fewer than two."""
        return sqrt(max(self.squares, 0.0) / self.weight) if self.weight else 0.0


@dataclass(frozen=True, slots=True)
class ObservedTrade:
    """A trade that happened, after a forecast of it. `amount_out` is in base units of the token bought.

    `impact` is the share by which it lowered the marginal price.
    """

    forecast: ImpactForecast
    amount_out: int
    impact: float


@dataclass(frozen=True, slots=True)
class ImpactStatistics:
    """Running statistics of trades of one pair in one direction on one venue; all shares, not percent.

    `count` trades; moments of their `impact` and `shortfall`; of the `error` of the forecast's median
    shortfall (observed less forecast), of its size, of the size of the yardstick's, and of the first size
    less the second (`loss`); `inside` is 1 for a trade whose shortfall lay in the forecast interval, else 0.

    `level` is what to ask of the next forecast (`forecast_impact(level=…)`) so that in the long run intervals
    hold LEVEL of the trades: each miss raises it, each hit lowers it (Gibbs and Candes 2021).
    """

    venue: str
    sell: str
    buy: str
    count: int = 0
    impact: Moments = Moments()
    shortfall: Moments = Moments()
    error: Moments = Moments()
    absolute_error: Moments = Moments()
    yardstick_absolute_error: Moments = Moments()
    loss: Moments = Moments()
    inside: Moments = Moments()
    level: float = LEVEL

    @property
    def accuracy(self) -> float:
        """Share of observed trades inside the forecast interval; 0 of none."""
        return self.inside.mean

    @property
    def skill(self) -> float:
        """Share of the yardstick's mean absolute error that the forecast saves; below zero it is worse."""
        naive = self.yardstick_absolute_error.mean
        return 1.0 - self.absolute_error.mean / naive if naive else 0.0

    @property
    def beats_yardstick(self) -> bool:
        """Whether the forecast's median has been closer than the exact quote on the state read, at p < .05.

        One-sided, over FEWEST_TRADES at least (Diebold and Mariano 1995, trades taken as independent).
        """
        if self.loss.weight < FEWEST_TRADES:
            return False
        error = self.loss.deviation / sqrt(self.loss.weight)
        return self.loss.mean < -SIGNIFICANT * error

    def expected_shortfall(self, forecast: ImpactForecast) -> float:
        """The one figure to plan with: the yardstick's, unless the forecast has proved better here."""
        return forecast.shortfall.median if self.beats_yardstick else forecast.shortfall.yardstick

    def observe(self, trade: ObservedTrade, *, forgetting: float = 1.0) -> Self:
        """With one trade more. Below 1, `forgetting` weakens all earlier trades each time by that factor.

        Raises BadData for a trade of another pair or direction, or a factor that is not in (0, 1].
        """
        quote = trade.forecast.yardstick
        if (quote.sell, quote.buy) != (self.sell, self.buy):
            raise BadData(
                f"The trade sells {quote.sell} for {quote.buy}, the statistics are of {self.sell} for "
                f"{self.buy}.",
                remedy="Keep statistics for each pair and direction.",
            )
        shortfall = trade.forecast.shortfall_of(trade.amount_out)
        return self.take(trade.impact, shortfall, trade.forecast.shortfall, forgetting=forgetting)

    def take(self, impact: float, shortfall: float, band: Band, *, forgetting: float = 1.0) -> Self:
        """As `observe`, of a trade of this pair and direction: its impact, and its shortfall with `band`, the
        forecast of it.
        """
        if not 0.0 < forgetting <= 1.0:
            raise BadData(f"forgetting is {forgetting}.", remedy="Above 0 and at most 1; 1 forgets nothing.")
        own, naive = abs(shortfall - band.median), abs(shortfall - band.yardstick)
        values = {
            "impact": impact,
            "shortfall": shortfall,
            "error": shortfall - band.median,
            "absolute_error": own,
            "yardstick_absolute_error": naive,
            "loss": own - naive,
            "inside": float(band.holds(shortfall)),
        }
        moments = {
            name: getattr(self, name).add(value, forgetting=forgetting) for name, value in values.items()
        }
        level = self.level + STEP * (LEVEL - values["inside"])
        level = min(max(level, LEVELS[0]), LEVELS[1])
        return replace(self, count=self.count + 1, level=level, **moments)

    def merge(self, other: "ImpactStatistics") -> Self:
        """Of the trades of both, which must be different trades. Raises BadData for another venue or pair."""
        if (self.venue, self.sell, self.buy) != (other.venue, other.sell, other.buy):
            raise BadData("The statistics are of different venues or pairs.", remedy="Merge like with like.")
        moments = {name: getattr(self, name).merge(getattr(other, name)) for name in MOMENTS}
        count = self.count + other.count
        part = other.count / count if count else 0.0
        level = self.level + part * (other.level - self.level)
        return replace(self, count=count, level=level, **moments)

    def to_state(self) -> dict[str, Any]:
        """JSON object; `from_state` reads it."""
        moments = {name: _plain(getattr(self, name)) for name in MOMENTS}
        return {
            "venue": self.venue,
            "sell": self.sell,
            "buy": self.buy,
            "count": self.count,
            "level": self.level,
            **moments,
        }

    @classmethod
    def from_state(cls, state: object) -> Self:
        """Inverse of `to_state`. Raises BadData that names the field."""
        known = {field.name for field in fields(cls)}
        if not isinstance(state, Mapping) or set(state) != known:
            raise BadData("Statistics lack a field or have another.", remedy=f"Needed: {', '.join(known)}.")
        for name in ("venue", "sell", "buy"):
            if not isinstance(state[name], str) or not state[name]:
                raise BadData(f"{name} is {state[name]!r}.", remedy="It must be a text that is not empty.")
        count = state["count"]
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise BadData(f"count is {count!r}.", remedy="It must be a whole number from 0.")
        level = state["level"]
        if (
            isinstance(level, bool)
            or not isinstance(level, int | float)
            or not LEVELS[0] <= level <= LEVELS[1]
        ):
            raise BadData(f"level is {level!r}.", remedy=f"It must be from {LEVELS[0]} to {LEVELS[1]}.")
        moments = {name: _moments(state[name], name, count) for name in MOMENTS}
        return cls(state["venue"], state["sell"], state["buy"], count, level=float(level), **moments)


STEP = 0.005
"""How far one trade moves the level asked for (the value of Gibbs and Candes 2021)."""

LEVELS = (0.5, 0.995)
"""Bounds of the level asked for; beyond, the samples of a forecast hold no quantile."""

FEWEST_TRADES = 60
"""Below it nothing is said about which is better; as for yields (docs/evaluation.md)."""

SIGNIFICANT = 1.65
"""One-sided 5 % of the normal distribution."""

MOMENTS = ("impact", "shortfall", "error", "absolute_error", "yardstick_absolute_error", "loss", "inside")


def _plain(moments: Moments) -> list[float]:
    return [moments.weight, moments.mean, moments.squares]


def _moments(value: object, name: str, count: int) -> Moments:
    wrong = BadData(
        f"{name} is {value!r}.", remedy="It must be weight, mean and squares of the count's trades."
    )
    if not isinstance(value, list) or len(value) != 3:
        raise wrong
    if any(isinstance(one, bool) or not isinstance(one, int | float) or not abs(one) < MOST for one in value):
        raise wrong
    weight, mean, squares = map(float, value)
    if (
        not 0.0 <= weight <= count * (1.0 + ROUNDING)
        or squares < 0.0
        or (weight == 0.0) != (count == 0)
        or (name == "inside" and not 0.0 <= mean <= 1.0)
    ):
        raise wrong
    return Moments(weight, mean, squares)


MOST = 1e300
"""No weight, mean or square is larger; a number that is none is not below it either."""

ROUNDING = 1e-9
"""Sums of weights may exceed the count by this share."""
