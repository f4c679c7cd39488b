"""The engine: accrue, decide, execute at the next observation, write everything down."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from defimon.backtest.costs import Costs
from defimon.backtest.ledger import Ledger
from defimon.backtest.market import Market
from defimon.backtest.orders import Floats, Moves, Places, moves
from defimon.core.errors import BadData, FixSettings

Decide = Callable[[int, Floats, float], Floats]
"""(day index, holdings in USD (n,), cash in USD) to weights (n,), from what was known when that day ended."""


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
    """What a simulation left: `equity` (t,) in USD at the end of each day after moves, final balances, costs,
    money moved in USD (deposits and withdrawals together), number of transactions, and the ledger.
    """

    equity: Floats
    holdings: Floats
    cash: float
    ledger: Ledger = field(default_factory=Ledger)
    costs_usd: float = 0.0
    moved_usd: float = 0.0
    transactions: int = 0


def simulate(
    market: Market, decisions: list[int], decide: Decide, capital: float, costs: Costs, rules: Rules
) -> Run:
    """Run from the first day of the market to its last; `decisions` are day indices in rising order.

    A pool that was not observed on the day of execution, takes no deposits or pays nothing out keeps its part
    of the order open until it can be done or the next order replaces it. Raises FixSettings for a capital
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
    book = _Book(market, capital, costs, rules)
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
    if weights.shape != (pools,) or not (weights >= 0).all() or not total <= 1.0 + 1e-9:
        raise BadData(
            f"Weights must be {pools} shares from 0 that sum to at most 1; these sum to {total}.",
            remedy="Mend the strategy.",
        )
    return weights / total if total > 1.0 else weights


class _Book:
    """Balances on the way through the days."""

    def __init__(self, market: Market, capital: float, costs: Costs, rules: Rules) -> None:
        self.market, self.costs, self.rules = market, costs, rules
        self.day = 0
        self.run = Run(np.full(market.days_count, float(capital)), np.zeros(market.pools_count), float(capital))
        self.run.ledger.write(0, "capital", np.array([-1]), cash=np.array([capital]), pool=np.zeros(1))

    def accrue_to(self, day: int) -> None:
        """Let what is held earn until the end of `day`."""
        run = self.run
        if day <= self.day:
            return
        held = np.flatnonzero(run.holdings)
        start, self.day = self.day, day
        if not len(held):
            run.equity[start + 1 : day + 1] = run.cash
            return
        before = run.holdings[held]
        paths = self._paths(start, day, held, before)
        run.equity[start + 1 : day + 1] = paths.sum(axis=1) + run.cash
        run.holdings[held] = paths[-1]
        run.ledger.write(day, "accrual", held, cash=np.zeros(len(held)), pool=paths[-1] - before)

    def _paths(self, start: int, day: int, held: Places, before: Floats) -> Floats:
        """(days, held) balances at the end of each day after `start`."""
        growth = self.market.growth[start:day, held]
        tvl = self.market.tvl
        if not self.rules.dilution or tvl is None:
            paths: Floats = np.cumprod(growth, axis=0) * before
            return paths
        paths = np.empty_like(growth)
        balance = before
        for step, factor in enumerate(growth):
            others = tvl[start + step, held]
            share = np.where(np.isnan(others), 1.0, others / np.maximum(others + balance, 1e-300))
            balance = balance * np.where(factor > 1.0, 1.0 + (factor - 1.0) * share, factor)
            paths[step] = balance
        return paths

    def order(self, weights: Floats, day: int, *, until: int) -> None:
        """Execute on `day`, and what was refused on the days after it up to `until`."""
        wanted = np.ones(len(weights), dtype=np.bool_)
        while day <= until and wanted.any():
            self.accrue_to(day)
            run, market = self.run, self.market
            planned = moves(
                run.holdings,
                run.cash,
                weights,
                self.costs,
                may_deposit=wanted if market.may_deposit is None else wanted & market.may_deposit[day],
                may_withdraw=wanted if market.may_withdraw is None else wanted & market.may_withdraw[day],
                smallest_usd=self.rules.smallest_move * (run.cash + float(run.holdings.sum())),
            )
            self._execute(planned, day)
            wanted &= planned.refused
            day += 1

    def _execute(self, planned: Moves, day: int) -> None:
        run, costs = self.run, self.costs
        for kind, amounts, sign in (("withdraw", planned.withdraw, 1.0), ("deposit", planned.deposit, -1.0)):
            pools = np.flatnonzero(amounts)
            if not len(pools):
                continue
            usd = amounts[pools]
            nothing = np.zeros(len(pools))
            run.ledger.write(day, kind, pools, cash=sign * usd, pool=-sign * usd)
            run.ledger.write(day, "cost_bps", pools, cash=-costs.rate * usd, pool=nothing)
            run.ledger.write(day, "gas", pools, cash=np.full(len(pools), -costs.gas_usd), pool=nothing)
            total, count = float(usd.sum()), len(pools)
            paid = total * costs.rate + costs.gas_usd * count
            run.holdings[pools] = np.where(usd == run.holdings[pools], 0.0, run.holdings[pools] - sign * usd)
            run.cash += sign * total - paid
            run.costs_usd += paid
            run.moved_usd += total
            run.transactions += count
        run.cash = max(run.cash, 0.0) if run.cash > -1e-9 else run.cash
        run.equity[day] = run.cash + float(run.holdings.sum())
