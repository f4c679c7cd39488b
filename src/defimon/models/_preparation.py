"""What networks and linear models do to features before they learn: fill, mark, hold to a range, scale."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from defimon.core.errors import BadData
from defimon.models._base import Floats, Rows, State

TAILS = (1.0, 99.0)
"""Percentiles of the lesson to which values are held, so that one freak day does not set the scale."""

FEWEST_MISSING = 0.01
"""Share of missing values from which a column gets an indicator of its own."""


def columns(rows: Rows, names: Sequence[str]) -> NDArray[np.float32]:
    """(m, k) the named features of the rows; a feature that the table lacks is NaN throughout."""
    return select(rows.values, rows.names, names)


def select(values: NDArray[np.float32], have: Sequence[str], want: Sequence[str]) -> NDArray[np.float32]:
    """(m, len(want)) columns of `values` (m, len(have)) by name, NaN for a name that is not there."""
    if tuple(have) == tuple(want):
        return values
    place = {name: number for number, name in enumerate(have)}
    out = np.full((len(values), len(want)), np.nan, dtype=np.float32)
    for number, name in enumerate(want):
        if name in place:
            out[:, number] = values[:, place[name]]
    return out


def names_of(state: State) -> tuple[str, ...]:
    """Feature names that a saved state lists. Raises BadData when it lists none."""
    names = state.values.get("names")
    if not isinstance(names, list):
        raise BadData("the saved model does not name its features.", remedy="Fit and save it again.")
    return tuple(str(name) for name in names)


@dataclass(frozen=True, slots=True)
class Preparation:
    """Learnt filling and scaling of k features; arrays are (k,).

    A missing value becomes the lesson's median, values are held between `low` and `high`, then centred and
    scaled. Columns listed in `marked` also give an indicator, 1 where the value was missing.
    """

    median: Floats
    low: Floats
    high: Floats
    centre: Floats
    scale: Floats
    marked: NDArray[np.int64]

    @classmethod
    def learn(cls, values: NDArray[np.float32]) -> Self:
        """From the features (m, k) of a lesson; a column without any value becomes constant zero."""
        missing = ~np.isfinite(values)
        empty = missing.all(axis=0)
        clean = np.where(missing, np.nan, values).astype(np.float64)
        clean[:, empty] = 0.0
        low, median, high = np.nanpercentile(clean, [TAILS[0], 50.0, TAILS[1]], axis=0)
        held = np.clip(np.where(np.isnan(clean), median, clean), low, high)
        spread = held.std(axis=0)
        share = missing.mean(axis=0)
        marked = np.flatnonzero((share >= FEWEST_MISSING) & (share <= 1.0 - FEWEST_MISSING))
        scale = np.where(spread > 0.0, spread, 1.0)
        return cls(median, low, high, held.mean(axis=0), scale, marked.astype(np.int64))

    def apply(self, values: NDArray[np.float32]) -> Floats:
        """(m, k + marked) float64 without a missing value."""
        missing = ~np.isfinite(values)
        held = np.clip(np.where(missing, self.median, values), self.low, self.high)
        return np.hstack([(held - self.centre) / self.scale, missing[:, self.marked].astype(np.float64)])

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        return {
            "median": self.median,
            "low": self.low,
            "high": self.high,
            "centre": self.centre,
            "scale": self.scale,
            "marked": self.marked,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        real = {
            name: np.asarray(arrays[name], dtype=np.float64)
            for name in ("median", "low", "high", "centre", "scale")
        }
        return cls(**real, marked=np.asarray(arrays["marked"], dtype=np.int64))
