"""What was known on each decision day, and weights as the engine takes them."""

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import polars as pl

from defimon.backtest.arrays import Floats, Places
from defimon.backtest.costs import Costs
from defimon.backtest.engine import Decide
from defimon.backtest.market import Market
from defimon.backtest.swaps import Swaps
from defimon.core.errors import BadData
from defimon.core.units import start_of
from defimon.strategies._base import FORECAST_COLUMNS, Strategy, View

FRESH_DAYS = 3
"""Oldest observation or forecast, in days, that still counts as what is known today."""

POOL_COLUMNS = (
    "pool_id",
    "apy",
    "tvl_usd",
    "volume_24h_usd",
    "stablecoin",
    "status",
    "protocol",
    "chain",
    "symbol",
)

NEVER = -1


class Known:
    """Looks up the latest rows that were known when a day ended (`known_at`, or `ts` where it is empty)."""

    def __init__(self, daily: pl.DataFrame, market: Market, forecasts: pl.DataFrame | None) -> None:
        """`forecasts`: pool_id, day and some of FORECAST_COLUMNS, one row a pool and day; or None."""
        self._market = market
        self._rows = daily.select(*POOL_COLUMNS, "day", "ts", "known_at")
        first = market.days[0]
        when = (
            (pl.coalesce("known_at", "ts") - pl.lit(start_of(first)) - timedelta(microseconds=1))
            .dt.total_microseconds()
            .floordiv(timedelta(days=1) // timedelta(microseconds=1))
        )
        visible = self._rows.select(when).to_series().to_numpy()
        self._latest = self._lookup(self._rows["pool_id"], visible)
        self._forecasts = forecasts
        if forecasts is not None:
            made = (forecasts["day"] - first).dt.total_days()
            spoken = self._rows.select("pool_id", "day", pl.Series("known", visible))
            own = forecasts.select("pool_id", "day").join(
                spoken, on=["pool_id", "day"], how="left", maintain_order="left"
            )
            # A forecast reads its pool's row of the day, so it cannot be known before that row.
            seen = pl.select(pl.max_horizontal(made, own["known"])).to_series().to_numpy()
            self._latest_forecast = self._lookup(forecasts["pool_id"], seen)

    def _lookup(self, pools: pl.Series, visible: Places) -> Places:
        """(days, pools): the last row, in the frame's order, that was visible on each day; NEVER if none."""
        market = self._market
        codes = pl.DataFrame({"pool_id": market.names, "code": np.arange(market.pools_count)})
        code = pools.to_frame("pool_id").join(codes, on="pool_id", how="left", maintain_order="left")["code"]
        row = np.arange(len(pools))
        use = code.is_not_null().to_numpy() & (visible < market.days_count)
        latest = np.full((market.days_count, market.pools_count), NEVER, dtype=np.int64)
        place = np.maximum(visible[use], 0), code.fill_null(0).to_numpy()[use]
        np.maximum.at(latest, place, row[use])
        return np.maximum.accumulate(latest, axis=0)

    def columns(self) -> dict[str, bool]:
        """Which columns a view has, and whether any value is in them."""
        found = {name: self._rows[name].is_not_null().any() for name in POOL_COLUMNS}
        for name in FORECAST_COLUMNS:
            if self._forecasts is not None and name in self._forecasts.columns:
                found[name] = self._forecasts[name].is_not_null().any()
        return found

    def pools(self, day: int) -> pl.DataFrame:
        """Rows of a view: pools seen within FRESH_DAYS, with the forecasts made by then."""
        today = self._market.days[day]
        oldest = today - timedelta(days=FRESH_DAYS)
        place = self._latest[day]
        latest: pl.DataFrame = self._rows[place[place != NEVER]]
        rows = latest.filter(pl.col("day") >= oldest).select(POOL_COLUMNS)
        if self._forecasts is None:
            return rows
        place = self._latest_forecast[day]
        made: pl.DataFrame = self._forecasts[place[place != NEVER]]
        fresh = made.filter(pl.col("day").is_between(oldest, today)).drop("day")
        return rows.join(fresh, on="pool_id", how="left", maintain_order="left")


def decide_by(
    strategy: Strategy, known: Known, market: Market, costs: Costs, swaps: Swaps | None = None
) -> Decide:
    """The strategy as the engine calls it. Raises BadData when it names a pool that is not there."""
    place = {name: code for code, name in enumerate(market.names)}

    def swap(left: str | None, entered: str | None, usd: float) -> float:
        if swaps is None:
            return 0.0
        out, into = (None if name is None else place[name] for name in (left, entered))
        return swaps.between(out, into, usd)

    def decide(day: int, holdings: Floats, cash: float) -> Floats:
        view = View(
            day=market.days[day],
            pools=known.pools(day),
            holdings={market.names[code]: float(holdings[code]) for code in np.flatnonzero(holdings)},
            cash_usd=cash,
            bps_per_side=costs.bps_per_side,
            gas_usd=costs.gas_usd,
            swap=swap,
        )
        return _as_array(strategy.weights(view), place, strategy.name, view.day)

    return decide


def _as_array(weights: Mapping[str, float], place: Mapping[str, int], name: str, day: date) -> Floats:
    strangers = sorted(set(weights) - set(place))
    if strangers:
        raise BadData(f"Strategy {name} wants unknown pools on {day}.", rows=strangers[:5])
    out = np.zeros(len(place))
    for pool, weight in weights.items():
        out[place[pool]] = weight
    return out
