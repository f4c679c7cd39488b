"""Percent where a fraction is due."""

import polars as pl

from defimon.core.units import DAYS_PER_YEAR
from defimon.quality._base import Rule

HIGHEST_USUAL = 1.0
"""A pool whose usual yield is over 100 % a year: of 190 recorded exchange pools of DefiLlama 23 are, of
lending and staking markets none."""
PERCENT_OVER_REALISED = (30.0, 300.0)
"""Quoted over realised growth of the index: near 1 for a fraction, near 100 for percent, with room for
noise."""


class PercentNotFraction(Rule):
    """The usual yield of the pool is over 1 (100 % a year), or about a hundred times what its index really
    grew: 5.2 was probably meant as percent. The row stays; an import refuses a standard panel in which
    most pools look like that.
    """

    name = "percent_not_fraction"
    hindsight = True

    def caught(self, panel: pl.DataFrame) -> pl.Series:
        earning = pl.col("apy").filter(pl.col("apy") > 0.0)
        growth = pl.col("index").last() / pl.col("index").first()
        days = (pl.col("ts").last() - pl.col("ts").first()).dt.total_seconds() / 86_400.0
        pools = panel.group_by("pool_id", maintain_order=True).agg(
            usual=earning.median(),
            quoted=pl.col("apy").mean(),
            realised=(growth - 1.0) * DAYS_PER_YEAR / pl.when(days >= 1.0).then(days),
        )
        ratio = pl.when(pl.col("realised") > 0.0).then(pl.col("quoted") / pl.col("realised"))
        looks = (pl.col("usual") > HIGHEST_USUAL) | ratio.is_between(*PERCENT_OVER_REALISED)
        judged = pools.select("pool_id", looks=looks.fill_null(value=False))
        return panel.select("pool_id").join(judged, on="pool_id", how="left", maintain_order="left")["looks"]
