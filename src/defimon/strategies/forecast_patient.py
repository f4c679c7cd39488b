"""Move only when the move is expected to earn more than it costs."""

from typing import ClassVar

import polars as pl

from defimon.core.units import BASIS_POINT, DAYS_PER_YEAR
from defimon.strategies._base import Strategy, View, largest


class ForecastPatient(Strategy):
    """As `forecast`, but money leaves a pool only for one whose forecast gain over `holding_days` exceeds
    every cost of the move (both sides, both transactions and the swap), and whose forecast is higher by more
    than `hysteresis` a year. What is kept is not rebalanced. Reads `top_n`, `holding_days`, `hysteresis`.
    """

    name = "forecast_patient"
    needs: ClassVar[tuple[str, ...]] = ("apy", "yhat")

    def weights(self, view: View) -> dict[str, float]:
        expected = dict(
            view.pools.select("pool_id", pl.coalesce("yhat", "apy")).drop_nulls("yhat").iter_rows()
        )
        entrants = [
            pool
            for pool in largest(view.open_pools, "yhat", self.choices.top_n + len(view.holdings))
            if pool not in view.holdings
        ]
        kept = dict(view.holdings)
        for pool in sorted(view.holdings, key=lambda held: (expected.get(held, float("inf")), held)):
            if not entrants or pool not in expected:
                break
            gain = expected[entrants[0]] - expected[pool]
            if self._pays(view, pool, entrants[0], kept[pool], gain):
                kept[entrants.pop(0)] = kept.pop(pool)
        self._place_cash(view, kept, entrants, expected)
        value = view.value_usd
        return {pool: usd / value for pool, usd in kept.items()} if value > 0 else {}

    def _place_cash(
        self, view: View, kept: dict[str, float], entrants: list[str], expected: dict[str, float]
    ) -> None:
        """Spread idle cash over the free places, each of which must earn its own way in."""
        free = min(max(self.choices.top_n - len(kept), 0), len(entrants))
        share = view.cash_usd / free if free else 0.0
        for pool in entrants[:free]:
            if self._pays(view, None, pool, share, expected[pool]):
                kept[pool] = share

    def _pays(self, view: View, left: str | None, entered: str, usd: float, gain: float) -> bool:
        """Whether a gain of `gain` a year on `usd` is worth the way from the pool `left`, None for cash."""
        earned = usd * gain * self.choices.holding_days / DAYS_PER_YEAR
        sides = 1 if left is None else 2
        cost = sides * (usd * view.bps_per_side * BASIS_POINT + view.gas_usd)
        cost += view.swap(left, entered, usd)
        return earned > cost and gain > (0.0 if left is None else self.choices.hysteresis)
