"""A token leaves its peg."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from defimon.alerts._base import Facts, Rule, Setting, percent


class Depeg(Rule):
    """The price of an asset is by `share` or more away from `peg_usd`, up or down."""

    name = "depeg"
    about = "assets"
    needs = ("prices",)
    unit = "USD"
    settings = (
        Setting("share", "a share of the peg", "fraction", 0.0001, 1.0),
        Setting("peg_usd", "what it should cost", "USD", 1e-9, 1e9, 1.0),
    )

    def judge(self, facts: Facts) -> pl.DataFrame:
        rows = facts.fresh("prices").drop_nulls("close_usd")
        off = pl.col("close_usd") / self.values["peg_usd"] - 1.0
        left = off.abs() >= self.values["share"]
        price = pl.col("close_usd").alias("value")
        return rows.select("subject", "ts", price, left.alias("holds"), "label", off.alias("off"))

    def words(self, row: Mapping[str, Any]) -> str:
        side = "below" if row["off"] < 0 else "above"
        off, peg = percent(abs(row["off"])), f"{self.values['peg_usd']:g} USD"
        return f"{row['label']} costs {row['value']:.4f} USD, {off} {side} its peg of {peg}."
