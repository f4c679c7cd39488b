"""The best route that uses one pool a hop and splits nothing."""

from collections.abc import Mapping
from fractions import Fraction

from defimon.amm.pools._base import Pool
from defimon.amm.trading._execution import Leg, gas_of, whole
from defimon.amm.trading._market import Edge

Legs = tuple[Leg, ...]


def best_single(
    pools: Mapping[str, Pool], edges: list[Edge], sell: str, buy: str, amount: int, gas_price: Fraction
) -> Legs | None:
    """The single pool or chain of pools that pays most net of gas; None when none takes the amount.

    Every direct pool is compared exactly. Of the chains, the one that brings most to each inner token is
    followed, which is the best when outputs rise with inputs and gas is nothing; with gas, its net is
    exact but another chain of cheaper trades may be better.
    """
    by_sell: dict[str, list[Edge]] = {}
    for edge in edges:
        by_sell.setdefault(edge.sell, []).append(edge)
    ends: list[Legs] = []
    fronts: dict[str, Legs] = {sell: ()}
    while fronts:
        beyond: dict[str, Legs] = {}
        for token, legs in fronts.items():
            for edge in by_sell.get(token, ()):
                longer = _extended(pools, legs, edge, amount)
                if longer is None:
                    continue
                if edge.buy == buy:
                    ends.append(longer)
                elif len(longer) < 3 and _better(longer, beyond.get(edge.buy)):
                    beyond[edge.buy] = longer
        fronts = beyond
    return max(ends, key=lambda legs: legs[-1].amount_out - gas_of(legs, gas_price), default=None)


def _extended(pools: Mapping[str, Pool], legs: Legs, edge: Edge, amount: int) -> Legs | None:
    """The chain with one more trade, or None when it would meet a token or pool again or is refused."""
    if any(leg.pool == edge.pool or leg.sell == edge.buy for leg in legs):
        return None
    quote = whole(pools[edge.pool], edge.sell, edge.buy, legs[-1].amount_out if legs else amount)
    return None if quote is None else (*legs, Leg(edge.pool, quote))


def _better(legs: Legs, than: Legs | None) -> bool:
    return than is None or legs[-1].amount_out > than[-1].amount_out
