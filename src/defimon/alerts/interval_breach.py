"""A pool paid what a forecast held to be unlikely."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import polars as pl

from defimon.alerts._base import Facts, Rule, percent
from defimon.alerts._level import HORIZON

KNOWN_WITHIN = timedelta(days=3)
"""The truth is written once a day, after the last day of a forecast is whole; older ones are no news."""


class IntervalBreach(Rule):
    """The mean APY that came true lies outside the 90 % interval of the forecast that was served for it; one
    in ten does so by design.
    """

    name = "interval_breach"
    needs = ("scored",)
    unit = "fraction a year"
    settings = (HORIZON,)

    def judge(self, facts: Facts) -> pl.DataFrame:
        horizon = int(self.values["horizon"])
        rows = facts["scored"].filter(pl.col("horizon") == horizon).drop_nulls(("q05", "q95", "y"))
        recent = rows.filter(pl.col("ts") > facts.now - timedelta(days=horizon) - KNOWN_WITHIN)
        outside = (pl.col("y") < pl.col("q05")) | (pl.col("y") > pl.col("q95"))
        return recent.select(
            "subject", "ts", pl.col("y").alias("value"), outside.alias("holds"), "label", "q05", "q95"
        )

    def words(self, row: Mapping[str, Any]) -> str:
        paid, interval = percent(row["value"]), f"{percent(row['q05'])} to {percent(row['q95'])}"
        days = f"the {self.values['horizon']:g} days from {row['ts']:%Y-%m-%d} on"
        return f"{row['label']} paid {paid} a year over {days}; the forecast said {interval}."
