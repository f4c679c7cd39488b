"""What a price path must be."""

import polars as pl

from defimon.core.errors import BadData
from defimon.core.units import UTC_MICROS


def checked_path(path: pl.DataFrame) -> pl.DataFrame:
    """`path` with `price` as Float64.

    Raises BadData unless it has two rows or more, times that rise, and prices above 0.
    """
    missing = [name for name in ("ts", "price") if name not in path.columns]
    if missing:
        raise BadData(f"The path has no column {', '.join(missing)}.", remedy="Needed: ts, price.")
    if path.height < 2:
        raise BadData(f"The path has {path.height} rows.", remedy="Give two moments or more.")
    if path.schema["ts"] != UTC_MICROS:
        raise BadData(f"ts is {path.schema['ts']}.", remedy="Use Datetime in microseconds, UTC.")
    rising = path["ts"].diff().drop_nulls()
    if path["ts"].null_count() or (rising.dt.total_microseconds() <= 0).any():
        raise BadData("The times do not rise from row to row.", remedy="Sort the path, one row a moment.")
    prices = path["price"].cast(pl.Float64)
    if prices.null_count() or not prices.is_finite().all() or (prices <= 0).any():
        raise BadData("A price is not a number above 0.", remedy="Leave out moments without a price.")
    return path.with_columns(prices)
