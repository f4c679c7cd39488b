"""`defimon arbitrage`: does a trade in a circle gain, and at what size?"""

from pathlib import Path
from typing import Annotated

import typer

from defimon.apps.cli._options import CoinPrice, GasGwei


def arbitrage(
    state: Annotated[Path, typer.Argument(help="State document with the pools (docs/pools.md).")],
    token: Annotated[str, typer.Option(help="Token that is put in and comes back: its symbol or id.")],
    funding: Annotated[
        str, typer.Option(help="Where the money comes from: own, aave, balancer, v3flash or v2flash.")
    ] = "own",
    loan_fee_bps: Annotated[
        int | None, typer.Option(help="Fee of the loan; 5 of Aave and 0 of Balancer unless given.")
    ] = None,
    gas_gwei: GasGwei = 0.0,
    coin_price: CoinPrice = 0.0,
) -> None:
    """Search circles of two and three pools; exact size and profit of each that gains."""
    from defimon.apps.cli._route import show_circles
    from defimon.flows.route import Gas, circles

    gas = Gas(gas_gwei, coin_price)
    found_in, found = circles(state, token=token, funding=funding, loan_fee_bps=loan_fee_bps, gas=gas)
    show_circles(found_in, found, token)
