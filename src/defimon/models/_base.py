"""What a model is, and the rows it learns from and answers for."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from defimon.core.errors import FixSettings
from defimon.core.plugins import Family

Floats = NDArray[np.float64]

RATE_FLOOR = 0.0005
"""Added to a rate before its logarithm: 0.05 percentage points, so that zero has a ratio."""

QUANTILES = (0.025, 0.05, 0.50, 0.95, 0.975)
"""A 90 % interval, and the 95 % one around it that calibration may reach out to."""

MEDIAN = 2
"""Place of the median among QUANTILES."""


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """Features of every observed pool-day, sorted by pool and day.

    `pool` (n,) codes into `pool_names`; `day` (n,) days since 1970-01-01; `values` (n, k) float32 with NaN
    where an input is missing; `anchor` (n,) the yardstick's answer in the target's unit, NaN when unknown.
    """

    pool: NDArray[np.int32]
    day: NDArray[np.int32]
    values: NDArray[np.float32]
    anchor: Floats
    names: tuple[str, ...]
    pool_names: tuple[str, ...]

    def rows(self, index: NDArray[np.int64]) -> "Rows":
        return Rows(self, index)


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a feature table, in the order of `index` (m,)."""

    table: FeatureTable
    index: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.index)

    @property
    def values(self) -> NDArray[np.float32]:
        """(m, k) float32, NaN where missing."""
        chosen: NDArray[np.float32] = self.table.values[self.index]
        return chosen

    @property
    def anchor(self) -> Floats:
        return self.table.anchor[self.index]

    @property
    def pool(self) -> NDArray[np.int32]:
        return self.table.pool[self.index]

    @property
    def day(self) -> NDArray[np.int32]:
        return self.table.day[self.index]

    @property
    def names(self) -> tuple[str, ...]:
        return self.table.names

    def column(self, name: str) -> NDArray[np.float32]:
        chosen: NDArray[np.float32] = self.table.values[self.index, self.table.names.index(name)]
        return chosen

    def take(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> "Rows":
        return Rows(self.table, self.index[chosen])

    def windows(self, steps: int) -> NDArray[np.float32]:
        """(m, steps, k): the features of this row and of the observations before it, oldest first.

        NaN before a pool's first observation; never a row of another pool or of a later day.
        """
        back = np.arange(steps - 1, -1, -1)
        place = self.index[:, None] - back[None, :]
        safe = np.maximum(place, 0)
        own = (place >= 0) & (self.table.pool[safe] == self.pool[:, None])
        out: NDArray[np.float32] = self.table.values[safe]
        out[~own] = np.nan
        return out


@dataclass(frozen=True, slots=True)
class Forecast:
    """Answers for m rows, in the target's unit.

    `point` (m,): the median for a rate, the probability for an event; `quantiles` (m, 5) at QUANTILES, if
    the model gives them; `volatility` (m,) expected standard deviation of daily changes, if it does.
    """

    point: Floats
    quantiles: Floats | None = None
    volatility: Floats | None = None


@dataclass(frozen=True, slots=True)
class Lesson:
    """What `fit` learns from: rows, their labels `y` (m,) in the target's unit, and when each was known.

    `label_end` (m,) is the last day a label looked at, in days since 1970-01-01. `volatility` (m,) is the
    standard deviation of daily changes over the label window, NaN where unknown, for models with a second
    head. Rates above `even_above` (a fraction a year) count alike where rows are weighed by their rate: 10 %
    where errors are scored in percentage points; where they are scored in logs of 1 + percent, 1 %, since
    there the error of a log-ratio counts alike from about that rate on.
    """

    rows: Rows
    y: Floats
    label_end: NDArray[np.int32]
    kind: Literal["rate", "event"]
    volatility: Floats | None = None
    even_above: float = 0.10


def log_ratio(y: Floats, anchor: Floats) -> Floats:
    """Natural logarithm of (y + floor) / (anchor + floor); rates below zero count as zero."""
    return np.log((np.maximum(y, 0.0) + RATE_FLOOR) / (np.maximum(anchor, 0.0) + RATE_FLOOR))


def from_log_ratio(z: Floats, anchor: Floats) -> Floats:
    """Inverse of `log_ratio`, never below zero."""
    return np.maximum((np.maximum(anchor, 0.0) + RATE_FLOOR) * np.exp(z) - RATE_FLOOR, 0.0)


@dataclass(frozen=True, slots=True)
class Fitting:
    """How a fit may use the machine: seed, threads of one fit, device of a network."""

    seed: int = 7
    threads: int = 1
    device: str = "cpu"


class Model(ABC):
    """A forecaster. The constructor stores, `fit` learns; learnt values end in an underscore.

    `learns` says which kinds of target it can learn. `variant` is "log_ratio" (log-ratio to the anchor under
    an absolute or quantile loss) or "level" (the tutorial way: the level under squared loss), where the
    model offers both.
    """

    name: ClassVar[str]
    learns: ClassVar[frozenset[str]] = frozenset({"rate", "event"})
    variants: ClassVar[tuple[str, ...]] = ("log_ratio",)
    trusted: ClassVar[bool] = False
    """Its log-ratios are to be trusted, pool by pool, as far as its past forecasts deserved."""

    def __init__(self, *, variant: str = "log_ratio", fitting: Fitting | None = None) -> None:
        """Raises FixSettings for a variant that the model does not have."""
        if variant not in self.variants:
            raise FixSettings(
                f"{self.name} has no variant {variant!r}.",
                variable="variant",
                remedy=f"Known: {', '.join(self.variants)}.",
            )
        self.variant = variant
        self.fitting = fitting or Fitting()

    @abstractmethod
    def fit(self, lesson: Lesson) -> Self:
        """Learn from the lesson alone. Raises BadData when it holds too little."""

    @abstractmethod
    def predict(self, rows: Rows) -> Forecast:
        """Answer for rows of a table with the same feature names as the lesson's."""

    @abstractmethod
    def state(self) -> "State":
        """Everything learnt, as plain values and arrays."""

    @abstractmethod
    def restore(self, state: "State") -> Self:
        """Take over what `state` of the same model gave."""


@dataclass(frozen=True, slots=True)
class State:
    """Learnt values in safe forms: `values` is JSON-able, `arrays` become safetensors, `files` are weights in
    a library's own safe format (XGBoost's UBJSON), by file name.
    """

    values: dict[str, object] = field(default_factory=dict)
    arrays: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


FAMILY: Family[Model] = Family("defimon.models", Model)  # type: ignore[type-abstract]

__all__ = [
    "FAMILY",
    "MEDIAN",
    "QUANTILES",
    "RATE_FLOOR",
    "FeatureTable",
    "Fitting",
    "Floats",
    "Forecast",
    "Lesson",
    "Model",
    "Rows",
    "State",
    "from_log_ratio",
    "log_ratio",
]
