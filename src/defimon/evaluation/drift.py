"""Whether what models are given has moved away from what they learnt from."""

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

SHARE_FLOOR = 1e-4
"""Least share of a bin, so that an empty one gives a large index and no infinite one."""


@dataclass(frozen=True, slots=True)
class Shift:
    """How far one feature has moved: its index, and the shares of values that are missing then and now."""

    feature: str
    index: float
    missing_then: float
    missing_now: float


def shifts(then: Floats, now: Floats, names: tuple[str, ...]) -> list[Shift]:
    """Shift of every feature with enough values, the largest first.

    `then` (n, features) is what was learnt from, `now` (m, features) the last days; NaN is missing, and
    counts as a bin of its own. A feature that never varied is told when it does now.
    """
    if min(len(then), len(now)) < FEWEST:
        return []
    found = [
        Shift(
            name,
            stability_index(then[:, place], now[:, place]),
            float(np.isnan(then[:, place]).mean()),
            float(np.isnan(now[:, place]).mean()),
        )
        for place, name in enumerate(names)
    ]
    return sorted(found, key=lambda shift: (-shift.index, shift.feature))


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
