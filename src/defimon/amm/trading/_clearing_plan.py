"""Clearing with three hops, each pool in one trade, and the plan that carries it out."""

from collections import defaultdict

import numpy as np

from defimon.amm.trading._clearing import Clearing, Shut, clear
from defimon.amm.trading._execution import Stage
from defimon.amm.trading._market import Market
from defimon.amm.trading._ranges import Floats

ROUNDS = 12
"""Rounds of shutting trades at most."""

UNIT = 1 << 60
"""Weights are shares with 60 binary places."""

LEEWAY = 1e-6
"""Relative excess over what the first hop brought that is taken for rounding."""

TRACE = 1e-12
"""A trade that sells less of its token than this share of what arrives there is rounding."""


def clear_plainly(market: Market, amount: float, shut: Shut, start: Floats | None = None) -> Clearing | None:
    """As `clear`, with chains of at most three hops and each pool in one trade only.

    An inner token may sell to inner tokens no more than the first hop brought of it: where it would, it
    gets two prices, one for what the first hop brought, and a lower one for the rest. Where the first
    price comes out lower, the token has one price after all. A pool with more than two tokens may be asked
    for two trades, whose curves depend on each other: the weaker is shut, which costs a little where it
    happens.
    """
    apart = np.zeros(len(market.tokens), dtype=bool)
    found = clear(market, amount, shut, start)
    for _ in range(ROUNDS):
        if found is None:
            return None
        more, divided = _repeated(found), _divided(market, found, apart)
        if not more.any() and bool(np.all(divided == apart)):
            return found
        prices = found.prices.copy()
        prices[market.again[divided & ~apart]] = prices[divided & ~apart]
        shut, apart = found.shut | more, divided
        found = clear(market.divided(apart), amount, shut, prices)
    return found


def _divided(market: Market, found: Clearing, apart: Shut) -> Shut:
    """Places of the tokens that need two prices."""
    count, response = len(market.tokens), found.response
    hops = market.hops
    brought = np.bincount(market.buys, np.where(hops == 1, response.bought, 0.0), count)
    goes = np.bincount(market.sells, np.where(hops == 2, response.sold, 0.0), count)
    lower = found.prices < found.prices[market.again]
    over: Shut = np.where(apart, ~lower, goes > brought * (1 + LEEWAY)) & (market.again != np.arange(count))
    return over


def plan_of(clearing: Clearing) -> list[Stage]:
    """Stages of the clearing: the token sold, then trades between inner tokens, then the last hops."""
    market, sold = clearing.market, _without_traces(clearing)
    names = [edge.sell for edge in market.edges]
    brought: dict[str, float] = defaultdict(float)
    groups: dict[tuple[int, str], list[int]] = defaultdict(list)
    for place in np.flatnonzero(sold > 0).tolist():
        hop = int(market.hops[place])
        groups[hop, names[place]].append(place)
        if hop == 1:
            brought[market.edges[place].buy] += float(clearing.response.bought[place])
    stages = []
    for (hop, token), places in sorted(groups.items()):
        total = float(sold[places].sum())
        ends = (3, token) in groups
        base = max(total, brought[token]) if hop == 2 and ends else total
        trades = tuple((market.edges[place], max(int(sold[place] / base * UNIT), 1)) for place in places)
        stages.append(Stage(token, trades, hop, int((base - total) / base * UNIT)))
    return stages


def _without_traces(clearing: Clearing) -> Floats:
    """What each trade sells, without traces, and without trades into tokens that are not sold on."""
    market, sold = clearing.market, clearing.response.sold.copy()
    last = len(market.tokens) - 1
    places = np.arange(last + 1)
    for _ in range(3):
        total = np.bincount(market.sells, sold, last + 1)
        arrives = np.bincount(market.buys, np.where(sold > 0, 1.0, 0.0), last + 1)
        idle, orphan = (total <= 0) & (places != last), (arrives <= 0) & (places != 0)
        sold[idle[market.buys] | orphan[market.sells] | (sold < TRACE * total[market.sells])] = 0.0
    return sold


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
