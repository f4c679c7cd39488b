"""Clearing restricted to what a route can do: few hops, no cycles, each pool once."""

from collections import defaultdict

import numpy as np

from defimon.amm.trading._clearing import Clearing, Shut, clear
from defimon.amm.trading._market import Edge, Market
from defimon.amm.trading._ranges import Floats

ROUNDS = 12
"""Rounds of shutting trades; one is usual, since fees make detours rare."""

UNIT = 1 << 60
"""Weights are shares with 60 binary places."""

TRACE = 1e-12
"""A trade that sells less of its token than this share of what arrives there is rounding."""


def clear_simple(market: Market, amount: float, shut: Shut, start: Floats | None = None) -> Clearing | None:
    """As `clear`, with every path at most three hops long and simple, and each pool in one trade only.

    An inner token that trades with inner tokens both reach and leave would make a path of four hops or a
    cycle: the weaker side is shut. A pool with more than two tokens may be asked for two trades whose
    curves depend on each other: the weaker is shut. Both cost little where prices agree between pools,
    and nothing where no such case turns up.
    """
    found = clear(market, amount, shut, start)
    for _ in range(ROUNDS):
        if found is None:
            return None
        more = _detours(found) | _repeated(found)
        if not (more & ~shut).any():
            return found
        shut = shut | more
        found = clear(market, amount, shut, found.prices)
    return found


def plan_of(clearing: Clearing) -> dict[str, list[tuple[Edge, int]]]:
    """For each token sold: its trades, weighted by the share of what arrives that each takes.

    Tokens stand in the order in which a route trades them. Trades into a token that nobody sells on, which
    only rounding leaves, are not there.
    """
    market, sold = clearing.market, clearing.response.sold.copy()
    last = len(market.tokens) - 1
    for _ in range(3):
        total = np.bincount(market.sells, sold, last + 1)
        arrives = np.bincount(market.buys, np.where(sold > 0, 1.0, 0.0), last + 1)
        idle = (total <= 0) & (np.arange(last + 1) != last)
        orphan = (arrives <= 0) & (np.arange(last + 1) != 0)
        sold[idle[market.buys] | orphan[market.sells] | (sold < TRACE * total[market.sells])] = 0.0
    inner = (market.sells != 0) & (market.buys != last) & (sold > 0)
    leads = set(market.sells[inner].tolist())
    plan: dict[int, list[tuple[Edge, int]]] = defaultdict(list)
    total = np.bincount(market.sells, sold, last + 1)
    for place in np.flatnonzero(sold > 0).tolist():
        token = int(market.sells[place])
        weight = max(int(sold[place] / total[token] * UNIT), 1)
        plan[token].append((market.edges[place], weight))
    order = sorted(plan, key=lambda token: (token != 0, token not in leads, token))
    return {market.tokens[token]: plan[token] for token in order}


def _detours(clearing: Clearing) -> Shut:
    """Trades between inner tokens that make paths too long, by the role that each such token plays more."""
    market, flow = clearing.market, clearing.response.sold * clearing.prices[clearing.market.sells]
    count = len(market.tokens)
    inner = (market.sells != 0) & (market.buys != count - 1)
    comes = np.bincount(market.buys, np.where(inner, flow, 0.0), count)
    goes = np.bincount(market.sells, np.where(inner, flow, 0.0), count)
    both = (comes > 0) & (goes > 0)
    first, second = both & (goes > comes), both & (goes <= comes)
    wrong: Shut = inner & (first[market.buys] | second[market.sells]) & ~clearing.shut
    return wrong


def _repeated(clearing: Clearing) -> Shut:
    surplus, taken = clearing.surplus, np.zeros(len(clearing.market.edges), dtype=bool)
    strongest: dict[str, int] = {}
    for place in np.flatnonzero(clearing.response.sold > 0).tolist():
        pool = clearing.market.edges[place].pool
        rival = strongest.setdefault(pool, place)
        if rival != place:
            weaker = place if surplus[place] < surplus[rival] else rival
            taken[weaker] = True
            strongest[pool] = rival if weaker == place else place
    return taken
