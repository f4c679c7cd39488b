"""The directed trades that a route may use, and their curves side by side in arrays."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from defimon.amm.pools._base import Pool
from defimon.amm.trading._ranges import Floats, ranges_of

Places = NDArray[np.intp]


SPAN = 1_000.0
"""More than logarithms of square-root prices differ: uint256 amounts keep them within 90 of zero."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Selling one token for another in one pool."""

    pool: str
    sell: str
    buy: str


def edges_between(pools: Mapping[str, Pool], sell: str, buy: str, hops: int) -> list[Edge]:
    """Every trade that lies on a simple path from `sell` to `buy` of at most `hops` (1 to 3) trades."""
    every = [
        Edge(name, one, other)
        for name, pool in pools.items()
        for one, other in permutations(pool.tokens, 2)
        if one != buy and other != sell
    ]
    first = {edge.buy for edge in every if edge.sell == sell}
    last = {edge.sell for edge in every if edge.buy == buy}
    middle = {
        (edge.sell, edge.buy)
        for edge in every
        if hops > 2 and edge.sell in first and edge.buy in last and edge.sell != sell and edge.buy != buy
    }
    between = first & last if hops > 1 else set()
    entry, leave = between | {one for one, _ in middle}, between | {other for _, other in middle}

    def lies(edge: Edge) -> bool:
        if edge.sell == sell:
            return edge.buy == buy or edge.buy in entry
        if edge.buy == buy:
            return edge.sell in leave
        return (edge.sell, edge.buy) in middle

    return [edge for edge in every if lies(edge)]


@dataclass(frozen=True, slots=True)
class Response:
    """What each trade does at given prices: sold, bought, and the fall of `sold` with the price asked."""

    sold: Floats
    bought: Floats
    give: Floats


@dataclass(frozen=True, slots=True)
class Market:
    """Trades with their curves; tokens are places, the sold token first, the bought token last.

    A token that inner tokens both sell and buy may stand at two places, with a price each: what the first
    hop brought, and what only the last hop may sell. `again` is the second place of each token, or the
    first where it has one only.
    """

    edges: tuple[Edge, ...]
    tokens: tuple[str, ...]
    sells: Places
    buys: Places
    a: Floats
    high: Floats
    low: Floats
    owner: Places
    sold: Floats
    bought: Floats
    key: Floats
    """Of each range: the trade it belongs to, sold and bought before it, and a key that sorts all ranges."""

    spot: Floats
    """Marginal price of each trade's first base unit, fee included; 0 where nothing can be traded."""

    again: Places

    @classmethod
    def of(cls, pools: Mapping[str, Pool], edges: list[Edge], sell: str, buy: str) -> "Market":
        middle = [edge for edge in edges if edge.sell != sell and edge.buy != buy]
        twice = sorted({edge.sell for edge in middle} & {edge.buy for edge in middle})
        inner = sorted({token for edge in edges for token in (edge.sell, edge.buy)} - {sell, buy})
        tokens = (sell, *inner, *twice, buy)
        place = {token: n for n, token in enumerate(tokens[: 1 + len(inner)])} | {buy: len(tokens) - 1}
        second = {token: n for n, token in enumerate(twice, 1 + len(inner))}
        curves = [ranges_of(pools[edge.pool], edge.sell, edge.buy) for edge in edges]
        owner = np.repeat(np.arange(len(curves)), [curve.a.size for curve in curves])
        high = _joined(curve.high for curve in curves)
        return cls(
            tuple(edges),
            tokens,
            np.array([place[edge.sell] for edge in edges], dtype=np.intp),
            np.array([place[edge.buy] for edge in edges], dtype=np.intp),
            _joined(curve.a for curve in curves),
            high,
            _joined(curve.low for curve in curves),
            owner,
            _joined(_before(curve.a * (1 / curve.low - 1 / curve.high)) for curve in curves),
            _joined(_before(curve.a * (curve.high - curve.low)) for curve in curves),
            (owner * SPAN - np.log(high)).astype(np.float64),
            np.array([float(curve.high[0] ** 2) if curve.high.size else 0.0 for curve in curves]),
            np.array([second.get(token, n) for n, token in enumerate(tokens)], dtype=np.intp),
        )

    @property
    def hops(self) -> Places:
        """1 for trades of the token sold, 2 for trades between inner tokens, 3 for what ends a chain."""
        last = len(self.tokens) - 1
        hops: Places = np.where(self.sells == 0, 1, np.where(self.buys == last, 3, 2)).astype(np.intp)
        return hops

    def divided(self, apart: NDArray[np.bool_]) -> "Market":
        """The market with two prices for the tokens at the places `apart`."""
        hops, there = self.hops, np.where(apart, self.again, np.arange(len(self.tokens)))
        return replace(
            self,
            sells=np.where(hops == 3, there[self.sells], self.sells),
            buys=np.where(hops == 2, there[self.buys], self.buys),
        )

    def respond(self, prices: Floats, shut: NDArray[np.bool_]) -> Response:
        """Each trade's best answer to token prices in units of the bought token; none where `shut`."""
        count = len(self.edges)
        if not self.owner.size:
            return Response(np.zeros(count), np.zeros(count), np.zeros(count))
        root = np.sqrt(prices[self.sells] / prices[self.buys])
        place = np.searchsorted(self.key, np.arange(count) * SPAN - np.log(root)) - 1
        trades = (place >= 0) & (self.owner[place] == np.arange(count)) & ~shut
        a, high, low = self.a[place], self.high[place], self.low[place]
        reached = np.clip(root, low, high)
        inside = trades & (root > low) & (root < high)
        return Response(
            np.where(trades, self.sold[place] + a * (1 / reached - 1 / high), 0.0),
            np.where(trades, self.bought[place] + a * (high - reached), 0.0),
            np.where(inside, a / (2 * reached**3), 0.0),
        )


def _before(amounts: Floats) -> Floats:
    """Sum of the amounts before each."""
    sums: Floats = np.concatenate([np.zeros(1), np.cumsum(amounts)])[:-1]
    return sums


def _joined(parts: Iterable[Floats]) -> Floats:
    return np.concatenate([np.zeros(0), *parts])
