"""`defimon impact`: what a trade will come to some minutes from now, and what past ones came to."""

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

FORECAST = "forecast"


class _Commands(TyperGroup):
    """`defimon impact STATE …` is `defimon impact forecast STATE …`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        known = {*self.commands, *ctx.help_option_names}
        return super().parse_args(ctx, args if not args or args[0] in known else [FORECAST, *args])


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    help="Price impact at execution: forecasts, and how they came out.",
)


@app.command(FORECAST)
def forecast(
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


@app.command()
def observe(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Recorded trades: CSV or JSON lines (docs/impact.md).")
    ] = None,
) -> None:
    """Take recorded trades into the statistics; without files, the swaps that were collected since."""
    from defimon.apps.cli._impact import show_statistics
    from defimon.core.settings import load_settings
    from defimon.flows._store import open_store
    from defimon.flows.impact import every_statistics
    from defimon.flows.impact_job import observe_swaps
    from defimon.flows.observed_trades import observe_files

    with open_store(load_settings()) as store:
        if files:
            done = observe_files(store, files)
            told = f"{done.taken} trades taken in, {done.known} were known"
        else:
            swaps = observe_swaps(store)
            told = "; ".join((f"{swaps.taken} swaps taken in", *swaps.warnings))
        show_statistics(every_statistics(store), told)
