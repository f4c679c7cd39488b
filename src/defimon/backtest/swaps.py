"""Swaps between the cash and what pools hold: which pools need one, and what their moves of a day cost."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from defimon.backtest.arrays import Floats, Places
from defimon.backtest.swap_curve import SwapCurve, swap_curve
from defimon.backtest.swap_path import SwapPath
from defimon.core.errors import FixSettings

NO_SWAP = -1
"""Place of the route of a pool that takes the cash token itself."""

MOST_SLIPPAGE = 0.05
"""Share that a swap may lose unless told otherwise. A choice: orders are cut where a person would stop."""


@dataclass(frozen=True, slots=True)
class Route:
    """Costs of swapping between the cash token and one asset, by size, both ways."""

    into: SwapCurve
    out: SwapCurve

    @classmethod
    def of(cls, path: SwapPath, most_slippage: float = MOST_SLIPPAGE) -> "Route":
        """Raises FixSettings for a slippage outside 0 to 1, BadData when the path cannot do a small swap."""
        if not 0 < most_slippage < 1:
            raise FixSettings(
                f"most_slippage is {most_slippage}.",
                variable="most_slippage",
                remedy="Choose a share above 0 and below 1: 0.05 is 5 %.",
            )
        return cls(
            swap_curve(path, into=True, most_slippage=most_slippage),
            swap_curve(path, into=False, most_slippage=most_slippage),
        )

    def cost(self, net: float) -> float:
        """USD lost by a swap of `net` USD into the asset, or out of it where negative; 0 for none."""
        return self.into.at(net) if net > 0 else self.out.at(-net)


class Swaps:
    """Which pools need a swap, and along which route.

    Moves of one day through one route are netted before they are swapped: money that goes from one pool of
    an asset to another pool of the same asset is not sold and bought back. Routes do not see each other's
    trades, and each day begins on the same state.
    """

    def __init__(self, routes: Sequence[Route], route_of: Places) -> None:
        """`route_of` (n,): place of each pool's route, NO_SWAP for a pool of the cash token."""
        self.routes, self.route_of = tuple(routes), route_of
        self._through = np.flatnonzero(route_of != NO_SWAP)
        self._route = route_of[self._through]
        self.most_in = np.array([route.into.most for route in self.routes])
        self.most_out = np.array([route.out.most for route in self.routes])

    def by_route(self, usd: Floats) -> Floats:
        """(routes,) sums of USD by pool (n,)."""
        sums: Floats = np.bincount(self._route, usd[self._through], minlength=len(self.routes)).astype(float)
        return sums

    def by_pool(self, factor: Floats) -> Floats:
        """(n,) the factor of each pool's route, 1 for a pool without one."""
        out = np.ones(len(self.route_of))
        out[self._through] = factor[self._route]
        return out

    def costs(self, net: Floats) -> Floats:
        """(routes,) USD lost by swapping `net` (routes,) USD into each asset, out of it where negative."""
        out = np.zeros(len(self.routes))
        for place in net.nonzero()[0]:
            out[place] = self.routes[place].cost(float(net[place]))
        return out

    def between(self, left: int | None, entered: int | None, usd: float) -> float:
        """USD lost on the way of `usd` from one pool to another, None for cash; 0 within an asset.

        What exceeds the means of a route is reckoned at the share lost by the most that it can take.
        """
        out, into = (NO_SWAP if place is None else int(self.route_of[place]) for place in (left, entered))
        if out == into:
            return 0.0
        curves = [self.routes[out].out] if out != NO_SWAP else []
        curves += [self.routes[into].into] if into != NO_SWAP else []
        return sum(curve.at(usd) * max(1.0, usd / curve.most) for curve in curves)

    def shared(self, withdraw: Floats, deposit: Floats) -> Floats:
        """(n,) what the swaps of these moves cost, shared by the pools for which something was swapped."""
        out, into = self.by_route(withdraw), self.by_route(deposit)
        net = into - out
        cost = self.costs(net)
        rate = cost / np.where(net > 0, into, np.where(net < 0, out, 1.0))
        mover = np.where(self.by_pool(net) > 0, deposit, withdraw)
        share: Floats = np.where(self.route_of == NO_SWAP, 0.0, mover * self.by_pool(rate))
        return share
