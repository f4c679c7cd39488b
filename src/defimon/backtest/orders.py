"""From where the money should be to the moves that bring it there; advice and backtest share this."""

from dataclasses import dataclass

import numpy as np

from defimon.backtest.arrays import Flags, Floats
from defimon.backtest.costs import Costs, proceeds, worth_their_gas
from defimon.backtest.swap_orders import ROUNDING, swapped
from defimon.backtest.swaps import Swaps

DUST = 1e-9
"""Share of the whole value that is too small to be a move: a thousand times ROUNDING."""


@dataclass(frozen=True, slots=True)
class Moves:
    """Withdrawals, then deposits, in USD before costs, by pool (n,).

    A withdrawal w adds w (1 - rate) - gas to the cash; a deposit d takes d (1 + rate) + gas from it.
    `refused` (n,) is true where a move was wanted that the pool does not allow now, where one was cut to what
    can be swapped, and where a deposit was cut short because of that. `swap` (n,) is what the swaps of these
    moves take from the cash besides; None where none is reckoned with.
    """

    withdraw: Floats
    deposit: Floats
    refused: Flags
    swap: Floats | None = None

    @property
    def any(self) -> bool:
        return bool(self.withdraw.any() or self.deposit.any())


def moves(
    holdings: Floats,
    cash: float,
    weights: Floats,
    costs: Costs,
    *,
    may_deposit: Flags | None = None,
    may_withdraw: Flags | None = None,
    smallest: float = 0.0,
    swaps: Swaps | None = None,
) -> Moves:
    """Moves from `holdings` (n,) and `cash`, all in USD, to the shares `weights` (n,) of the whole value.

    A change of at most the share `smallest` of the whole value is left, save to leave a pool for good; so is
    a move that would not bring in its own gas. Withdrawals pay for deposits: when costs or refused
    withdrawals leave too little, all deposits shrink alike, so cash is never negative. With `swaps`, what
    the pools that swap for it can take cuts an order too.
    """
    value = cash + float(holdings.sum())
    change = weights * value - holdings
    change *= (np.abs(change) > max(smallest, DUST) * value) | (weights <= 0.0)
    deposit = np.maximum(change, 0.0)
    withdraw = deposit - change
    refused = _take_out(withdraw, may_withdraw)
    held_up = may_withdraw is not None and bool(refused.any())
    refused |= _take_out(deposit, may_deposit)
    if swaps is not None:
        done = swapped(withdraw, deposit, cash, costs, swaps, least=DUST * value)
        refused |= done.cut_out | done.cut_in
        if held_up or done.cut_out.any():
            refused |= done.deposit < deposit
        return Moves(done.withdraw, done.deposit, refused, done.cost)
    if costs.gas_usd > 0:
        withdraw[withdraw * (1.0 - costs.rate) <= costs.gas_usd] = 0.0
    raised = cash + proceeds(withdraw, costs)
    afforded = _afforded(deposit, raised, costs) if raised > DUST * value else np.zeros_like(deposit)
    if held_up:
        refused |= afforded < deposit
    return Moves(withdraw, afforded, refused)


def _take_out(amounts: Floats, allowed: Flags | None) -> Flags:
    """Set amounts that are not allowed to 0, in place, and flag them."""
    if allowed is None:
        return np.zeros(len(amounts), dtype=np.bool_)
    refused: Flags = (amounts > 0) & ~allowed
    amounts[~allowed] = 0.0
    return refused


def _afforded(deposit: Floats, cash: float, costs: Costs) -> Floats:
    """Deposits that `cash` pays for with their costs."""
    deposit = worth_their_gas(deposit, cash, costs)
    wanted = float(deposit.sum()) * (1.0 + costs.rate)
    left = cash - (costs.gas_usd * np.count_nonzero(deposit) if costs.gas_usd else 0.0)
    if wanted <= 0 or left <= 0:
        return np.zeros_like(deposit)
    return deposit * min(1.0, left / wanted * (1.0 - ROUNDING))
