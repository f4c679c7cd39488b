"""Every configured source into the store: opened, their series collected beside each other, health noted."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import polars as pl

from defimon.core.settings import Settings
from defimon.core.tables import SOURCE_HEALTH
from defimon.core.units import utc_now
from defimon.flows._opened_sources import Wanted, opened_sources, refuse_nothing, series_sources
from defimon.flows._stopping import unless_stopped
from defimon.flows._store import open_store
from defimon.flows._store_thread import StoreThread
from defimon.flows.chain_aggregates import Aggregated, aggregate_chains
from defimon.flows.collection import Progress, SeriesResult, collect_all
from defimon.sources._http import Http
from defimon.sources._manners import Manners
from defimon.sources._memory import Memory
from defimon.sources._series import Series
from defimon.store.database import Store

__all__ = ["Collection", "collect_once", "collect_sources", "health_rows", "list_series", "series_sources"]

Choice = Callable[[Series], bool]


@dataclass(frozen=True, slots=True)
class Collection:
    """What a collection did: results by series, in the order of sources and series, how the services did
    (`source_health`), and the chains that were aggregated after it.
    """

    results: tuple[SeriesResult, ...]
    health: pl.DataFrame
    aggregated: tuple[Aggregated, ...] = ()


def list_series(settings: Settings, names: Sequence[str] = (), chains: Sequence[str] = ()) -> list[Series]:
    """Every series that the settings ask to follow, of those sources and chains; nothing is asked.

    Raises FixSettings for a name that is none, and for settings that do not fit.
    """

    async def run() -> list[Series]:
        async with Http() as http:
            return [series for _, series in opened_sources(http, settings, names, chains)]

    return asyncio.run(run())


def collect_once(
    settings: Settings,
    names: Sequence[str] = (),
    chains: Sequence[str] = (),
    *,
    since: datetime | None = None,
    progress: Progress = lambda *_: None,
    manners: Manners | None = None,
) -> Collection:
    """As `collect_sources`, every gap asked for again, and aggregates of chains brought up to date after it.

    Raises FixSettings, which names the variables to set, when no series of these is configured.
    """
    with open_store(settings) as store:
        done = collect_sources(
            settings, names, chains,
            since=since, every_gap=True, progress=progress, store=store, manners=manners, refuse_none=True,
        )  # fmt: skip
        return Collection(
            done.results, done.health, tuple(aggregate_chains(store, chains, progress=progress))
        )


def collect_sources(
    settings: Settings,
    names: Sequence[str] = (),
    chains: Sequence[str] = (),
    *,
    since: datetime | None = None,
    every_gap: bool = False,
    progress: Progress = lambda *_: None,
    chosen: Choice = lambda _: True,
    store: Store | None = None,
    manners: Manners | None = None,
    refuse_none: bool = False,
    stopped: Callable[[], bool] = lambda: False,
    memory: Memory | None = None,
) -> Collection:
    """Bring the configured series of the named sources and chains up to date; of all where none is named.

    `chosen` narrows the series further; `store` is the settings' own unless given; `memory` is handed from
    one collection to the next. A series that fails says so in its result. Raises FixSettings for an unknown
    name, for settings that do not fit and, with `refuse_none`, where there is no series; what the store
    raises; and CancelledError soon after `stopped` turns true, with what came before it stored.
    """
    if store is None:
        with open_store(settings) as own:
            return collect_sources(
                settings, names, chains, since=since, every_gap=every_gap, progress=progress, chosen=chosen,
                store=own, manners=manners, refuse_none=refuse_none, stopped=stopped, memory=memory,
            )  # fmt: skip

    def wanted(http: Http, thread: StoreThread) -> Wanted:
        found = opened_sources(http, settings, names, chains, thread)
        if refuse_none:
            refuse_nothing(found, names, chains)
        return [pair for pair in found if chosen(pair[1])]

    collect = partial(collect_all, since=since, every_gap=every_gap, progress=progress)
    return asyncio.run(unless_stopped(_collected(store, Http(manners, memory), wanted, collect), stopped))


async def _collected(
    lent: Store,
    client: Http,
    wanted: Callable[[Http, StoreThread], Wanted],
    collect: Callable[[StoreThread, Wanted], Awaitable[list[SeriesResult]]],
) -> Collection:
    async with client as http, StoreThread(lent) as thread:
        pairs = wanted(http, thread)
        try:
            results = await collect(thread, pairs)
        finally:
            health = health_rows(http)
            thread.soon(partial(Store.write, table="source_health", frame=health))
    return Collection(tuple(results), health)


def health_rows(http: Http, *, begin_again: bool = False) -> pl.DataFrame:
    """How each host did since the client was opened, or since counts began again, as `source_health`."""
    now = utc_now()
    return SOURCE_HEALTH.rows(
        {
            "endpoint": host.endpoint,
            "ts": now,
            "calls": host.calls,
            "failures": host.failures,
            "latency_s": host.latency_s,
            "state": host.state,
            "note": host.note,
            "known_at": now,
            "source": "http",
            "origin": "observed",
        }
        for host in http.health(begin_again=begin_again)
        if host.calls
    )
