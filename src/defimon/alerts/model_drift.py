"""A model is watched drifting."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from defimon.alerts._base import Facts, Rule


class ModelDrift(Rule):
    """The watch over a model's inputs and errors noted a drift, and nothing has been done about it since."""

    name = "model_drift"
    about = "models"
    needs = ("drifts",)
    unit = ""

    def judge(self, facts: Facts) -> pl.DataFrame:
        nothing = pl.lit(None, pl.Float64).alias("value")
        return facts["drifts"].select(
            "subject", "ts", nothing, pl.col("drifts").alias("holds"), "label", "reason"
        )

    def words(self, row: Mapping[str, Any]) -> str:
        return f"{row['label']} drifts: {row['reason'] or 'no reason was noted'}."
