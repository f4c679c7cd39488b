"""A daily panel laid out without holes, so that a window of n rows is a window of n calendar days."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from defimon.core.errors import BadData

OBSERVED = "_row"
"""Column of a grid: the row of the daily panel that a grid row stands for; null where none was observed."""


def day_grid(daily: pl.DataFrame, columns: Sequence[str], *, apart: int) -> pl.DataFrame:
    """Columns of a daily panel with one row for every calendar day of each pool's life, and `_row`.

    Pools follow each other with `apart` empty days before, between and after them: windows and shifts of up
    to `apart` rows therefore never reach another pool, and need no grouping. A day that was not observed is
    null in every column. Raises BadData when the panel is not sorted by pool and day or has two rows of one
    day.
    """
    if daily.is_empty():
        return daily.select(*columns, pl.lit(0, pl.UInt32).alias(OBSERVED))
    place = _places(daily, apart)
    index = np.full(int(place[-1]) + 1 + apart, -1, dtype=np.int64)
    index[place] = np.arange(daily.height)
    take = pl.Series(OBSERVED, index)
    take = pl.select(pl.when(take >= 0).then(take).cast(pl.UInt32).alias(OBSERVED)).to_series()
    return daily.select(pl.col(columns).gather(take)).with_columns(take)


def observed_rows(grid: pl.DataFrame) -> pl.DataFrame:
    """The grid's rows that stand for a row of the panel, in the panel's order, without `_row`."""
    return grid.filter(pl.col(OBSERVED).is_not_null()).drop(OBSERVED)


def _places(daily: pl.DataFrame, apart: int) -> NDArray[np.int64]:
    """Grid row of every row of the panel, ascending."""
    run = daily["pool_id"].rle_id()
    code = run.to_numpy().astype(np.int64)
    day = daily["day"].to_physical().to_numpy().astype(np.int64)
    first = np.concatenate([[True], code[1:] != code[:-1]])
    same_pool = ~first[1:]
    if not daily["pool_id"].is_sorted() or bool(np.any(np.diff(day)[same_pool] <= 0)):
        raise BadData(
            "The daily panel is not sorted by pool and day, or has two rows of one day.",
            remedy="Make it with defimon.flows.load.daily.",
        )
    start = np.flatnonzero(first)
    end = np.append(start[1:], daily.height) - 1
    length = day[end] - day[start] + 1 + apart
    offset = np.cumsum(length) - length + apart
    places: NDArray[np.int64] = offset[code] + day - day[start][code]
    return places
