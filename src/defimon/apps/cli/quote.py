"""`defimon quote`: what a trade really gets, and how far it moves the price."""

from pathlib import Path
from typing import Annotated

import typer


def quote(
    state: Annotated[Path, typer.Argument(help="State document of one or more pools (docs/pools.md).")],
    sell: Annotated[str, typer.Option(help="Token sold: its symbol or id.")],
    buy: Annotated[
        str | None, typer.Option(help="Token bought; may be left out if there is but one.")
    ] = None,
    amount: Annotated[str | None, typer.Option(help="Tokens sold, such as 1500 or 0.25.")] = None,
    receive: Annotated[str | None, typer.Option(help="Tokens to be bought, exactly.")] = None,
    max_impact: Annotated[
        str | None, typer.Option(help="Largest sale within this price impact: 30bps, 0.3% or 0.003.")
    ] = None,
    pool: Annotated[str | None, typer.Option(help="Only this pool of the document.")] = None,
    chart: Annotated[
        Path | None, typer.Option(help="Draw amount against impact, and depth, into this SVG file.")
    ] = None,
) -> None:
    """Answer what the pools' contracts would: amounts, price impact, slippage; status 1 if none does."""
    from defimon.apps.cli._destination import refuse_bad_file
    from defimon.apps.cli._quote import show_trade
    from defimon.flows.quote import draw, quote_trade

    refuse_bad_file(chart, ".svg", option="--chart", source=state)
    trade = quote_trade(
        state,
        sell=sell,
        buy=buy,
        pool=pool,
        amount=amount,
        receive=receive,
        max_impact=max_impact,
    )
    show_trade(trade)
    if chart is not None:
        draw(trade, chart)
        typer.echo(f"Wrote the chart to {chart}")
    if not any(row.quote for row in trade.rows):
        raise typer.Exit(1)
