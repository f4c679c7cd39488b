"""`defimon collect`: follow live pools of DefiLlama into the store."""

from typing import Annotated, Any

import typer


def collect(
    pools: Annotated[int | None, typer.Option(min=1, help="How many pools to follow, largest first.")] = None,
    min_tvl: Annotated[float | None, typer.Option(min=0, help="Smallest pool that is followed, USD.")] = None,
    protocols: Annotated[
        str | None, typer.Option(help="Only these protocols, by commas, such as aave-v3,lido.")
    ] = None,
    chains: Annotated[str | None, typer.Option(help="Only these chains, by commas.")] = None,
    stablecoins: Annotated[bool | None, typer.Option("--stablecoins", help="Only stablecoin pools.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Fetch charts that were fetched today too.")] = False,
) -> None:
    """Fetch today's pools of DefiLlama and the charts of the largest, and store them.

    May be interrupted and run again: no chart is fetched twice on one UTC day.

    Options left out are taken from the settings DEFIMON_DEFILLAMA_….
    """
    from defimon.apps.cli._collection import show_collection
    from defimon.apps.cli._console import progress_bar
    from defimon.core.settings import load_settings
    from defimon.flows._store import open_store
    from defimon.flows.collect_live import collect as run

    options: dict[str, Any] = {
        "defillama_pools": pools,
        "defillama_min_tvl_usd": min_tvl,
        "defillama_protocols": protocols,
        "defillama_chains": chains,
        "defillama_stablecoins": stablecoins,
    }
    settings = load_settings(**{name: value for name, value in options.items() if value is not None})
    with open_store(settings) as store, progress_bar() as progress:
        result = run(store, settings, progress, again=again)
    show_collection(result)
