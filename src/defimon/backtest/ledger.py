"""Every movement of money, written down as it happens."""

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from defimon.backtest.arrays import Floats, Places
from defimon.backtest.costs import Costs
from defimon.core.errors import Doubtful

KINDS = ("capital", "accrual", "withdraw", "deposit", "cost_bps", "gas", "swap")

CONSERVED_TO = 1e-9
"""Largest share of the money moved by which the books may differ from the balances."""

CAPITAL, ACCRUAL, WITHDRAW, DEPOSIT, COST_BPS, GAS, SWAP = range(len(KINDS))


@dataclass(slots=True)
class Ledger:
    """Double entry: each line says by how much the cash and one pool's balance changed, in USD.

    Kinds: capital (paid in), accrual (earned or lost inside a pool), withdraw (pool to cash), deposit (cash
    to pool), cost_bps and gas (from the cash, for a move of that pool; none where they are 0), swap (from the
    cash, what swapping for that pool lost against the mid price).
    """

    capital: float
    costs: Costs
    entries: list[tuple[int, int, Floats]] = field(default_factory=list)
    """Day, kind (ACCRUAL, WITHDRAW, DEPOSIT, SWAP) and USD by pool (n,); other costs follow from moves."""

    def write(self, day: int, kind: int, usd: Floats) -> None:
        """An accrual, a move or the swap cost of each pool by `usd` (n,), not below 0 for a move; the array
        is kept.
        """
        self.entries.append((day, kind, usd))

    def frame(self, days: list[date], names: list[str]) -> pl.DataFrame:
        """Columns day, kind, pool_id (null for capital), cash_usd, pool_usd: changes of the two balances.

        In the order of days; within a day accruals, withdrawals, deposits, each followed by its costs, swaps.
        """
        changes = self._changes(len(names))
        entry, pool = changes.nonzero()
        usd = changes[entry, pool]
        kind = self._kinds()[entry]
        move, swap = (kind == WITHDRAW) | (kind == DEPOSIT), kind == SWAP
        lines = [(entry, kind, pool, np.where(move | swap, -usd, 0.0), np.where(swap, 0.0, usd))]
        for cost, amount in (
            (COST_BPS, -self.costs.rate * np.abs(usd[move])),
            (GAS, np.full(int(move.sum()), -self.costs.gas_usd)),
        ):
            if amount.any():
                kinds, nothing = np.full(len(amount), cost), np.zeros(len(amount))
                lines.append((entry[move], kinds, pool[move], amount, nothing))
        entry, kind, pool, cash, usd = (np.concatenate(parts) for parts in zip(*lines, strict=True))
        order = np.lexsort((pool, kind, entry))
        day = np.array([entry[0] for entry in self.entries], dtype=np.int64)[entry[order]]
        frame = pl.DataFrame(
            {
                "day": pl.Series(days, dtype=pl.Date).gather(day),
                "kind": pl.Series(KINDS).gather(kind[order]),
                "pool_id": pl.Series(names, dtype=pl.String).gather(pool[order]),
                "cash_usd": cash[order],
                "pool_usd": usd[order],
            }
        )
        paid_in = {
            "day": days[0],
            "kind": KINDS[0],
            "pool_id": None,
            "cash_usd": self.capital,
            "pool_usd": 0.0,
        }
        return pl.concat([pl.DataFrame([paid_in], schema=frame.schema), frame])

    def _kinds(self) -> Places:
        return np.array([entry[1] for entry in self.entries], dtype=np.int64)

    def _changes(self, pools: int) -> Floats:
        """(entries, pools) change of each balance in USD; of a swap, what it cost."""
        if not self.entries:
            return np.zeros((0, pools))
        return np.stack([-usd if kind == WITHDRAW else usd for _, kind, usd in self.entries])

    def check(self, cash: float, holdings: Floats) -> float:
        """Largest difference in USD between the books and the balances.

        Raises Doubtful when it exceeds CONSERVED_TO of the money that was paid in or moved, or a balance is
        below 0.
        """
        changes, kinds = self._changes(len(holdings)), self._kinds()
        swaps = kinds == SWAP
        lost = 0.0
        if swaps.any():
            lost = float(changes[swaps].sum())
            changes, kinds = changes[~swaps], kinds[~swaps]
        total = changes.sum(axis=1)
        out, into = -float(total[kinds == WITHDRAW].sum()), float(total[kinds == DEPOSIT].sum())
        count = int(np.count_nonzero(changes[kinds != ACCRUAL]))
        paid = (out + into) * self.costs.rate + count * self.costs.gas_usd + lost
        apart = float(abs(self.capital + out - into - paid - cash))
        apart = max(apart, float(np.abs(changes.sum(axis=0) - holdings).max(initial=0.0)))
        allowed = CONSERVED_TO * max(self.capital, out, into)
        if not apart <= allowed or cash < 0 or (holdings < 0).any():
            raise Doubtful(
                f"The ledger differs from the balances by {apart:.3g} USD.",
                figure=apart,
                remedy="Do not use this result.",
            )
        return apart
