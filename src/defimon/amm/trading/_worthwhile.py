"""Which trades are worth their gas."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from defimon.amm.trading._clearing import Clearing, Shut
from defimon.amm.trading._clearing_plan import clear_plainly
from defimon.amm.trading._market import Market
from defimon.amm.trading._ranges import Floats

SOLVES = 200
"""Clearings at most: enough to try every subset of seven doubtful trades."""

FEW = 7
"""Up to so many doubtful trades are searched exactly; of more, the worst quarter goes at once."""

GasOf = Callable[[Clearing], Floats]
"""Cost of each trade's gas in the bought token, were it done as in the clearing."""


@dataclass(slots=True)
class Search:
    """Branch and bound over the trades to leave out.

    The dual bounds what leaving out costs: without a set of trades the total falls by at least the sum of
    their surpluses at the prices found with them. A trade whose surplus exceeds its gas therefore stays,
    and a branch can gain no more than the sum over its trades of the smaller of surplus and gas.
    """

    market: Market
    amount: float
    gas_of: GasOf
    best: Clearing | None = None
    net: float = -np.inf
    left: int = field(default=SOLVES)

    def visit(self, shut: Shut, kept: Shut, start: Floats | None = None) -> None:
        if self.left < 1:
            return
        self.left -= 1
        found = clear_plainly(self.market, self.amount, shut, start)
        if found is None:
            return
        gas = np.where(found.response.sold > 0, self.gas_of(found), 0.0)
        surplus, net = found.surplus, found.value - float(gas.sum())
        if net > self.net:
            self.best, self.net = found, net
        doubtful = np.flatnonzero((gas > surplus) & ~kept)
        bound = found.value - float(np.where(kept, gas, np.minimum(gas, surplus)).sum())
        if not doubtful.size or bound <= self.net:
            return
        doubtful = doubtful[np.argsort(surplus[doubtful] - gas[doubtful])]
        if doubtful.size > FEW:
            self.visit(_with(found.shut, doubtful[: doubtful.size // 4]), kept, found.prices)
            return
        self.visit(_with(found.shut, doubtful[:1]), kept, found.prices)
        self.visit(found.shut, _with(kept, doubtful[:1]), found.prices)


def _with(flags: Shut, places: np.ndarray) -> Shut:
    more = flags.copy()
    more[places] = True
    return more


def worthwhile(market: Market, amount: float, gas_of: GasOf) -> Clearing | None:
    """The clearing whose total less gas is highest; None when no path is open.

    Exact (as far as floats and the estimate of gas go) while at most seven trades are doubtful at once and
    the number of clearings suffices; beyond, trades leave in quarters, worst first.
    """
    search = Search(market, amount, gas_of)
    none = np.zeros(len(market.edges), dtype=bool)
    search.visit(none, none)
    return search.best
