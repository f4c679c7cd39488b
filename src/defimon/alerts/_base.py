"""What a kind of rule is: it looks at facts and says of each subject whether there is cause for an alert."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, ClassVar, Literal

import polars as pl

from defimon.core.errors import FixSettings
from defimon.core.plugins import Family
from defimon.core.units import UTC_MICROS

About = Literal["pools", "assets", "series", "models"]
Fact = Literal["pools", "past", "forecasts", "scored", "prices", "series", "drifts"]

FRESH = timedelta(days=2)
"""Age beyond which a figure says nothing of today: nothing is judged by it."""

TEXT, REAL, TIME = pl.String(), pl.Float64(), UTC_MICROS

SHAPES: dict[Fact, pl.Schema] = {
    "pools": pl.Schema(
        {"subject": TEXT, "label": TEXT, "ts": TIME, "source": TEXT, "apy": REAL, "tvl_usd": REAL}
    ),
    "past": pl.Schema({"subject": TEXT, "ts": TIME, "apy": REAL, "tvl_usd": REAL}),
    "forecasts": pl.Schema(
        {"subject": TEXT, "label": TEXT, "ts": TIME, "horizon": pl.Int64(), "yhat": REAL}
    ),
    "scored": pl.Schema(
        {
            "subject": TEXT, "label": TEXT, "ts": TIME, "horizon": pl.Int64(), "q05": REAL, "q95": REAL,
            "y": REAL,
        }
    ),
    "prices": pl.Schema({"subject": TEXT, "label": TEXT, "ts": TIME, "close_usd": REAL}),
    "series": pl.Schema({"subject": TEXT, "label": TEXT, "ts": TIME, "every_s": REAL, "age_s": REAL}),
    "drifts": pl.Schema({"subject": TEXT, "label": TEXT, "ts": TIME, "drifts": pl.Boolean(), "reason": TEXT}),
}  # fmt: skip
"""Columns of each kind of fact."""

JUDGED = pl.Schema({"subject": TEXT, "ts": TIME, "value": REAL, "holds": pl.Boolean()})
"""Columns that every judgement has; a kind may have more, for its words."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was known at `now`, of what a rule is about; frames in the columns of SHAPES, one row a subject.

    `pools`: newest figures that no quality rule doubts. `past`: those of the rule's window, in order of time,
    many rows a pool. `forecasts`: newest means ahead. `scored`: the newest forecasts whose truth is known,
    `y` the mean APY that came true. `prices`: newest closes. `series`: what is configured, its pace and the
    age of its last row. `drifts`: the last word on each model.
    """

    now: datetime
    frames: Mapping[Fact, pl.DataFrame] = field(default_factory=dict)

    def __getitem__(self, name: Fact) -> pl.DataFrame:
        found = self.frames.get(name)
        return pl.DataFrame(schema=SHAPES[name]) if found is None else found

    def fresh(self, name: Fact) -> pl.DataFrame:
        """Rows that are not older than FRESH."""
        return self[name].filter(pl.col("ts") > self.now - FRESH)


@dataclass(frozen=True, slots=True)
class Setting:
    """A number that a rule of this kind is set to: unit, range, and its default if there is one."""

    name: str
    doc: str
    unit: str
    low: float
    high: float
    default: float | None = None

    def check(self, value: float | None) -> float:
        """The value, or the default. Raises FixSettings when there is none, or it is out of range."""
        told = self.default if value is None else value
        if told is None or not isfinite(told) or not self.low <= told <= self.high:
            raise FixSettings(
                f"{self.name} is {'missing' if told is None else f'{told:g}'}.",
                variable=f"settings.{self.name}",
                remedy=f"Give {self.doc}, {self.low:g} to {self.high:g} {self.unit}.",
            )
        return told


REST = Setting(
    "rest_hours", "hours after an alert in which no other of its subject opens", "hours", 0, 720, 0
)
"""Of every kind: a figure that wavers about its limit would else be told each time it crosses."""


class Rule(ABC):
    """One kind of cause. `about` is what its subjects are, `needs` the facts that it looks at, `unit` that of
    the figure it finds.
    """

    name: ClassVar[str]
    about: ClassVar[About] = "pools"
    needs: ClassVar[tuple[Fact, ...]]
    unit: ClassVar[str]
    settings: ClassVar[tuple[Setting, ...]] = ()

    def __init__(self, values: Mapping[str, float]) -> None:
        """Raises FixSettings, which names the setting, for one that is unknown, missing or out of range."""
        every = (*self.settings, REST)
        known = {one.name for one in every}
        for name in values:
            if name not in known:
                told = ", ".join(sorted(known))
                raise FixSettings(
                    f"A rule {self.name} has no setting {name[:60]!r}.",
                    variable=f"settings.{name[:60]}",
                    remedy=f"Known: {told}.",
                )
        self.values = {one.name: one.check(values.get(one.name)) for one in every}

    @property
    def rest(self) -> timedelta:
        """How long after an alert no other of its subject opens."""
        return timedelta(hours=self.values[REST.name])

    @property
    def window(self) -> timedelta:
        """How far back `past` has to reach."""
        return timedelta(hours=self.values.get("hours", 0.0))

    @abstractmethod
    def judge(self, facts: Facts) -> pl.DataFrame:
        """One row a subject that can be judged, in the columns of JUDGED: `holds` where there is cause for an
        alert, `value` the figure that says so, `ts` when it was true. Who is not there stays as it was.
        """

    @abstractmethod
    def words(self, row: Mapping[str, Any]) -> str:
        """A row of `judge` that holds, in one sentence."""


FAMILY: Family[Rule] = Family("defimon.alerts", Rule)  # type: ignore[type-abstract]


def percent(rate: float) -> str:
    """0.0521 as 5.21 %."""
    return f"{rate * 100:.2f} %"
