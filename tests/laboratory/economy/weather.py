"""What comes from outside a small economy, drawn ahead from one seed: prices, appetites, trade, news."""

from dataclasses import dataclass, field
from math import exp

import numpy as np
from numpy.random import Generator, default_rng

Series = np.ndarray
"""One number a day."""

VOLATILITY = {
    "WETH": 0.60,
    "CBETH": 0.60,
    "WSTETH": 0.60,
    "WBTC": 0.50,
    "LINK": 0.85,
    "UNI": 0.90,
    "PAXG": 0.14,
}
"""Standard deviation of a year's log price; about those of 2023 and 2024."""

COMMON = 0.75
"""Share of a day's move that all volatile tokens have in common."""

STORY = {
    "crash": 0.53, "run": 0.44, "depeg": 0.71, "freeze": 0.62, "thaw": 0.72, "pause": 0.84, "unpause": 0.85,
    "curve": 0.35, "curve back": 0.76, "rewards 1": 0.08, "rewards 1 end": 0.38, "rewards 2": 0.55,
    "rewards 2 end": 0.80, "cap": 0.25,
}  # fmt: skip
"""When something happens, as a share of all days."""


@dataclass(frozen=True)
class Weather:
    """`prices` in dollars; `lending` and `borrowing` multiply what people want, by symbol; `trade` is the
    share of a pool traded a day, `outside` the yield elsewhere; `story` says on which day what.
    """

    days: int
    prices: dict[str, Series]
    lending: dict[str, Series]
    borrowing: dict[str, Series]
    trade: Series
    outside: Series
    story: dict[str, int] = field(default_factory=dict)


def draw_weather(seed: int, days: int, first: dict[str, float]) -> Weather:
    """Everything that the actors of `days` days meet; `first` are prices of the first day."""
    draw = default_rng([seed, 1])
    story = {name: round(share * days) for name, share in STORY.items()}
    moves = 0.03 * draw.standard_t(4, days) / np.sqrt(2.0)
    moves[story["crash"] : story["crash"] + 2] -= 0.16
    mood = swinging(draw, days, 30.0, 0.10) + 0.5 * smooth(moves, 20)
    symbols = sorted(first)
    prices = {name: price_path(draw, name, first[name], moves, story, days) for name in symbols}
    lending = {name: np.exp(swinging(draw, days, 45.0, 0.09)) for name in symbols}
    borrowing = {name: np.exp(0.6 * mood + swinging(draw, days, 14.0, 0.07)) for name in symbols}
    spell(lending["FRAX"], story["run"], 0.08, 6, 30)
    spell(borrowing["FRAX"], story["run"], 1.1, 6, 20)
    spell(lending["USDE"], story["depeg"], 0.35, 4, 35)
    spell(borrowing["USDE"], story["depeg"], 1.9, 4, 15)
    trade = np.minimum(0.6, 0.07 * np.exp(swinging(draw, days, 5.0, 0.5) + 8.0 * np.abs(moves)))
    outside = 0.032 * np.exp(swinging(draw, days, 120.0, 0.25))
    return Weather(days, prices, lending, borrowing, trade, outside, story)


def swinging(draw: Generator, days: int, pull_days: float, width: float) -> Series:
    """A path around 0 with standard deviation `width`, whose past fades over `pull_days`."""
    keep = exp(-1.0 / pull_days)
    steps = width * np.sqrt(1.0 - keep * keep) * draw.standard_normal(days)
    path, at = np.zeros(days), width * draw.standard_normal()
    for day in range(days):
        at = keep * at + steps[day]
        path[day] = at
    return path


def smooth(moves: Series, days: int) -> Series:
    """What the last days moved together."""
    total = np.cumsum(moves)
    return total - np.concatenate([np.zeros(min(days, len(total))), total[:-days]])[: len(total)]


def price_path(
    draw: Generator, name: str, first: float, moves: Series, story: dict[str, int], days: int
) -> Series:
    """A dollar coin's price within some basis points of what it should be, unless it loses its peg."""
    own = draw.standard_normal(days)
    if name in VOLATILITY:
        daily = VOLATILITY[name] / np.sqrt(365.0)
        steps = COMMON * moves * daily / 0.03 + np.sqrt(1.0 - COMMON**2) * daily * own
        return first * np.exp(np.cumsum(steps) - np.arange(days) * daily**2 / 2.0)
    path = first * (1.0 + 0.0004 * own)
    if name == "USDE":
        off = np.maximum(0, np.arange(days) - story["depeg"])
        path = path * (1.0 - 0.075 * np.where(off > 0, np.exp(-np.maximum(0, off - 3) / 9.0), 0.0))
    return path


def spell(path: Series, start: int, factor: float, full: int, fade: int) -> None:
    """Multiply the path by `factor` for `full` days from `start`; over `fade` more days it wears off."""
    for day in range(start, min(len(path), start + full + fade)):
        left = 1.0 if day < start + full else 1.0 - (day - start - full) / fade
        path[day] *= factor**left
