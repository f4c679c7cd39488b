"""What a deposit in each pool grows by from day to day, and what each pool allows."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from defimon.backtest.arrays import Flags, Floats, Places
from defimon.core.errors import BadData
from defimon.core.units import DAYS_PER_YEAR

STALE_DAYS = 7
"""Days without an observation over which the last known rate still accrues; afterwards nothing does."""

LARGEST_CORRECTION = 0.002
"""Largest step, as a natural logarithm, by which an index may correct the interest that the quoted rate gave
since the index last moved. Over the Aave v3 snapshots 99.9 % of corrections are smaller; what is larger comes
with an index that had not moved for weeks, or that recovers from an impossible fall."""

FALLING_INDEX = "falling_index"
"""Quality rule whose flag says that a fall of the index is a fault of the data, not a loss."""


@dataclass(frozen=True, slots=True)
class Accruals:
    """How the growth of pool-days was found: `index` (realised), `quoted` (apy / 365), `gap` (last known rate
    on a day without observation), `refused` (an index step too large to be true, quoted rate taken instead),
    `fallen` (an index that fell and was not flagged as a fault: a loss of principal).
    """

    index: int = 0
    quoted: int = 0
    gap: int = 0
    refused: int = 0
    fallen: int = 0


@dataclass(frozen=True, slots=True)
class Market:
    """Pools on consecutive days.

    `growth` (t - 1, n): what one USD in the pool at the end of day i is worth at the end of day i + 1.
    `may_deposit`, `may_withdraw` (t, n): observed that day and not frozen, not paused; None: always.
    `tvl` (t, n) in USD, NaN where unknown; None: unknown throughout.
    """

    days: list[date]
    names: list[str]
    growth: Floats
    may_deposit: Flags | None = None
    may_withdraw: Flags | None = None
    tvl: Floats | None = None
    accruals: Accruals = Accruals()

    @property
    def days_count(self) -> int:
        return len(self.days)

    @property
    def pools_count(self) -> int:
        return len(self.names)

    @classmethod
    def from_prices(cls, days: list[date], names: list[str], prices: Floats) -> "Market":
        """Market of assets with `prices` (t, n), all of which can always be traded.

        Raises BadData for a price that is not above 0.
        """
        if not (prices > 0).all():
            raise BadData("A price is missing or not above 0.", remedy="Leave the asset or the day out.")
        return cls(days, names, prices[1:] / prices[:-1])


def market_of(daily: pl.DataFrame, start: date, end: date) -> Market:
    """Market of a daily panel from `start` to `end`, both included; rows before `start` only set the index.

    Interest of a day is the quoted rate at its start, nominal and not compounded, over 365; a day without an
    observation accrues at the last known rate for STALE_DAYS. Where the pool has an index, each move of the
    index replaces what was accrued since its last move, so over time a deposit earns what the index says (an
    index that stands still means that nobody touched the pool, not that nothing was earned). Nothing looks
    ahead: the growth to a day uses observations up to that day.
    """
    if end <= start:
        raise BadData(f"{start} to {end} has no day to hold over.", remedy="Choose a later end.")
    first = min(daily.select(pl.col("day").min()).item(), start)
    days = [first + timedelta(days=i) for i in range((end - first).days + 1)]
    inside = daily.filter(pl.col("day") <= end)
    names = inside["pool_id"].unique().sort().to_list()
    grid = _Grid(inside, first, len(days), names)
    steps = _Growth(grid)
    offset = (start - first).days
    for day in range(len(days) - 1):
        steps.advance(day, counted=day >= offset)
    seen = grid.seen[offset:]
    status = grid.status[offset:]
    tvl = grid.of("tvl_usd")[offset:]
    return Market(
        days[offset:],
        names,
        steps.growth[offset:],
        may_deposit=seen & (status == 0),
        may_withdraw=seen & (status < 2),
        tvl=None if np.isnan(tvl).all() else _carried(tvl),
        accruals=Accruals(**steps.counts),
    )


def _carried(values: Floats) -> Floats:
    """Last known value of each column, NaN before the first."""
    place = np.where(np.isnan(values), 0, np.arange(len(values))[:, None])
    return np.take_along_axis(values, np.maximum.accumulate(place, axis=0), axis=0)


class _Grid:
    """Columns of a daily panel as arrays (days, pools)."""

    def __init__(self, daily: pl.DataFrame, first: date, days: int, names: list[str]) -> None:
        self.shape = (days, len(names))
        self._daily = daily
        codes = pl.DataFrame({"pool_id": names, "code": np.arange(len(names))})
        self._pool: Places = daily.join(codes, on="pool_id", how="left", maintain_order="left")[
            "code"
        ].to_numpy()
        self._day: Places = (daily["day"] - first).dt.total_days().to_numpy()
        self.seen = np.zeros(self.shape, dtype=np.bool_)
        self.seen[self._day, self._pool] = True
        status = daily["status"].replace_strict(
            {"active": 0, "frozen": 1, "paused": 2}, default=0, return_dtype=pl.Int64
        )
        self.status = np.zeros(self.shape, dtype=np.int64)
        self.status[self._day, self._pool] = status.to_numpy()
        self.faulty = np.zeros(self.shape, dtype=np.bool_)
        flagged = daily["flags"].fill_null("").str.split(",").list.contains(FALLING_INDEX)
        self.faulty[self._day, self._pool] = flagged.to_numpy()

    def of(self, column: str) -> Floats:
        """Values of a column, NaN where there is none."""
        out = np.full(self.shape, np.nan)
        out[self._day, self._pool] = self._daily[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        return out


class _Growth:
    """Growth of every pool, day after day, with the state that the past left."""

    def __init__(self, grid: _Grid) -> None:
        days, pools = grid.shape
        self.grid, self.growth = grid, np.ones((days - 1, pools))
        self.apy, self.index = grid.of("apy"), grid.of("index")
        self.index[self.index <= 0] = np.nan
        self.rate, self.last_index = np.zeros(pools), np.full(pools, np.nan)
        self.accrued = np.zeros(pools)
        self.unseen = np.full(pools, STALE_DAYS + 1)
        self.counts = dict.fromkeys(("index", "quoted", "gap", "refused", "fallen"), 0)

    def advance(self, day: int, *, counted: bool) -> None:
        """Fill the growth from `day` to the next."""
        seen = self.grid.seen[day]
        self.rate = np.where(seen, self.apy[day], self.rate)
        self.unseen = np.where(seen, 0, self.unseen + 1)
        if day == 0:
            self.last_index = self.index[0].copy()
        quoted = np.log1p(np.where(self.unseen <= STALE_DAYS, self.rate / DAYS_PER_YEAR, 0.0))
        after = self.index[day + 1]
        moved = ~np.isnan(after) & (after != self.last_index)
        known = moved & ~np.isnan(self.last_index)
        earned = np.log(np.where(known, after, 1.0)) - np.log(np.where(known, self.last_index, 1.0))
        step = earned - self.accrued
        fallen = known & (earned < 0)
        loss = fallen & ~self.grid.faulty[day + 1]
        near = known & ~fallen & (np.abs(step - quoted) <= LARGEST_CORRECTION)
        self.growth[day] = np.exp(np.where(near | loss, step, quoted))
        self.accrued = np.where(moved, 0.0, self.accrued + quoted)
        self.last_index = np.where(moved, after, self.last_index)
        if counted:
            gap = ~seen & (self.unseen <= STALE_DAYS)
            self.counts["index"] += int((near | loss).sum())
            self.counts["gap"] += int((gap & ~near & ~loss).sum())
            self.counts["quoted"] += int((seen & ~near & ~loss).sum())
            self.counts["refused"] += int((known & ~near & ~loss).sum())
            self.counts["fallen"] += int(loss.sum())
