"""Options that several commands take: which pools are judged, and how their errors are scored."""

from typing import Annotated

import typer

Protocol = Annotated[str, typer.Option(help="lending or exchange: universe rules and scale of errors.")]
MinDays = Annotated[int | None, typer.Option(help="Observed days a pool needs before the window.")]
MinMeanApy = Annotated[float | None, typer.Option(help="Mean APY it needs, as a fraction.")]
MinTvl = Annotated[float | None, typer.Option(help="Median TVL it needs, in USD.")]

GasGwei = Annotated[float, typer.Option(min=0, help="Price of gas in gwei; with --coin-price.")]
CoinPrice = Annotated[
    float, typer.Option(min=0, help="Worth of one of the chain's coins, in tokens that come out; for gas.")
]
