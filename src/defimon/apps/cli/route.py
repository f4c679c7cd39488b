"""`defimon route`: over which pools a trade goes best."""

from pathlib import Path
from typing import Annotated

import typer

from defimon.apps.cli._options import CoinPrice, GasGwei


def route(
    state: Annotated[Path, typer.Argument(help="State document with the pools (docs/pools.md).")],
    sell: Annotated[str, typer.Option(help="Token sold: its symbol or id.")],
    buy: Annotated[str, typer.Option(help="Token bought.")],
    amount: Annotated[str, typer.Option(help="Tokens sold, such as 1500 or 0.25.")],
    hops: Annotated[int, typer.Option(min=1, max=3, help="Longest chain of pools.")] = 3,
    gas_gwei: GasGwei = 0.0,
    coin_price: CoinPrice = 0.0,
) -> None:
    """Split one trade over parallel pools and chains of up to three, gas counted, to the last base unit."""
    from defimon.apps.cli._route import show_route
    from defimon.flows.route import Gas, route_trade

    show_route(
        *route_trade(state, sell=sell, buy=buy, amount=amount, hops=hops, gas=Gas(gas_gwei, coin_price))
    )
