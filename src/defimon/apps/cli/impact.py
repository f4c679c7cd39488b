"""`defimon impact`: what a trade will come to when it executes some minutes from now."""

from pathlib import Path
from typing import Annotated

import typer


def impact(
    state: Annotated[Path, typer.Argument(help="State document with the pool (docs/pools.md).")],
    minutes: Annotated[
        list[Path], typer.Option(help="File of the pool's minutes up to then; may be given again.")
    ],
    sell: Annotated[str, typer.Option(help="Token sold: its symbol or id.")],
    amount: Annotated[str, typer.Option(help="Tokens sold, such as 1500 or 0.25.")],
    buy: Annotated[
        str | None, typer.Option(help="Token bought; may be left out if there is but one.")
    ] = None,
    pool: Annotated[str | None, typer.Option(help="Only this pool of the document.")] = None,
    delay: Annotated[float, typer.Option(help="Minutes until the trade executes.")] = 1.0,
) -> None:
    """Forecast price impact, amount and shortfall at execution, beside the exact quote on the state."""
    from defimon.apps.cli._impact import show_forecast
    from defimon.flows.impact import forecast_trade

    show_forecast(
        forecast_trade(state, minutes, sell=sell, amount=amount, buy=buy, pool=pool, delay=delay), delay
    )
