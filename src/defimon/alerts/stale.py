"""Data stop coming."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from defimon.alerts._base import Facts, Rule, Setting

HOUR = 3_600.0


class Stale(Rule):
    """The last row of a series is older than `paces` times its pace."""

    name = "stale"
    about = "series"
    needs = ("series",)
    unit = "seconds"
    settings = (Setting("paces", "how many paces late", "paces", 1.0, 1_000.0, 4.0),)

    def judge(self, facts: Facts) -> pl.DataFrame:
        rows = facts["series"].drop_nulls(("age_s", "every_s"))
        late = pl.col("age_s") > self.values["paces"] * pl.col("every_s")
        return rows.select(
            "subject", "ts", pl.col("age_s").alias("value"), late.alias("holds"), "label", "every_s"
        )

    def words(self, row: Mapping[str, Any]) -> str:
        age, every = row["value"] / HOUR, row["every_s"] / HOUR
        return f"{row['label']}: nothing new for {age:,.1f} hours; it comes every {every:,.2f} hours."
