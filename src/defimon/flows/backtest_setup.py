"""How a backtest runs, and settings that go by a name."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import polars as pl

from defimon.backtest.costs import Costs
from defimon.backtest.engine import Rules
from defimon.core.errors import FixSettings
from defimon.strategies._base import Choices


@dataclass(frozen=True, slots=True)
class Setup:
    """How a backtest runs. `start` and `end` are both included; see `period`.

    Raises FixSettings for a capital that is not above 0, or less than a day between decisions.
    """

    strategies: tuple[str, ...] = ()
    """Names; all that the data allow when empty. `hold` is always beside them."""
    capital: float = 10_000.0
    costs: Costs = field(default_factory=lambda: Costs(bps_per_side=10.0, gas_usd=1.0))
    rebalance_days: int = 7
    choices: Choices = field(default_factory=Choices)
    rules: Rules = field(default_factory=Rules)
    start: date | None = None
    end: date | None = None
    days: int | None = None
    """Length of the period that ends on `end`, used when there is no `start`."""
    stable_only: bool = True
    model: str | None = None
    """Model whose forecasts are followed; `served`, else `ensemble`, else the only one there is."""
    seed: int = 7

    def __post_init__(self) -> None:
        if not 0 < self.capital < float("inf"):
            raise FixSettings(f"capital is {self.capital}.", variable="capital", remedy="Choose USD above 0.")
        if self.rebalance_days < 1:
            raise FixSettings(
                f"rebalance_days is {self.rebalance_days}.",
                variable="rebalance_days",
                remedy="Choose 1 or more.",
            )


PRESETS = {
    "": Setup(),
    "classic": Setup(costs=Costs(bps_per_side=10.0), days=90),
}
"""Settings by name: classic is 90 days, 10,000 USD, 0.1 % a side, weekly, top 3."""


def preset_of(name: str) -> Setup:
    """The settings that go by `name`. Raises FixSettings that lists the names there are."""
    if name not in PRESETS:
        raise FixSettings(
            f"There is no preset {name!r}.",
            variable="preset",
            remedy=f"Known: {', '.join(filter(None, PRESETS))}.",
        )
    return PRESETS[name]


def changed(setup: Setup, **given: object) -> Setup:
    """The settings with what was given in place of theirs; None means not given.

    Fields of costs, choices and rules are named like those of the setup itself.
    """
    told = {name: value for name, value in given.items() if value is not None}
    for part in ("costs", "choices", "rules"):
        inner = getattr(setup, part)
        own = {name: told.pop(name) for name in list(told) if name in inner.__slots__}
        told[part] = replace(inner, **own)
    return replace(setup, **told)  # type: ignore[arg-type]


def period(setup: Setup, daily: pl.DataFrame, forecasts: pl.DataFrame | None) -> tuple[date, date]:
    """First and last day: as set; else from the first forecast, if there are any; else all of the panel.

    Raises FixSettings when they are not inside the panel.
    """
    first, last = daily.select(pl.col("day").min().alias("first"), pl.col("day").max().alias("last")).row(0)
    end = setup.end or last
    begin = first if forecasts is None else max(first, forecasts["day"].min())
    if setup.days is not None:
        begin = max(begin, end - timedelta(days=setup.days))
    start = setup.start or begin
    if not first <= start < end <= last:
        raise FixSettings(
            f"{start} to {end} is not a period inside the panel.",
            variable="from, to",
            remedy=f"Choose days from {first} to {last}.",
        )
    return start, end
