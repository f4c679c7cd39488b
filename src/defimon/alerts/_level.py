"""A figure on the wrong side of a limit."""

from collections.abc import Mapping
from typing import Any, ClassVar

import polars as pl

from defimon.alerts._base import Fact, Facts, Rule, Setting, percent

LIMIT = Setting("limit", "an APY", "fraction a year", -1.0, 100.0)
HORIZON = Setting("horizon", "days ahead of the forecast", "days", 1.0, 30.0, 7.0)


class ApyLevel(Rule):
    """The APY of today beside a limit."""

    needs: ClassVar[tuple[Fact, ...]] = ("pools",)
    unit = "fraction a year"
    settings: ClassVar[tuple[Setting, ...]] = (LIMIT,)
    below: ClassVar[bool]
    fact: ClassVar[Fact] = "pools"
    column: ClassVar[str] = "apy"
    verb: ClassVar[str] = "pays"

    def judge(self, facts: Facts) -> pl.DataFrame:
        value, limit = pl.col(self.column), self.values["limit"]
        wrong = value < limit if self.below else value > limit
        rows = self.kept(facts.fresh(self.fact)).filter(value.is_not_null())
        return rows.select("subject", "ts", value.alias("value"), wrong.alias("holds"), "label")

    def kept(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows that are judged."""
        return rows

    def words(self, row: Mapping[str, Any]) -> str:
        side = "below" if self.below else "above"
        limit = percent(self.values["limit"])
        return f"{row['label']} {self.verb} {percent(row['value'])} a year, {side} {limit}."


class ForecastLevel(ApyLevel):
    """The forecast of the mean APY of the days ahead beside a limit."""

    needs = ("forecasts",)
    settings = (LIMIT, HORIZON)
    fact = "forecasts"
    column = "yhat"
    verb = "will pay"

    def kept(self, rows: pl.DataFrame) -> pl.DataFrame:
        return rows.filter(pl.col("horizon") == int(self.values["horizon"]))
