"""`defimon collect`: bring the configured series up to date, and follow them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from defimon.core.settings import Settings

ALL_FAILED = 1
"""Exit status when no series at all could be had."""


def collect(
    sources: Annotated[
        list[str] | None, typer.Argument(help="Sources, such as evm_rpc or defillama; all unless named.")
    ] = None,
    chain: Annotated[
        list[str] | None, typer.Option(help="Only series of this chain, such as astar; may be repeated.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Where series without a position begin, such as 2026-01-31.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End when every series is up to date.")] = False,
    summary: Annotated[
        Path | None, typer.Option(help="Write what was done, and the chains' figures, to this JSON file.")
    ] = None,
    pools: Annotated[
        int | None, typer.Option(min=1, help="DefiLlama: how many pools to follow, largest first.")
    ] = None,
    min_tvl: Annotated[
        float | None, typer.Option(min=0, help="DefiLlama: smallest pool that is followed, USD.")
    ] = None,
    protocols: Annotated[
        str | None, typer.Option(help="DefiLlama: only these protocols, by commas, such as aave-v3,lido.")
    ] = None,
    stablecoins: Annotated[
        bool | None, typer.Option("--stablecoins", help="DefiLlama: only stablecoin pools.")
    ] = None,
) -> None:
    """Collect every configured series into the store, and go on at each one's own pace until Ctrl-C.

    With --once it ends when every series is up to date. Either may be interrupted at any moment and run
    again: it goes on where it was, and nothing is stored twice.

    Exit status: 0, also when some series failed, which is told; 1 when all of them failed; 2 when the
    settings or the store have to be mended; 130 when --once was interrupted.
    """
    from defimon.apps.cli._destination import refuse_bad_file
    from defimon.apps.cli._moments import since_option
    from defimon.core.chains import chain_named
    from defimon.core.settings import load_settings
    from defimon.core.units import utc_now

    refuse_bad_file(summary, ".json", option="--summary")
    now = utc_now()
    begin = since_option(since, now=now)
    chains = [chain_named(name, variable="--chain").name for name in chain or []]
    options: dict[str, Any] = {
        "defillama_pools": pools,
        "defillama_min_tvl_usd": min_tvl,
        "defillama_protocols": protocols,
        "defillama_stablecoins": stablecoins,
    }
    settings = load_settings(**{name: value for name, value in options.items() if value is not None})
    run = _once if once else _follow
    if run(settings, sources or [], chains, begin, summary):
        raise typer.Exit(ALL_FAILED)


def _once(
    settings: "Settings",
    sources: list[str],
    chains: list[str],
    since: "datetime | None",
    summary: Path | None,
) -> bool:
    """One pass; answers whether everything failed."""
    from defimon.apps.cli._collection import show_collection
    from defimon.apps.cli._console import progress_bar
    from defimon.core.units import utc_now
    from defimon.flows.collect_sources import collect_once
    from defimon.flows.collection_summary import collection_summary, write_summary

    began = utc_now()
    try:
        with progress_bar() as progress:
            done = collect_once(settings, sources, chains, since=since, progress=progress)
    except KeyboardInterrupt:
        typer.echo("Interrupted. What came before is stored; run it again to go on.", err=True)
        raise typer.Exit(130) from None
    show_collection(done.results, done.aggregated)
    if summary is not None:
        told = collection_summary(settings, done.results, done.health, began=began, chains=chains)
        write_summary(told, summary)
        typer.echo(f"Wrote {summary}")
    return bool(done.results) and all(one.error for one in done.results)


def _follow(
    settings: "Settings",
    sources: list[str],
    chains: list[str],
    since: "datetime | None",
    summary: Path | None,
) -> bool:
    """On and on until Ctrl-C; answers whether everything had failed when last asked."""
    from functools import partial

    from rich.console import Console

    from defimon.apps.cli._collection import show_asked, show_collection
    from defimon.apps.cli._console import progress_bar
    from defimon.core.units import utc_now
    from defimon.flows.collection_summary import collection_summary, write_summary
    from defimon.flows.follow_sources import Followed, follow_sources

    began, followed = utc_now(), Followed()
    told = partial(show_asked, console=Console(stderr=True))
    try:
        with progress_bar() as progress:
            follow_sources(
                settings, sources, chains, since=since, progress=progress, told=told, followed=followed
            )
    except KeyboardInterrupt:
        typer.echo("Interrupted; everything that came is stored.", err=True)
    finally:
        results = list(followed.results.values())
        if results:
            show_collection(results, list(followed.aggregated.values()))
        if summary is not None and results:
            document = collection_summary(settings, results, followed.health, began=began, chains=chains)
            write_summary(document, summary)
            typer.echo(f"Wrote {summary}")
    return bool(results) and all(one.error for one in results)
