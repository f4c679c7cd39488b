"""The inner walk-forward: forecasts inside a lesson, each by models that had seen only what ended before."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from defimon.models._base import Fitting, Lesson, Model
from defimon.models._lesson import chosen

Make = Callable[..., Model]
"""Builds an unfitted model, given `fitting`."""

KEPT_FITS = 64
"""Fitted models that a process remembers: four members, five fits each, for three targets."""


@dataclass(frozen=True, slots=True)
class InnerSplits:
    """Folds of `days` days that end with the lesson; rows of a fold are forecast by models of before it."""

    folds: int = 5
    days: int = 28

    def of(self, lesson: Lesson) -> Iterator[tuple[Lesson, NDArray[np.int64]]]:
        """What could be learnt before a fold, and the places of the fold's rows in the lesson.

        The day on which the lesson ends is the day after its last label, and no label of an earlier lesson
        reaches into its fold.
        """
        day, now = lesson.rows.day, int(lesson.label_end.max()) + 1
        for back in range(self.folds, 0, -1):
            first = now - back * self.days
            asked = np.flatnonzero((day >= first) & (day < first + self.days))
            before = lesson.label_end < first
            if len(asked) and before.any():
                yield chosen(lesson, before), asked


_fits: OrderedDict[bytes, Model] = OrderedDict()


def fitted(make: Make, lesson: Lesson, fitting: Fitting) -> Model:
    """The model that `make` builds, fitted on the lesson; the same fit is done once a process.

    The inner folds of a walk-forward are the outer folds of a fortnight before, so most fits come up several
    times. The key covers everything a fit reads. The model is shared: ask it, do not fit it again.
    """
    key = _digest(make, lesson, fitting)
    if key in _fits:
        _fits.move_to_end(key)
        return _fits[key]
    model = make(fitting=fitting).fit(lesson)
    _fits[key] = model
    if len(_fits) > KEPT_FITS:
        _fits.popitem(last=False)
    return model


def _digest(make: Make, lesson: Lesson, fitting: Fitting) -> bytes:
    table = lesson.rows.table
    digest = blake2b(repr((make, fitting, lesson.kind, table.names, table.pool_names)).encode())
    none = np.empty(0)
    for array in (
        table.values,
        table.anchor,
        table.pool,
        table.day,
        lesson.rows.index,
        lesson.y,
        lesson.label_end,
        none if lesson.volatility is None else lesson.volatility,
    ):
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.digest()
