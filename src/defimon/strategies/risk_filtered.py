"""Chase what is forecast where trouble is unlikely."""

from typing import ClassVar

import polars as pl

from defimon.strategies._base import Strategy, View, largest, spread_evenly


class RiskFiltered(Strategy):
    """As `forecast`, among pools whose probability of distress, by a classifier that learnt from what later
    happened, is at most `most_distress`. A pool the classifier says nothing about is left out: unknown is not
    safe. Reads `top_n`, `most_distress`.
    """

    name = "risk_filtered"
    needs: ClassVar[tuple[str, ...]] = ("apy", "yhat", "p_distress")

    def weights(self, view: View) -> dict[str, float]:
        calm = view.open_pools.filter(pl.col("p_distress") <= self.choices.most_distress)
        return spread_evenly(largest(calm, "yhat", self.choices.top_n))
