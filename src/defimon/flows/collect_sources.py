"""Every configured source into the store: opened, their series collected beside each other, health noted."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import polars as pl

from defimon.core.chains import chain_named
from defimon.core.errors import FixSettings
from defimon.core.settings import Settings
from defimon.core.tables import SOURCE_HEALTH
from defimon.core.units import utc_now
from defimon.flows._raw_answers import keep_once
from defimon.flows._store import open_store
from defimon.flows._store_thread import StoreThread
from defimon.flows.collection import Progress, SeriesResult, collect_all
from defimon.sources._base import FAMILY
from defimon.sources._http import Answer, Http
from defimon.sources._manners import Manners
from defimon.sources._series import Series, SeriesSource
from defimon.store.database import Store

Choice = Callable[[Series], bool]


@dataclass(frozen=True, slots=True)
class Collection:
    """Results by series, in the order of sources and series, and how the services did (`source_health`)."""

    results: tuple[SeriesResult, ...]
    health: pl.DataFrame


def series_sources() -> dict[str, type[SeriesSource]]:
    """Every source that is collected piece by piece, by name."""
    members = {name: FAMILY.load(name) for name in FAMILY.names()}
    return {name: member for name, member in members.items() if issubclass(member, SeriesSource)}


def list_series(settings: Settings, names: Sequence[str] = (), chains: Sequence[str] = ()) -> list[Series]:
    """Every series that the settings ask to follow, of those sources and chains; nothing is asked.

    Raises FixSettings for a name that is none, and for settings that do not fit.
    """

    async def run() -> list[Series]:
        async with Http() as http:
            return [series for _, series in _wanted(http, settings, names, chains)]

    return asyncio.run(run())


def collect_sources(
    settings: Settings,
    names: Sequence[str] = (),
    chains: Sequence[str] = (),
    *,
    since: datetime | None = None,
    progress: Progress = lambda *_: None,
    chosen: Choice = lambda _: True,
    store: Store | None = None,
    manners: Manners | None = None,
) -> Collection:
    """Bring the configured series of the named sources and chains up to date; of all where none is named.

    `chosen` narrows the series further; `store` is the settings' own unless given. A series that fails says
    so in its result. Raises FixSettings for an unknown name and for settings that do not fit, and what the
    store raises.
    """
    if store is None:
        with open_store(settings) as own:
            return collect_sources(
                settings, names, chains,
                since=since, progress=progress, chosen=chosen, store=own, manners=manners,
            )  # fmt: skip
    return asyncio.run(
        _collect(store, settings, names, chains, since, progress, chosen, Http(manners)),
    )


async def _collect(
    store: Store,
    settings: Settings,
    names: Sequence[str],
    chains: Sequence[str],
    since: datetime | None,
    progress: Progress,
    chosen: Choice,
    client: Http,
) -> Collection:
    async with client as http, StoreThread(store) as thread:
        wanted = [pair for pair in _wanted(http, settings, names, chains, thread) if chosen(pair[1])]
        try:
            results = await collect_all(thread, wanted, since=since, progress=progress)
        finally:
            health = health_rows(http)
            thread.soon(partial(Store.write, table="source_health", frame=health))
    return Collection(tuple(results), health)


def health_rows(http: Http) -> pl.DataFrame:
    """How each host did since the client was opened, as rows of `source_health`."""
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
        for host in http.health()
        if host.calls
    )


def _wanted(
    http: Http,
    settings: Settings,
    names: Sequence[str],
    chains: Sequence[str],
    thread: StoreThread | None = None,
) -> list[tuple[SeriesSource, Series]]:
    sources = series_sources()
    for name in names:
        if name not in sources:
            known = ", ".join(sources)
            raise FixSettings(f"{name[:60]!r} is no source.", variable="source", remedy=f"Known: {known}.")
    places = {chain_named(name).name for name in chains}

    def keep(source: str) -> Callable[[Answer], None]:
        if thread is None:
            return lambda _: None
        return lambda answer: thread.soon(partial(keep_once, answer=answer, source=source))

    opened = [
        member.opened(http, settings, keep(name))
        for name, member in sources.items()
        if name in names or not names
    ]
    pairs = [(source, series) for source in opened for series in source.series()]
    return [(source, series) for source, series in pairs if not places or series.chain in places]
