"""Follow the crowd, as long as it is paid."""

from typing import ClassVar

import polars as pl

from defimon.strategies._base import Strategy, View


class TvlWeighted(Strategy):
    """Open pools that pay more than `least_apy`, each by its share of their TVL. Reads `least_apy`."""

    name = "tvl_weighted"
    needs: ClassVar[tuple[str, ...]] = ("apy", "tvl_usd")

    def weights(self, view: View) -> dict[str, float]:
        paid = view.open_pools.filter((pl.col("apy") > self.choices.least_apy) & (pl.col("tvl_usd") > 0))
        total = float(paid["tvl_usd"].sum())
        return dict(zip(paid["pool_id"], (paid["tvl_usd"] / total), strict=True)) if total > 0 else {}
