"""Over which pools a trade goes best, and whether a trade in a circle gains: over the pools of a document."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations
from pathlib import Path

from defimon.amm.pools.concentrated import Concentrated
from defimon.amm.state.amounts import base_units
from defimon.amm.state.document import State, Token
from defimon.amm.trading._execution import Leg
from defimon.amm.trading.arbitrage import OWN, Arbitrage, Edge, Funding, best_arbitrage
from defimon.amm.trading.route import Route, best_route
from defimon.core.errors import BadData, FixSettings
from defimon.flows.states import read_state_file

__all__ = ["Arbitrage", "Circle", "Gas", "Leg", "Route", "State", "circles", "route_trade"]

GWEI = Fraction(1, 10**9)
"""Of the chain's coin, which has 18 decimals on every EVM chain."""

MOST_PRICE = 1e18
"""Of gas in gwei and of the coin: any coin is worth less, in the cheapest token there is."""

LOANS = ("own", "aave", "balancer", "v3flash", "v2flash")
"""Ways to fund a trade in a circle."""

MOST_CYCLES = 20_000
"""Cycles that are searched: three pools each out of about thirty that hold the same tokens."""


@dataclass(frozen=True, slots=True)
class Gas:
    """What gas costs: its price in gwei, and the worth of one of the chain's coins in tokens bought."""

    gwei: float = 0.0
    coin_price: float = 0.0

    def price(self, token: Token) -> Fraction:
        """Base units of `token` per unit of gas. Raises FixSettings for a price half given or absurd."""
        for option, given in (("--gas-gwei", self.gwei), ("--coin-price", self.coin_price)):
            if not 0 <= given <= MOST_PRICE:
                raise FixSettings(
                    f"{option} is {given:g}.", variable=option, remedy=f"Give 0 to {MOST_PRICE:g}."
                )
        if (self.gwei > 0) != (self.coin_price > 0):
            raise FixSettings(
                "Gas needs its price and the price of the coin that pays for it.",
                variable="--coin-price",
                remedy="Give both --gas-gwei and --coin-price, or neither.",
            )
        return Fraction(self.gwei) * GWEI * Fraction(self.coin_price) * Fraction(10) ** token.decimals


FREE = Gas()


def route_trade(
    path: Path, *, sell: str, buy: str, amount: str, hops: int = 3, gas: Gas = FREE
) -> tuple[State, Route]:
    """The best way to sell `amount` tokens of `sell` for `buy` over all pools of the document at `path`.

    Raises BadData for unknown tokens and amounts, Refused when the pools do not join the tokens or do not
    take the amount.
    """
    state = read_state_file(path)
    sold, bought = state.token(sell), state.token(buy)
    units = base_units(amount, sold.decimals, field="--amount")
    return state, best_route(state.pools, sold.id, bought.id, units, hops=hops, gas_price=gas.price(bought))


@dataclass(frozen=True, slots=True)
class Circle:
    """A gainful trade in a circle: what it brings in all, and what is left of it after gas, in base units."""

    trade: Arbitrage
    net: Fraction


def circles(
    path: Path, *, token: str, funding: str = "own", loan_fee_bps: int | None = None, gas: Gas = FREE
) -> tuple[State, list[Circle]]:
    """Gainful circles of two and three pools from `token` back to it, the largest net gain first.

    `funding` is one of LOANS; `loan_fee_bps` replaces Aave's or Balancer's fee. Each circle is judged by
    itself on the state of the document: after one is traded, the others are not what they were. Raises
    FixSettings for a funding that is unknown, BadData for a token that is unknown or stands in too many
    circles.
    """
    state = read_state_file(path)
    start = state.token(token)
    price = gas.price(start)
    found = []
    for cycle, loan in _funded(state, start.id, funding, loan_fee_bps):
        trade = best_arbitrage(state.pools, cycle, loan)
        if trade is not None and trade.profit > trade.gas * price:
            found.append(Circle(trade, trade.profit - trade.gas * price))
    return state, sorted(found, key=lambda circle: circle.net, reverse=True)


def _funded(
    state: State, token: str, funding: str, fee_bps: int | None
) -> Iterator[tuple[tuple[Edge, ...], Funding]]:
    if funding not in LOANS:
        raise FixSettings(
            f"There is no funding {funding!r}.", variable="--funding", remedy=f"Known: {', '.join(LOANS)}."
        )
    if fee_bps is not None and (funding not in ("aave", "balancer") or not 0 <= fee_bps <= 10_000):
        raise FixSettings(
            f"--loan-fee-bps {fee_bps} does not fit {funding}.",
            variable="--loan-fee-bps",
            remedy="It is for aave and balancer, from 0 to 10000.",
        )
    for cycle in _cycles(state, token):
        yield from ((cycle, loan) for loan in _loans(state, cycle, funding, fee_bps))


def _loans(state: State, cycle: tuple[Edge, ...], funding: str, fee_bps: int | None) -> Iterable[Funding]:
    if funding == "own":
        return (OWN,)
    if funding == "aave":
        return (Funding.aave(5 if fee_bps is None else fee_bps),)
    if funding == "balancer":
        return (Funding.balancer((fee_bps or 0) * 10**14),)
    first = state.pools[cycle[0].pool]
    if funding == "v2flash":
        return (Funding.flash_swap(cycle[0].pool),) if first.name == "constant_product" else ()
    used = {edge.pool for edge in cycle}
    return [
        Funding.v3_flash(pool.fee_ppm, name)
        for name, pool in state.pools.items()
        if isinstance(pool, Concentrated) and name not in used and cycle[0].sell in pool.tokens
    ]


def _cycles(state: State, token: str) -> Iterator[tuple[Edge, ...]]:
    """Simple cycles of two and three different pools through `token`. Raises BadData for too many."""
    edges = [
        Edge(name, one, other)
        for name, pool in state.pools.items()
        for one, other in permutations(pool.tokens, 2)
    ]
    count = 0
    for first in (edge for edge in edges if edge.sell == token):
        for second in (edge for edge in edges if edge.sell == first.buy and edge.pool != first.pool):
            for cycle in _closed(edges, first, second, token):
                count += 1
                if count > MOST_CYCLES:
                    raise BadData(
                        f"More than {MOST_CYCLES:,} circles go through {token}.",
                        remedy="Leave pools out of the document.",
                    )
                yield cycle


def _closed(edges: list[Edge], first: Edge, second: Edge, token: str) -> Iterator[tuple[Edge, ...]]:
    if second.buy == token:
        yield first, second
        return
    for third in edges:
        if third.sell == second.buy and third.buy == token and third.pool not in (first.pool, second.pool):
            yield first, second, third
