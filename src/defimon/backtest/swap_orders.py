"""Moves that need swaps: cut to what the pools can take, and shrunk to what the cash pays for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from defimon.backtest.arrays import Flags, Floats
from defimon.backtest.costs import Costs, proceeds, worth_their_gas
from defimon.backtest.swaps import Swaps

ROUNDING = 1e-12
"""Relative margin below which float sums differ; deposits stay this much under the cash there is."""

MOST_STEPS = 100
"""Chords, with a bisection each third time: over thirty bisections leave less than ROUNDING open."""


@dataclass(frozen=True, slots=True)
class Swapped:
    """Moves in USD by pool (n,), what their swaps cost, and where an order was cut because a swap was."""

    withdraw: Floats
    deposit: Floats
    cost: Floats
    cut_out: Flags
    cut_in: Flags


def swapped(
    withdraw: Floats, deposit: Floats, cash: float, costs: Costs, swaps: Swaps, *, least: float
) -> Swapped:
    """The moves that can be done, of those wanted.

    Withdrawals of an asset may exceed what its route can sell where deposits take the rest in kind; when the
    cash turns out too short for these deposits, they may not. Deposits shrink alike until the cash pays for
    them, their costs and the swaps; there are none when the withdrawals leave no more than `least` USD.
    """
    paid = None
    for in_kind in (swaps.by_route(deposit), np.zeros(len(swaps.routes))):
        leaving, cut_out = _let_out(withdraw, in_kind, costs, swaps)
        coming, cut_in = _let_in(deposit, leaving, swaps)
        paid = _afforded(leaving, coming, cash, costs, swaps, least)
        if paid is not None:
            break
    done = np.zeros_like(deposit) if paid is None else paid
    return Swapped(leaving, done, swaps.shared(leaving, done), cut_out, cut_in)


def _let_out(withdraw: Floats, in_kind: Floats, costs: Costs, swaps: Swaps) -> tuple[Floats, Flags]:
    """Withdrawals cut to what routes can sell beside `in_kind`, less those that only pay costs."""
    out, allowed = swaps.by_route(withdraw), swaps.most_out + in_kind
    factor = swaps.by_pool(np.minimum(allowed / np.maximum(out, allowed), 1.0))
    cut: Flags = (factor < 1.0) & (withdraw > 0)
    left = withdraw * factor
    while True:
        sold = np.minimum(swaps.by_route(left), swaps.most_out)
        lost = swaps.costs(-sold) / np.where(sold > 0, sold, 1.0)
        keeps = 1.0 - costs.rate - np.where(swaps.route_of >= 0, swaps.by_pool(lost), 0.0)
        vain = (left > 0) & (left * keeps <= costs.gas_usd)
        if not vain.any():
            return left, cut
        left = np.where(vain, 0.0, left)


def _let_in(deposit: Floats, withdraw: Floats, swaps: Swaps) -> tuple[Floats, Flags]:
    """Deposits cut to what routes can buy beside what is withdrawn in kind."""
    into, allowed = swaps.by_route(deposit), swaps.most_in + swaps.by_route(withdraw)
    factor = swaps.by_pool(np.minimum(allowed / np.maximum(into, allowed), 1.0))
    return deposit * factor, (factor < 1.0) & (deposit > 0)


def _afforded(
    withdraw: Floats, deposit: Floats, cash: float, costs: Costs, swaps: Swaps, least: float
) -> Floats | None:
    """The largest share of all deposits that the cash pays for.

    None when a route would have to sell more than it can, or the withdrawals leave at most `least` USD.
    """
    raised = cash + proceeds(withdraw, costs)
    out = swaps.by_route(withdraw)
    selling = np.minimum(swaps.by_route(deposit) - out, 0.0)
    raised_then = raised - float(swaps.costs(selling).sum())
    if raised_then <= least:
        return None
    deposit = worth_their_gas(deposit, raised_then, costs)
    into = swaps.by_route(deposit)
    short = out > swaps.most_out * (1.0 + ROUNDING)
    if (out - into > swaps.most_out * (1.0 + ROUNDING))[short].any():
        return None
    lowest = min(float(((out - swaps.most_out)[short] / into[short]).max(initial=0.0)), 1.0)
    wanted = float(deposit.sum()) * (1.0 + costs.rate)
    left = raised - costs.gas_usd * np.count_nonzero(deposit)

    def spare(share: float) -> float:
        """USD over when this share is deposited; falls as the share rises."""
        return left * (1.0 - ROUNDING) - share * wanted - float(swaps.costs(share * into - out).sum())

    if spare(lowest) < 0.0:
        return None
    return deposit * _largest_share(spare, lowest, enough=ROUNDING * left)


def _largest_share(spare: Callable[[float], float], low: float, *, enough: float) -> float:
    """The largest share up to 1 that leaves something over; `spare` falls, and is not below 0 at `low`."""
    high, over, under = 1.0, spare(low), spare(1.0)
    if under >= 0.0:
        return 1.0
    for step in range(MOST_STEPS):
        if over <= enough or high - low <= ROUNDING * high:
            break
        bisect = step % 3 == 2
        middle = (low + high) / 2 if bisect else low + (high - low) * over / (over - under)
        found = spare(middle)
        if found >= 0.0:
            low, over = middle, found
        else:
            high, under = middle, found
    return low
