"""The engine: accrue, decide, execute at the next observation, write everything down."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from defimon.backtest.arrays import Flags, Floats, Places
from defimon.backtest.costs import Costs
from defimon.backtest.ledger import ACCRUAL, DEPOSIT, SWAP, WITHDRAW, Ledger
from defimon.backtest.market import Market
from defimon.backtest.orders import Moves, moves
from defimon.backtest.swaps import Swaps
from defimon.core.errors import BadData, FixSettings

Decide = Callable[[int, Floats, float], Floats]
"""(day index, holdings in USD (n,), cash in USD) to weights (n,), from what was known when that day ended."""


TINY = 1e-300
"""Keeps a division of 0 by 0 from happening; far below any amount of money."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How trades happen.

    `delay`: observations between decision and execution (1: the next one). `smallest_move`: share of the
    whole value below which a change is left alone. `dilution`: one's own deposit lowers a positive yield by
    tvl / (tvl + deposit) where the TVL is known.
    """

    delay: int = 1
    smallest_move: float = 0.001
    dilution: bool = True


@dataclass(slots=True)
class Run:
    """What a simulation left: `equity` (t,) in USD at the end of each day after moves, final balances, all
    costs, money moved in USD (deposits and withdrawals together), number of transactions, the ledger, and how
    much of the costs were swaps.
    """

    equity: Floats
    holdings: Floats
    cash: float
    ledger: Ledger
    costs_usd: float = 0.0
    moved_usd: float = 0.0
    transactions: int = 0
    swap_usd: float = 0.0


def simulate(
    market: Market,
    decisions: list[int],
    decide: Decide,
    capital: float,
    costs: Costs,
    rules: Rules,
    swaps: Swaps | None = None,
) -> Run:
    """Run from the first day of the market to its last; `decisions` are day indices in rising order.

    A pool that was not observed on the day of execution, takes no deposits or pays nothing out keeps its part
    of the order open until it can be done or the next order replaces it; so does what `swaps` cannot take in
    one day. Raises FixSettings for a capital
    that is not above 0, BadData for impossible weights, Doubtful when the ledger does not balance.
    """
    if not capital > 0:
        raise FixSettings(f"capital is {capital}.", variable="capital", remedy="Choose USD above 0.")
    if (np.diff(decisions) < max(rules.delay, 1)).any():
        raise FixSettings(
            f"Decisions are closer than the delay of {rules.delay} days.",
            variable="rebalance_days",
            remedy="Decide less often, or execute sooner.",
        )
    book = _Book(market, capital, costs, rules, swaps)
    last = market.days_count - 1
    for position, day in enumerate(decisions):
        book.accrue_to(day)
        weights = _checked(decide(day, book.run.holdings, book.run.cash), market.pools_count)
        following = decisions[position + 1] if position + 1 < len(decisions) else last
        book.order(weights, day + rules.delay, until=min(following - (rules.delay == 0), last))
    book.accrue_to(last)
    book.run.ledger.check(book.run.cash, book.run.holdings)
    return book.run


def _checked(weights: Floats, pools: int) -> Floats:
    total = float(weights.sum())
    if weights.shape != (pools,) or not weights.min() >= 0 or not total <= 1.0 + 1e-9:
        raise BadData(
            f"Weights must be {pools} shares from 0 that sum to at most 1; these sum to {total}.",
            remedy="Mend the strategy.",
        )
    return weights / total if total > 1.0 else weights


class _Book:
    """Balances on the way through the days."""

    def __init__(
        self, market: Market, capital: float, costs: Costs, rules: Rules, swaps: Swaps | None
    ) -> None:
        self.market, self.costs, self.rules, self.swaps = market, costs, rules, swaps
        self.day = 0
        cash = float(capital)
        nothing = np.zeros(market.pools_count)
        self.run = Run(np.full(market.days_count, cash), nothing, cash, Ledger(cash, costs))

    def accrue_to(self, day: int) -> None:
        """Let what is held earn until the end of `day`."""
        run = self.run
        if day <= self.day:
            return
        start, self.day = self.day, day
        held = run.holdings.nonzero()[0]
        if not len(held):
            run.equity[start + 1 : day + 1] = run.cash
            return
        if len(held) == self.market.pools_count:
            after = self._grown(start, day, slice(None), run.holdings)
        else:
            after = np.zeros_like(run.holdings)
            after[held] = self._grown(start, day, held, run.holdings[held])
        run.ledger.write(day, ACCRUAL, after - run.holdings)
        run.holdings = after

    def _grown(self, start: int, day: int, held: Places | slice, balance: Floats) -> Floats:
        """Balances of the pools `held` at the end of `day`; notes the equity of each day on the way."""
        growth, tvl = self.market.growth[start:day, held], self.market.tvl
        paths = np.empty_like(growth)
        for step, factor in enumerate(growth):
            if self.rules.dilution and tvl is not None:
                others = tvl[start + step, held]
                share = np.where(np.isnan(others), 1.0, others / np.maximum(others + balance, TINY))
                factor = np.where(factor > 1.0, 1.0 + (factor - 1.0) * share, factor)  # noqa: PLW2901
            balance = np.multiply(balance, factor, out=paths[step])
        self.run.equity[start + 1 : day + 1] = paths.sum(axis=1) + self.run.cash
        return balance

    def order(self, weights: Floats, day: int, *, until: int) -> None:
        """Execute on `day`, and what was refused on the days after it up to `until`."""
        wanted: Flags | None = None
        while day <= until and (wanted is None or wanted.any()):
            self.accrue_to(day)
            run, market = self.run, self.market
            planned = moves(
                run.holdings,
                run.cash,
                weights,
                self.costs,
                may_deposit=_both(wanted, market.may_deposit, day),
                may_withdraw=_both(wanted, market.may_withdraw, day),
                smallest=self.rules.smallest_move,
                swaps=self.swaps,
            )
            self._execute(planned, day)
            wanted = planned.refused if wanted is None else wanted & planned.refused
            day += 1

    def _execute(self, planned: Moves, day: int) -> None:
        run, costs = self.run, self.costs
        for kind, amounts, sign in ((WITHDRAW, planned.withdraw, 1.0), (DEPOSIT, planned.deposit, -1.0)):
            total = float(amounts.sum())
            if total <= 0.0:
                continue
            count = int(np.count_nonzero(amounts))
            paid = total * costs.rate + costs.gas_usd * count
            run.ledger.write(day, kind, amounts)
            run.holdings = run.holdings - amounts if kind == WITHDRAW else run.holdings + amounts
            run.cash += sign * total - paid
            run.costs_usd += paid
            run.moved_usd += total
            run.transactions += count
        if planned.swap is not None and planned.swap.any():
            paid = float(planned.swap.sum())
            run.ledger.write(day, SWAP, planned.swap)
            run.cash -= paid
            run.costs_usd += paid
            run.swap_usd += paid
        run.cash = max(run.cash, 0.0) if run.cash > -1e-9 else run.cash
        run.equity[day] = run.cash + float(run.holdings.sum())


def _both(wanted: Flags | None, allowed: Flags | None, day: int) -> Flags | None:
    """Pools that are still to be moved and may be on `day`; None for all."""
    if allowed is None:
        return wanted
    today: Flags = allowed[day]
    return today if wanted is None else wanted & today
