"""Days on which a pool was not observed."""

import polars as pl

from defimon.quality._base import Rule


class MissingDays(Rule):
    """A pool has no row for a day between its first and its last. The gap stays a gap; the row after it is
    flagged, since a change across a gap is not the change of a day.
    """

    name = "missing_days"

    def caught(self, panel: pl.DataFrame) -> pl.Series:
        return (_skipped(panel) > 0).fill_null(value=False)

    def found(self, panel: pl.DataFrame, caught: pl.DataFrame) -> str:
        days = panel.select(day=pl.col("ts").dt.date()).unique()
        every = days.select(day=pl.date_range(pl.col("day").min(), pl.col("day").max()))
        nowhere = every.join(days, on="day", how="anti")["day"].to_list()
        total = int(_skipped(panel).sum())
        text = f"{total:,} pool-days in {caught['pool_id'].n_unique():,} pools"
        if nowhere:
            listed = ", ".join(str(day) for day in nowhere[:3])
            text += f"; in every pool: {listed}" + (
                f" and {len(nowhere) - 3:,} more" if len(nowhere) > 3 else ""
            )
        return text


def _skipped(panel: pl.DataFrame) -> pl.Series:
    day = pl.col("ts").dt.date()
    gap = (day - day.shift(1).over("pool_id")).dt.total_days() - 1
    return panel.select(skipped=pl.when(gap > 0).then(gap))["skipped"]
