"""Routes and circles as tables on the terminal."""

from collections.abc import Sequence
from math import floor

from rich.table import Table

from defimon.apps.cli._console import out, plain, print_whole
from defimon.apps.cli._quote import simulated_note
from defimon.flows.quote import amount_in_tokens
from defimon.flows.route import Arbitrage, Circle, Leg, Route, State

MOST_CIRCLES = 20
"""Circles on the terminal: those below gain less."""


def show_route(state: State, route: Route) -> None:
    """Print the trades in their order, what comes out, and the best single pool or chain beside it."""
    console, sell, buy = out(), state.token(route.sell), state.token(route.buy)
    table = Table(
        title=plain(f"sell {amount_in_tokens(route.amount, sell)} {sell.shown} for {buy.shown}"),
        title_justify="left",
    )
    table.add_column("pool")
    for heading in ("sold", "bought", "impact, bps", "share", "gas"):
        table.add_column(heading, justify="right")
    for leg in route.legs:
        part = f"{leg.amount_in / route.amount:.1%}" if leg.sell == route.sell else ""
        table.add_row(plain(leg.pool), *map(plain, _amounts(state, leg)), _bps(leg), part, f"{leg.gas:,}")
    print_whole(console, table)
    gained = route.net_out / route.single_net_out - 1 if route.single_net_out > 0 else None
    console.print(plain(f"bought {amount_in_tokens(route.amount_out, buy)} {buy.shown}, gas {route.gas:,}"))
    if route.gas_price:
        console.print(plain(f"after gas {amount_in_tokens(floor(route.net_out), buy)} {buy.shown}"))
    if route.single:
        chain = " > ".join(leg.pool for leg in route.single)
        better = "" if gained is None else f"; the route brings {float(gained) * 1e4:+.2f} bps"
        paid = amount_in_tokens(route.single_out, buy)
        console.print(plain(f"best single chain {chain}: {paid} {buy.shown}{better}"))
    simulated_note(console, state)


def show_circles(state: State, circles: Sequence[Circle], token: str) -> None:
    """Print the circles that gain, the best first."""
    console, start = out(), state.token(token)
    if not circles:
        console.print(plain(f"No circle of two or three pools through {start.shown} gains."))
        simulated_note(console, state)
        return
    table = Table(title=plain(f"circles through {start.shown} that gain"), title_justify="left")
    table.add_column("pools in order")
    table.add_column("funding")
    for heading in ("put in", "profit", "after gas", "loan fee", "gas"):
        table.add_column(heading, justify="right")
    for circle in circles[:MOST_CIRCLES]:
        trade = circle.trade
        table.add_row(
            plain(" > ".join(leg.pool for leg in trade.legs)),
            plain(_funding(trade)),
            *(
                amount_in_tokens(units, start)
                for units in (trade.size, trade.profit, floor(circle.net), trade.fee)
            ),
            f"{trade.gas:,}",
        )
    print_whole(console, table)
    if len(circles) > MOST_CIRCLES:
        console.print(f"{len(circles) - MOST_CIRCLES} more that gain less")
    console.print("each is judged by itself: after one is traded, the others change", style="dim")
    simulated_note(console, state)


def _funding(trade: Arbitrage) -> str:
    lender = trade.funding.lender
    return trade.funding.name if lender is None else f"{trade.funding.name} of {lender}"


def _amounts(state: State, leg: Leg) -> tuple[str, str]:
    sell, buy = state.token(leg.sell), state.token(leg.buy)
    return (
        f"{amount_in_tokens(leg.amount_in, sell)} {sell.shown}",
        f"{amount_in_tokens(leg.amount_out, buy)} {buy.shown}",
    )


def _bps(leg: Leg) -> str:
    return f"{float(leg.quote.price_impact) * 1e4:,.2f}"
