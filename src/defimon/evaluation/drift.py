"""Whether what models are given has moved away from what they learnt from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from defimon.evaluation.scores import Floats

BINS = 10
"""Bins of equal share of the reference, as scorecards are watched in banking (Siddiqi 2006, chapter 12)."""

MOVED = 0.25
"""Population stability index from which on a distribution has shifted; from 0.1 on it is a small shift (the
same source)."""

FEWEST = 200
"""Values on either side below which nothing is told: with ten bins, chance alone then gives about
9 (1/200 + 1/200) = 0.09 (Yurdakul 2018, the index times its counts is near chi-square with bins - 1)."""

FEWEST_STRETCHES = 5
"""Stretches, the newest included, below which nothing is told: among so few any may be the highest."""

SHARE_FLOOR = 1e-4
"""Least share of a bin, so that an empty one gives a large index and no infinite one."""


@dataclass(frozen=True, slots=True)
class Shift:
    """How far one feature has moved: its index, the highest that it had in the stretches before, and the
    shares of values that are missing then and now.
    """

    feature: str
    index: float
    usual: float
    missing_then: float
    missing_now: float

    @property
    def moved(self) -> bool:
        """It has shifted, and further than it lately does."""
        return self.index >= MOVED and self.index > self.usual


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days to look at: `now` (m, features), and `then` (n, features), what could be learnt before; NaN is
    missing.
    """

    then: Floats
    now: Floats


def shifts(stretches: Sequence[Stretch], names: tuple[str, ...]) -> list[Shift]:
    """Shift of every feature in the first stretch beside those before it, the largest first.

    What all pools of a market share takes few values in a fortnight, and its index is high in every one of
    them: only one that is higher than in all stretches before says something. Nothing is told of fewer than
    FEWEST values, or fewer than FEWEST_STRETCHES.
    """
    usable = [one for one in stretches if min(len(one.then), len(one.now)) >= FEWEST]
    if len(usable) < FEWEST_STRETCHES or usable[0] is not stretches[0]:
        return []
    found = np.array(
        [
            [stability_index(one.then[:, place], one.now[:, place]) for place in range(len(names))]
            for one in usable
        ]
    )
    newest = usable[0]
    missing = np.isnan(newest.then).mean(axis=0), np.isnan(newest.now).mean(axis=0)
    told = [
        Shift(
            name,
            float(found[0, place]),
            float(found[1:, place].max()),
            float(missing[0][place]),
            float(missing[1][place]),
        )
        for place, name in enumerate(names)
    ]
    return sorted(told, key=lambda shift: (not shift.moved, -shift.index, shift.feature))


def stability_index(then: Floats, now: Floats) -> float:
    """Population stability index: sum over bins of (q - p) ln(q / p), p and q the shares then and now.

    Bins hold equal shares of the known values of `then`, their ends are open; equal values share one.
    """
    known = then[~np.isnan(then)]
    edges = (
        np.unique(np.quantile(known, np.linspace(0.0, 1.0, BINS + 1)[1:-1])) if len(known) else np.empty(0)
    )
    p, q = _shares(then, edges), _shares(now, edges)
    return float(np.sum((q - p) * np.log(q / p)))


def _shares(values: Floats, edges: Floats) -> Floats:
    """Share of each bin, missing values in the last."""
    missing = np.isnan(values)
    # A value that equals an edge lies below it, so that a value shared by many rows is one side of it.
    place = np.where(missing, len(edges) + 1, np.searchsorted(edges, values, side="left"))
    counted = np.bincount(place, minlength=len(edges) + 2) / max(len(values), 1)
    return np.maximum(counted, SHARE_FLOOR)
