"""Best way to sell one amount over many pools: split, chains of up to three hops, gas counted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from defimon.amm.pools._base import Pool
from defimon.amm.pools._errors import LeavesState, Refused
from defimon.amm.trading._clearing import Clearing
from defimon.amm.trading._clearing_plan import plan_of
from defimon.amm.trading._execution import Leg, Plan, execute, gas_of, whole
from defimon.amm.trading._market import Edge, Market, edges_between
from defimon.amm.trading._polish import TINY, polished, tiny_split
from defimon.amm.trading._ranges import Floats
from defimon.amm.trading._single import best_single
from defimon.amm.trading._worthwhile import worthwhile
from defimon.core.errors import BadData

MOST_HOPS = 3


@dataclass(frozen=True, slots=True)
class Route:
    """Trades that turn `amount` of `sell` into `buy`, in the order in which they are to be executed.

    Each leg's quote was made on the state that the legs before it leave. The legs that sell `sell` sum to
    `amount`, and every token bought on the way is sold on to the last base unit. `gas_price` is in units of
    the bought token per unit of gas. `single` is the best that one pool, or one chain of pools, does with
    the same amount, net of gas.
    """

    sell: str
    buy: str
    amount: int
    legs: tuple[Leg, ...]
    gas_price: Fraction
    single: tuple[Leg, ...]

    @property
    def amount_out(self) -> int:
        """Base units of `buy` that the legs pay together."""
        return sum(leg.amount_out for leg in self.legs if leg.buy == self.buy)

    @property
    def gas(self) -> int:
        """Gas units of all legs."""
        return sum(leg.gas for leg in self.legs)

    @property
    def net_out(self) -> Fraction:
        """Base units of `buy` less the cost of gas."""
        return self.amount_out - gas_of(self.legs, self.gas_price)

    @property
    def single_out(self) -> int:
        """Base units of `buy` that the best single pool or chain pays; 0 when none takes the amount."""
        return self.single[-1].amount_out if self.single else 0

    @property
    def single_net_out(self) -> Fraction:
        """The same, less the cost of gas."""
        return self.single_out - gas_of(self.single, self.gas_price)

    @property
    def average_price(self) -> Fraction:
        """Base units bought per base unit sold, fees included, gas not."""
        return Fraction(self.amount_out, self.amount)

    @property
    def price_impact(self) -> Fraction:
        """Share by which the best marginal price over the route's chains falls, before fees."""
        before: dict[tuple[str, str, str], Fraction] = {}
        after = {}
        for leg in self.legs:
            key = (leg.pool, leg.sell, leg.buy)
            before.setdefault(key, leg.quote.price_before)
            after[key] = leg.quote.price_after
        return 1 - self._marginal(after) / self._marginal(before)

    def _marginal(self, prices: Mapping[tuple[str, str, str], Fraction]) -> Fraction:
        """Best product of prices along the route's chains."""
        worth = {self.buy: Fraction(1)}
        for _ in range(MOST_HOPS):
            reached = dict(worth)
            for (_, sell, buy), price in prices.items():
                if buy in worth:
                    reached[sell] = max(reached.get(sell, Fraction(0)), price * worth[buy])
            worth = reached
        return worth[self.sell]


def best_route(
    pools: Mapping[str, Pool],
    sell: str,
    buy: str,
    amount: int,
    *,
    hops: int = MOST_HOPS,
    gas_price: Fraction | int = 0,
) -> Route:
    """The split of `amount` over `pools` that pays most net of gas.

    `pools` are named by the caller; the same state under two names is two pools. `hops` is the longest
    chain, 1 to 3. A continuous optimum over all pools becomes integers that are quoted exactly and then
    polished; the result is never worse than the best single pool or chain found, in exact integers. Chains
    are simple: no token twice, so no gain rests on a cycle between pools.

    Raises BadData for an amount below 1, hops out of range, a negative gas price or twice the same token,
    and Refused when no chain joins the tokens or the pools together do not take the amount. A partly
    recorded state is used as far as it reaches.
    """
    _check(sell, buy, amount, hops, gas_price)
    price = Fraction(gas_price)
    edges = edges_between(pools, sell, buy, hops)
    if not edges:
        raise Refused(
            f"No chain of up to {hops} pools leads from {sell} to {buy}.", remedy="Add pools or hops."
        )
    single = best_single(pools, edges, sell, buy, amount, price) or ()
    candidates = [single, *_splits(pools, edges, sell, buy, amount, price)]
    made = [legs for legs in candidates if legs]
    if not made:
        raise Refused(
            f"The pools together do not take {amount} of {sell}, or pay nothing for it.",
            remedy="Sell another amount.",
        )
    best = max(made, key=lambda legs: _net(legs, buy, price))
    return Route(sell, buy, amount, best, price, single)


def _splits(
    pools: Mapping[str, Pool], edges: list[Edge], sell: str, buy: str, amount: int, price: Fraction
) -> Iterable[tuple[Leg, ...]]:
    """Legs of the continuous optimum, before and after polishing, and of every split of a tiny amount."""
    market = Market.of(pools, edges, sell, buy)
    found = _optimum(pools, market, float(amount), price)
    plans: list[Plan | None] = [] if found is None else [plan_of(found)]
    if amount <= TINY:
        direct = [edge for edge in edges if (edge.sell, edge.buy) == (sell, buy)]
        plans.append(tiny_split(pools, direct, amount, price) if direct else None)
    for plan in plans:
        legs = execute(pools, plan, sell, buy, amount) if plan else None
        if legs:
            yield legs
            better = execute(pools, polished(pools, legs, sell, buy), sell, buy, amount)
            if better:
                yield better


def _optimum(pools: Mapping[str, Pool], market: Market, amount: float, price: Fraction) -> Clearing | None:
    cost, known = float(price), {}

    def gas_of_trades(found: Clearing) -> Floats:
        gas = np.zeros(len(market.edges))
        for place in np.flatnonzero(found.response.sold > 0).tolist() if cost else ():
            if place not in known:
                edge, sold = market.edges[place], int(found.response.sold[place])
                quote = whole(pools[edge.pool], edge.sell, edge.buy, max(sold, 1))
                known[place] = quote.pool.gas(quote) * cost if quote else 0.0
            gas[place] = known[place]
        return gas

    try:
        return worthwhile(market, amount, gas_of_trades)
    except (Refused, LeavesState):
        return None


def _net(legs: tuple[Leg, ...], buy: str, price: Fraction) -> Fraction:
    return sum(leg.amount_out for leg in legs if leg.buy == buy) - gas_of(legs, price)


def _check(sell: str, buy: str, amount: int, hops: int, gas_price: Fraction | int) -> None:
    if amount < 1:
        raise BadData(f"amount is {amount}.", remedy="Sell one base unit or more.")
    if not 1 <= hops <= MOST_HOPS:
        raise BadData(f"hops is {hops}.", remedy=f"It must be from 1 to {MOST_HOPS}.")
    if gas_price < 0:
        raise BadData(f"gas_price is {gas_price}.", remedy="It must not be negative.")
    if sell == buy:
        raise BadData(f"Sell and buy are both {sell!r}.", remedy="Name two tokens.")
