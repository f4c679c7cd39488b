"""Every movement of money, written down as it happens."""

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from defimon.backtest.orders import Floats, Places
from defimon.core.errors import Doubtful

KINDS = ("capital", "accrual", "withdraw", "deposit", "cost_bps", "gas")

CONSERVED_TO = 1e-9
"""Largest share of the money moved by which the books may differ from the balances."""


@dataclass(slots=True)
class Ledger:
    """Double entry: each line says by how much the cash and one pool's balance changed, in USD.

    Kinds: capital (paid in), accrual (earned or lost inside a pool), withdraw (pool to cash), deposit (cash
    to pool), cost_bps and gas (from the cash, for a move of that pool).
    """

    lines: list[tuple[int, int, Places, Floats, Floats]] = field(default_factory=list)

    def write(self, day: int, kind: str, pools: Places, *, cash: Floats, pool: Floats) -> None:
        """Lines of one day and kind, one a pool; `pools` are indices, -1 for none."""
        self.lines.append((day, KINDS.index(kind), pools, cash, pool))

    def frame(self, days: list[date], names: list[str]) -> pl.DataFrame:
        """Columns day, kind, pool_id (null for capital), cash_usd, pool_usd: changes of the two balances."""
        if not self.lines:
            return pl.DataFrame(
                schema={
                    "day": pl.Date,
                    "kind": pl.String,
                    "pool_id": pl.String,
                    "cash_usd": pl.Float64,
                    "pool_usd": pl.Float64,
                }
            )
        sizes = [len(line[2]) for line in self.lines]
        day = np.repeat([line[0] for line in self.lines], sizes)
        kind = np.repeat([line[1] for line in self.lines], sizes)
        pool = np.concatenate([line[2] for line in self.lines])
        place = pl.Series(pool).replace(-1, None)
        return pl.DataFrame(
            {
                "day": pl.Series(days, dtype=pl.Date).gather(day),
                "kind": pl.Series(KINDS).gather(kind),
                "pool_id": pl.Series(names, dtype=pl.String).gather(place.cast(pl.UInt32)),
                "cash_usd": np.concatenate([line[3] for line in self.lines]),
                "pool_usd": np.concatenate([line[4] for line in self.lines]),
            }
        )

    def check(self, cash: float, holdings: Floats) -> float:
        """Largest difference in USD between the books and the balances.

        Raises Doubtful when it exceeds CONSERVED_TO of the money that was ever paid in or moved.
        """
        booked_cash, moved = 0.0, 1.0
        booked = np.zeros(len(holdings))
        for _, _, pools, cash_change, pool_change in self.lines:
            booked_cash += float(cash_change.sum())
            moved = max(moved, float(np.abs(cash_change).sum()))
            inside = pools >= 0
            np.add.at(booked, pools[inside], pool_change[inside])
        apart = abs(booked_cash - cash)
        if len(holdings):
            apart = max(apart, float(np.abs(booked - holdings).max()))
        if apart > CONSERVED_TO * moved or cash < 0 or (holdings < 0).any():
            raise Doubtful(
                f"The ledger differs from the balances by {apart:.3g} USD.",
                figure=apart,
                remedy="Do not use this result.",
            )
        return apart
