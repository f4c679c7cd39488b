"""A pool's yield moves."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from defimon.alerts._base import FRESH, Facts, Rule, Setting, percent


class ApyChange(Rule):
    """The APY of today is `by` or more away from that of `hours` before, up or down."""

    name = "apy_change"
    needs = ("pools", "past")
    unit = "fraction a year"
    settings = (
        Setting("by", "a change of the APY", "fraction a year", 1e-6, 100.0),
        Setting("hours", "hours over which it changes", "hours", 1.0, 720.0, 24.0),
    )

    def judge(self, facts: Facts) -> pl.DataFrame:
        now = facts.fresh("pools").drop_nulls("apy").with_columns(then=pl.col("ts") - self.window)
        past = facts["past"].drop_nulls("apy").select("subject", pl.col("apy").alias("before"), then="ts")
        # The last figure at or before the window's begin; one that is much older tells of another time.
        found = now.sort("then").join_asof(
            past.sort("then"), on="then", by="subject", strategy="backward", tolerance=FRESH,
            check_sortedness=False,
        ).drop_nulls("before")  # fmt: skip
        change = pl.col("apy") - pl.col("before")
        moved = change.abs() >= self.values["by"]
        return found.select(
            "subject", "ts", change.alias("value"), moved.alias("holds"), "label", "apy", "before"
        )

    def words(self, row: Mapping[str, Any]) -> str:
        before, now = percent(row["before"]), percent(row["apy"])
        return f"{row['label']} went from {before} to {now} a year in {self.values['hours']:g} hours."
