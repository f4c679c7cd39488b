"""Forecasts of impact, and how they came out, as tables on the terminal."""

from collections.abc import Sequence

from rich.table import Table

from defimon.apps.cli._console import out, plain
from defimon.flows.impact import ForecastTrade, ImpactStatistics
from defimon.flows.quote import amount_in_tokens

DIGITS = 10
"""Significant digits of an amount."""


def show_forecast(trade: ForecastTrade, delay: float) -> None:
    """Print one line a figure: the exact quote on the state, then mean and quantiles at execution."""
    forecast, console = trade.forecast, out()
    tail = (1.0 - forecast.level) / 2.0
    sold = amount_in_tokens(forecast.yardstick.amount_in, trade.sell)
    sold = sold.rstrip("0").rstrip(".") if "." in sold else sold
    asked = f"sell {sold} {trade.sell.shown} in {delay:g} minutes"
    table = Table(title=plain(f"{asked}: {trade.pool_id} · {trade.title}"), title_justify="left")
    table.add_column("")
    for heading in ("exact quote now", "mean", f"{tail:.0%}", "50%", f"{1 - tail:.0%}"):
        table.add_column(heading, justify="right")
    units = 10.0**trade.buy.decimals
    for title, band, scale, digits in (
        (f"bought, {trade.buy.shown}", forecast.amount_out, 1.0 / units, f",.{DIGITS}g"),
        ("price impact, bps", forecast.impact, 10_000.0, ",.3f"),
        ("shortfall, bps", forecast.shortfall, 10_000.0, ",.3f"),
    ):
        values = (band.yardstick, band.mean, band.low, band.median, band.high)
        table.add_row(plain(title), *(f"{value * scale:{digits}}" for value in values))
    console.print(table)
    if forecast.unanswered:
        console.print(
            f"In {forecast.unanswered} of {forecast.samples + forecast.unanswered} windows the pool ends up "
            "where it cannot fill the trade."
        )
    if trade.origin == "simulated":
        console.print("This state is simulated.", style="yellow")
    console.print(
        f"from {trade.minutes:,} minutes; shortfall is what is lost against the price now, fee and drift "
        "included",
        style="dim",
    )


def show_statistics(every: Sequence[ImpactStatistics], told: str) -> None:
    """Print one line for each venue, pair and direction."""
    console = out()
    table = Table(title="Trades beside their forecasts, in bps", title_justify="left")
    for heading in ("venue", "sold", "bought"):
        table.add_column(heading, overflow="fold")
    for heading in ("trades", "impact", "deviation", "shortfall", "deviation", "error", "exact quote's"):
        table.add_column(heading, justify="right")
    table.add_column("inside", justify="right")
    for one in every:
        moments = (one.impact, one.shortfall)
        figures = [figure for moment in moments for figure in (moment.mean, moment.deviation)]
        figures += [one.absolute_error.mean, one.yardstick_absolute_error.mean]
        table.add_row(
            *map(plain, (one.venue, one.sell, one.buy)),
            f"{one.count:,}",
            *(f"{figure * 10_000.0:,.2f}" for figure in figures),
            f"{one.accuracy:.1%}",
        )
    console.print(table)
    console.print(plain(told), style="dim")
