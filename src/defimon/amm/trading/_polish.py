"""Moving base units between parallel trades while it gains, and exact splits of tiny amounts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

from defimon.amm.pools._base import Pool
from defimon.amm.pools._errors import LeavesState, Refused
from defimon.amm.trading._execution import Leg, Plan, Stage, whole
from defimon.amm.trading._market import Edge

QUOTES = 2_000
"""Quotes that polishing one route may ask for."""

COARSEST = 12
"""The first move between two trades is this power of two below the smaller of them: floats did the rest."""

NEIGHBOURS = 24
"""Moves of one to so many base units are all tried: there the steps of rounding decide."""

TINY = 256
"""Amounts up to so many base units are split over direct pools by trying everything."""

TINY_POOLS = 6
"""Pools that such a split looks at: those that pay most for the whole amount or for one base unit."""


@dataclass(slots=True)
class Scales:
    """Pools on which amounts are weighed against each other, with a count of the quotes still allowed."""

    pools: Mapping[str, Pool]
    left: int = QUOTES
    known: dict[tuple[Edge, int], int | None] = field(default_factory=dict)

    def paid(self, edge: Edge, amount: int) -> int | None:
        """What the pool pays for exactly `amount`; None where it does not trade it."""
        if amount == 0:
            return 0
        if (edge, amount) not in self.known:
            self.left -= 1
            self.known[edge, amount] = self._quoted(edge, amount)
        return self.known[edge, amount]

    def _quoted(self, edge: Edge, amount: int) -> int | None:
        if amount < 0:
            return None
        try:
            quote = self.pools[edge.pool].quote_exact_in(edge.sell, edge.buy, amount)
        except (Refused, LeavesState):
            return None
        return None if quote.partial or quote.amount_out < 1 else quote.amount_out


def polished(pools: Mapping[str, Pool], legs: Sequence[Leg], sell: str, buy: str) -> Plan:
    """A plan like the one that `legs` carried out, with amounts moved between trades of the same two tokens.

    Only pools that the route uses once are weighed: their answers do not depend on the others.
    """
    scales, uses = Scales(pools), Counter(leg.pool for leg in legs)
    groups: dict[tuple[str, str], dict[Edge, int]] = {}
    brought: Counter[str] = Counter()
    for leg in legs:
        amounts, edge = groups.setdefault((leg.sell, leg.buy), {}), Edge(leg.pool, leg.sell, leg.buy)
        amounts[edge] = amounts.get(edge, 0) + leg.amount_in
        if leg.sell == sell:
            brought[leg.buy] += leg.amount_out
    stages: dict[tuple[int, str], list[tuple[Edge, int]]] = {}
    for (one, other), amounts in groups.items():
        if len(amounts) > 1 and all(uses[edge.pool] == 1 for edge in amounts):
            _level(scales, amounts)
        hop = 1 if one == sell else 3 if other == buy else 2
        stages.setdefault((hop, one), []).extend((edge, part) for edge, part in amounts.items() if part)
    return [
        Stage(token, tuple(trades), hop, _kept(brought[token], trades) if hop == 2 else 0)
        for (hop, token), trades in sorted(stages.items(), key=lambda stage: stage[0])
    ]


def _kept(brought: int, trades: Sequence[tuple[Edge, int]]) -> int:
    return max(brought - sum(part for _, part in trades), 0)


def _level(scales: Scales, amounts: dict[Edge, int]) -> None:
    """Move between neighbours in size, and between the largest and the smallest, until nothing gains."""
    ordered = sorted(amounts, key=lambda edge: -amounts[edge])
    for one, other in (*pairwise(ordered), (ordered[-1], ordered[0])):
        step = max(min(amounts[one], amounts[other]) >> COARSEST, 1)
        while step > NEIGHBOURS and scales.left > 0:
            if not _move(scales, amounts, one, other, (step, -step)):
                step //= 4
        near = [sign * n for n in range(1, NEIGHBOURS + 1) for sign in (1, -1)]
        while scales.left > 0 and _move(scales, amounts, one, other, near):
            pass


def _move(scales: Scales, amounts: dict[Edge, int], one: Edge, other: Edge, deltas: Sequence[int]) -> bool:
    """Make the best of the moves from `other` to `one` if it gains."""

    def total(delta: int) -> int:
        parts = scales.paid(one, amounts[one] + delta), scales.paid(other, amounts[other] - delta)
        return -1 if parts[0] is None or parts[1] is None else parts[0] + parts[1]

    best = max(deltas, key=total)
    if total(best) <= total(0):
        return False
    amounts[one] += best
    amounts[other] -= best
    return True


def tiny_split(
    pools: Mapping[str, Pool], edges: Sequence[Edge], amount: int, gas_price: Fraction
) -> Plan | None:
    """Best split of a tiny amount over direct pools net of gas, by trying every one; None if none takes it.

    Exact over the pools it looks at, where rounding to base units makes the continuous optimum useless.
    """
    scales = Scales(pools)
    ends = [
        set(sorted(edges, key=lambda edge: -(scales.paid(edge, part) or 0))[: TINY_POOLS // 2])
        for part in (amount, max(amount // 2, 1))
    ]
    looked = [edge for edge in edges if edge in ends[0] | ends[1]]
    best: list[tuple[Fraction, tuple[int, ...]] | None] = [(Fraction(0), ())] + [None] * amount
    for edge in looked:
        nets = [_net(pools, edge, part, gas_price) for part in range(amount + 1)]
        best = [_joined(best, nets, total) for total in range(amount + 1)]
    found = best[amount]
    if found is None:
        return None
    parts = found[1]
    trades = tuple((edge, part) for edge, part in zip(looked, parts, strict=True) if part)
    return [Stage(looked[0].sell, trades, 1)]


def _joined(
    before: list[tuple[Fraction, tuple[int, ...]] | None], nets: list[Fraction | None], total: int
) -> tuple[Fraction, tuple[int, ...]] | None:
    """The best way to sell `total` when the last pool takes a part of it."""
    ways = [
        (so_far[0] + net, (*so_far[1], part))
        for part, net in enumerate(nets[: total + 1])
        if net is not None and (so_far := before[total - part]) is not None
    ]
    return max(ways, default=None)


def _net(pools: Mapping[str, Pool], edge: Edge, part: int, gas_price: Fraction) -> Fraction | None:
    if part == 0:
        return Fraction(0)
    quote = whole(pools[edge.pool], edge.sell, edge.buy, part)
    return None if quote is None else quote.amount_out - quote.pool.gas(quote) * gas_price
