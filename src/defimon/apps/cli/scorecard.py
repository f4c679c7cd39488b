"""`defimon scorecard`: how the forecasts that were given came out."""

from typing import Annotated, Literal

import typer


def scorecard(
    target: Annotated[str, typer.Option(help="apy_mean, apy_volatility or apy_drop.")] = "apy_mean",
    horizon: Annotated[int, typer.Option(min=0, max=30, help="Days ahead; 0 is all.")] = 0,
    protocol: Annotated[str, typer.Option(help="Only forecasts of this protocol.")] = "",
    chain: Annotated[str, typer.Option(help="Only forecasts of this chain.")] = "",
    model: Annotated[str, typer.Option(help="Only forecasts of this model.")] = "",
    days: Annotated[int, typer.Option(min=1, help="How many days to look back.")] = 182,
    by: Annotated[
        Literal["model", "protocol", "chain", "horizon", "week"], typer.Option(help="What to tell apart.")
    ] = "model",
    as_json: Annotated[bool, typer.Option("--json", help="Print it as a JSON document.")] = False,
) -> None:
    """Score the stored forecasts whose days are over, beside the rule that carries today's APY forward."""
    from dataclasses import asdict
    from datetime import timedelta

    from defimon.core.settings import load_settings
    from defimon.core.units import utc_now
    from defimon.flows._store import open_store
    from defimon.flows.scorecard import Asked
    from defimon.flows.scorecard import scorecard as score

    place = chain.strip().lower()  # a pool's chain, which need not be one that is collected
    asked = Asked(target, horizon or None, protocol, place, model, utc_now() - timedelta(days=days))
    with open_store(load_settings()) as store:
        told = score(store, asked)
    if as_json:
        import json

        typer.echo(json.dumps(asdict(told), indent=2, allow_nan=False))
        return
    from defimon.apps.cli._scorecard import show_scorecard

    show_scorecard(told, by)
