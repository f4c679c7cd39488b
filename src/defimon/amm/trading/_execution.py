"""Carrying a plan out in integers: exact quotes on the states as the route leaves them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from defimon.amm.pools._base import Pool, Quote
from defimon.amm.pools._errors import BadState, LeavesState, Refused
from defimon.amm.trading._market import Edge


@dataclass(frozen=True, slots=True)
class Stage:
    """Selling what is held of `token`: trades with weights by which they share it, and the weight kept.

    The first hop sells the route's own token; the second, between inner tokens, sells what the first
    brought and no more; the third sells all that is there for the route's end.
    """

    token: str
    trades: tuple[tuple[Edge, int], ...]
    hop: int
    keep: int = 0


Plan = Sequence[Stage]
"""Stages in the order of trading."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One trade of a route: `quote` was made on the state in which the legs before it left the pool."""

    pool: str
    quote: Quote

    @property
    def sell(self) -> str:
        return self.quote.sell

    @property
    def buy(self) -> str:
        return self.quote.buy

    @property
    def amount_in(self) -> int:
        return self.quote.amount_in

    @property
    def amount_out(self) -> int:
        return self.quote.amount_out

    @property
    def gas(self) -> int:
        """Gas units of the trade."""
        return self.quote.pool.gas(self.quote)


@dataclass(slots=True)
class Trader:
    """Executes trades one after the other and keeps the states that they leave."""

    pools: Mapping[str, Pool]
    legs: list[Leg] = field(default_factory=list)
    last: dict[str, Quote] = field(default_factory=dict)

    def state(self, pool: str) -> Pool:
        return self.last[pool].after if pool in self.last else self.pools[pool]

    def trade(self, edge: Edge, amount: int) -> int:
        """Sell up to `amount` and say how much of it was taken: 0 when the pool takes nothing."""
        quote = taken(self.state(edge.pool), edge.sell, edge.buy, amount)
        if quote is None:
            return 0
        self.legs.append(Leg(edge.pool, quote))
        self.last[edge.pool] = quote
        return quote.amount_in


def taken(pool: Pool, sell: str, buy: str, amount: int) -> Quote | None:
    """Quote of the whole `amount`, or of the most that the pool takes of it, found by bisection.

    None when it takes nothing, or pays nothing for it. The recorded part of a state is a bound like any.
    """
    if amount < 1:
        return None
    quote = whole(pool, sell, buy, amount)
    if quote is not None:
        return quote
    low = amount // 2
    while low and (found := whole(pool, sell, buy, low)) is None:
        low //= 2
    if not low:
        return None
    high = min(2 * low + 1, amount)
    while high - low > 1:
        middle = (low + high) // 2
        better = whole(pool, sell, buy, middle)
        low, high, found = (middle, high, better) if better is not None else (low, middle, found)
    return found


def whole(pool: Pool, sell: str, buy: str, amount: int) -> Quote | None:
    """Quote of exactly `amount`, or None where the pool refuses, takes less, pays nothing or is not known."""
    try:
        quote = pool.quote_exact_in(sell, buy, amount)
        if quote.partial or quote.amount_in != amount or quote.amount_out < 1:
            return None
        pool.apply(quote)
    except (Refused, LeavesState, BadState):
        return None
    return quote


def execute(
    pools: Mapping[str, Pool], plan: Plan, sell: str, buy: str, amount: int
) -> tuple[Leg, ...] | None:
    """Legs that spend `amount` and every token bought on the way, or None when the plan's pools cannot.

    What a pool does not take goes to the others of its stage, largest weight first. Weights that sum to
    what is held are the amounts themselves.
    """
    trader = Trader(pools)
    held, second = {sell: amount}, dict[str, int]()
    for stage in plan:
        if stage.hop == 3:
            held[stage.token] = held.get(stage.token, 0) + second.pop(stage.token, 0)
        if not _spend(trader, stage, held, second if stage.hop == 2 else held):
            return None
    left = sum(part for token, part in (*held.items(), *second.items()) if token != buy)
    return merged(trader.legs) if trader.legs and not left else None


def _spend(trader: Trader, stage: Stage, held: dict[str, int], into: dict[str, int]) -> bool:
    """Carry one stage out; False when something is left that no later stage sells."""
    ordered = sorted(stage.trades, key=lambda trade: -trade[1])
    amount = held.pop(stage.token, 0)
    total = stage.keep + sum(weight for _, weight in ordered)
    kept = stage.keep * amount // total
    parts = [weight * amount // total for _, weight in ordered]
    parts[0] += amount - kept - sum(parts)
    rest = 0
    for (edge, _), part in zip(ordered, parts, strict=True):
        rest += part - _bought(trader, edge, part, into)
    for edge, _ in ordered:
        if rest:
            rest -= _bought(trader, edge, rest, into)
    if stage.keep:
        held[stage.token] = kept + rest
    return not rest or bool(stage.keep)


def _bought(trader: Trader, edge: Edge, amount: int, into: dict[str, int]) -> int:
    sold = trader.trade(edge, amount)
    if sold:
        into[edge.buy] = into.get(edge.buy, 0) + trader.legs[-1].amount_out
    return sold


def merged(legs: Sequence[Leg]) -> tuple[Leg, ...]:
    """The legs, in order; a trade that follows the same pool's same trade at once becomes part of it."""
    joined: list[Leg] = []
    for leg in legs:
        before = joined[-1] if joined else None
        if before and before.pool == leg.pool and (before.sell, before.buy) == (leg.sell, leg.buy):
            total = whole(before.quote.pool, leg.sell, leg.buy, before.amount_in + leg.amount_in)
            if total and total.amount_out >= before.amount_out + leg.amount_out:
                joined[-1] = Leg(leg.pool, total)
                continue
        joined.append(leg)
    return tuple(joined)


def gas_of(legs: Sequence[Leg], gas_price: Fraction) -> Fraction:
    """Cost of the legs' gas in units of the bought token."""
    return sum(leg.gas for leg in legs) * gas_price
