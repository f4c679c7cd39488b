"""What happens in the days after a day: shared by the targets that look at a window."""

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from defimon.core.grid import day_grid, observed_rows
from defimon.core.tables import PANEL

OBSERVED_SHARE = 6 / 7
"""Share of a label's days that must be observed: six of seven (docs: how forecasts are judged)."""

LOWEST_RATE = 0.001
"""A fall is only told of rates of 0.1 % a year and more: below it a fifth is noise."""


def enough(horizon: int) -> int:
    """Fewest observed days of a window of `horizon` days."""
    return -(-6 * horizon // 7)


def mean_ahead(column: str, horizon: int) -> pl.Expr:
    """Mean of the observed values of the next `horizon` days, null with too few of them.

    Summed day by day: a running sum would carry the rounding of one pool's spike into quiet days.
    """
    days = [pl.col(column).shift(-ahead) for ahead in range(1, horizon + 1)]
    seen = pl.sum_horizontal(day.is_not_null() for day in days)
    return pl.when(seen >= enough(horizon)).then(pl.mean_horizontal(days))


def on_grid(daily: pl.DataFrame, columns: Sequence[str], apart: int, **named: pl.Expr) -> pl.DataFrame:
    """`pool_id, day, columns` and the named expressions, evaluated with a row for every calendar day.

    One row for each row of the panel, in its order. Panel columns that are absent count as null.
    """
    dtypes = PANEL.schema
    absent = [pl.lit(None, dtypes[name]).alias(name) for name in columns if name not in daily.columns]
    grid = day_grid(daily.with_columns(absent), ["pool_id", "day", *columns], apart=apart)
    return observed_rows(grid.with_columns(**named))


def labelled(rows: pl.DataFrame, y: pl.Expr, horizon: int, last: date | None) -> pl.DataFrame:
    """Rows `pool_id, day, y, label_end` whose window lies inside the panel and whose label is known."""
    ends = pl.col("day") + timedelta(days=horizon)
    return rows.select("pool_id", "day", y.cast(pl.Float64).alias("y"), ends.alias("label_end")).filter(
        pl.col("y").is_not_null() & (pl.col("label_end") <= pl.lit(last, pl.Date))
    )


def last_day(daily: pl.DataFrame) -> date | None:
    """Last day that any pool of the panel was observed."""
    found = daily["day"].max()
    return found if isinstance(found, date) else None


def today(daily: pl.DataFrame) -> pl.DataFrame:
    """Rows `pool_id, day, anchor`: today's rate carried forward."""
    return daily.select("pool_id", "day", pl.col("apy").alias("anchor"))


def past_share(daily: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Rows `pool_id, day, anchor`: share of all pools' labels that had ended by `day` and came true."""
    known = (
        labels.group_by("label_end")
        .agg(pl.col("y").sum().alias("true"), pl.len().alias("all"))
        .sort("label_end")
        .select("label_end", anchor=pl.col("true").cum_sum() / pl.col("all").cum_sum())
    )
    days = (
        daily.select(pl.col("day").unique())
        .sort("day")
        .join_asof(known, left_on="day", right_on="label_end", strategy="backward")
    )
    return daily.select("pool_id", "day").join(
        days.select("day", "anchor"), on="day", how="left", maintain_order="left"
    )
