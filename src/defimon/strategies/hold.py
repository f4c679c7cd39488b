"""Buy one pool and leave it alone."""

import difflib
from typing import ClassVar

import polars as pl

from defimon.core.errors import FixSettings
from defimon.strategies._base import Strategy, View, largest

BENCHMARK_CHAIN, BENCHMARK_SYMBOL = "ethereum", "USDC"
"""The market to hold where no size is known: the usual benchmark of USD yield in lending."""


class Hold(Strategy):
    """All into one pool on the first day: `choices.pool`; else the one with the largest TVL; else, where no
    TVL is known, USDC, on Ethereum if there; else the pool with the middle APY, which nobody picked for its
    result. Reads `pool`.
    """

    name = "hold"
    needs: ClassVar[tuple[str, ...]] = ("apy",)

    def weights(self, view: View) -> dict[str, float]:
        if view.holdings:
            return view.held_weights
        return {self.chosen(view): 1.0}

    def chosen(self, view: View) -> str:
        """The pool to hold. Raises FixSettings when it is not in the view, or no rule finds one."""
        if self.choices.pool is not None:
            return self._named(self.choices.pool, view.pools["pool_id"].to_list())
        by_size = largest(view.open_pools, "tvl_usd", 1)
        if by_size:
            return by_size[0]
        pools = view.open_pools.sort("pool_id")
        usual = pools.filter(pl.col("symbol") == BENCHMARK_SYMBOL)
        for candidates in (usual.filter(pl.col("chain") == BENCHMARK_CHAIN), usual):
            if candidates.height:
                return str(candidates["pool_id"][0])
        if pools.is_empty():
            raise FixSettings(
                f"Strategy hold finds no pool on {view.day} that is open for deposits.",
                variable="pool",
                remedy="Begin later, or name the pool to hold with --pool of `defimon backtest`.",
            )
        return str(pools.sort("apy", "pool_id")["pool_id"][(pools.height - 1) // 2])

    @staticmethod
    def _named(pool: str, known: list[str]) -> str:
        if pool in known:
            return pool
        near = difflib.get_close_matches(pool, known, n=3)
        raise FixSettings(
            f"Strategy hold: no pool {pool!r} on the first day.",
            variable="pool",
            remedy=f"Did you mean {', '.join(near)}?" if near else "Name a pool of the panel.",
        )
