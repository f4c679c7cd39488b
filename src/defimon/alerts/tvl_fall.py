"""Money leaves a pool."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from defimon.alerts._base import Facts, Rule, Setting, percent


class TvlFall(Rule):
    """The TVL of today is by `share` or more below its highest value within the last `hours`."""

    name = "tvl_fall"
    needs = ("pools", "past")
    unit = "fraction"
    settings = (
        Setting("share", "a share of the TVL", "fraction", 0.001, 1.0),
        Setting("hours", "hours over which it falls", "hours", 1.0, 720.0, 24.0),
    )

    def judge(self, facts: Facts) -> pl.DataFrame:
        now = facts.fresh("pools").drop_nulls("tvl_usd")
        inside = facts["past"].join(now.select("subject", last="ts"), on="subject")
        inside = inside.filter(
            (pl.col("ts") >= pl.col("last") - self.window) & (pl.col("ts") < pl.col("last"))
        )
        high = inside.group_by("subject").agg(high=pl.col("tvl_usd").max())
        found = now.join(high.filter(pl.col("high") > 0), on="subject").sort("subject")
        fall = 1.0 - pl.col("tvl_usd") / pl.col("high")
        fell = fall >= self.values["share"]
        return found.select(
            "subject", "ts", fall.alias("value"), fell.alias("holds"), "label", "tvl_usd", "high"
        )

    def words(self, row: Mapping[str, Any]) -> str:
        hours = f"{self.values['hours']:g} hours"
        return (
            f"{row['label']}: TVL fell by {percent(row['value'])} within {hours}, from "
            f"{row['high']:,.0f} to {row['tvl_usd']:,.0f} USD."
        )
