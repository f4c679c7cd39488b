"""Configured series followed for as long as it is wanted: each asked again at its own pace."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import polars as pl

from defimon.core.settings import Settings
from defimon.core.tables import SOURCE_HEALTH
from defimon.core.units import utc_now
from defimon.flows._batches import Tally
from defimon.flows._opened_sources import Wanted, opened_sources, refuse_nothing
from defimon.flows._store import open_store
from defimon.flows._store_thread import StoreThread
from defimon.flows.chain_aggregates import Aggregated, aggregate_chains
from defimon.flows.collect_sources import health_rows
from defimon.flows.collection import AT_ONCE, Progress, SeriesResult, collect_series
from defimon.sources._http import Http
from defimon.sources._manners import Manners
from defimon.sources._series import Series, SeriesSource
from defimon.store.database import Store

ASK_AGAIN = timedelta(minutes=5)
"""A series whose source failed is asked again after this long, or at its own pace where that is quicker."""

ACCOUNT_S = 60.0
"""Seconds between accounts: aggregates brought up to date, health written."""


@dataclass(slots=True)
class Followed:
    """Sums by series and by host since the following began, and the chains that were aggregated last."""

    results: dict[str, SeriesResult] = field(default_factory=dict)
    aggregated: dict[tuple[str, str], Aggregated] = field(default_factory=dict)
    health: pl.DataFrame = field(default_factory=SOURCE_HEALTH.empty)
    rounds: int = 0

    def add(self, result: SeriesResult) -> None:
        before = self.results.get(result.series, SeriesResult(result.series))
        self.results[result.series] = replace(
            result,
            rows_in=before.rows_in + result.rows_in,
            inserted=before.inserted + result.inserted,
            corrected=before.corrected + result.corrected,
            unchanged=before.unchanged + result.unchanged,
            quarantined=before.quarantined + result.quarantined,
            gaps_filled=before.gaps_filled + result.gaps_filled,
            warnings=tuple(dict.fromkeys([*before.warnings, *result.warnings]))[-MOST_WARNINGS:],
        )
        self.rounds += 1

    def add_health(self, rows: pl.DataFrame) -> None:
        """Adds the counts of one interval; state and fault are the last ones."""
        answers = pl.col("calls") - pl.col("failures")
        spent = (pl.col("latency_s") * answers).sum()
        both = pl.concat([self.health, rows]).sort("ts", maintain_order=True)
        named = pl.exclude("endpoint", "calls", "failures", "latency_s", "note")
        self.health = (
            both.group_by("endpoint", maintain_order=True)
            .agg(
                pl.col("calls", "failures").sum(),
                pl.when(answers.sum() > 0).then(spent / answers.sum()).alias("latency_s"),
                pl.col("note").filter(pl.col("note") != "").last().fill_null(""),
                named.last(),
            )
            .select(SOURCE_HEALTH.names)
        )


MOST_WARNINGS = 20
"""Of one series that are remembered: a chain that is followed for weeks would fill the memory with them."""

Told = Callable[[SeriesResult, datetime], object]
"""Handed each result of one asking as it comes, and when the series is asked next."""


def follow_sources(
    settings: Settings,
    names: Sequence[str] = (),
    chains: Sequence[str] = (),
    *,
    since: datetime | None = None,
    progress: Progress = lambda *_: None,
    told: Told = lambda *_: None,
    followed: Followed | None = None,
    manners: Manners | None = None,
    account_s: float = ACCOUNT_S,
) -> None:
    """Collect the series of those sources and chains, each again at its own pace, until interrupted.

    What happened is added to `followed`, so that it can be told after an interruption, which ends between
    two batches: nothing is half written. Aggregates of chains and health are written as it goes. Raises
    FixSettings when nothing is configured, and what the store raises; a source that fails is asked again.
    """
    account = Followed() if followed is None else followed
    with open_store(settings) as store:
        asyncio.run(
            _follow(store, settings, names, chains, since, progress, told, account, Http(manners), account_s)
        )


async def _follow(
    store: Store,
    settings: Settings,
    names: Sequence[str],
    chains: Sequence[str],
    since: datetime | None,
    progress: Progress,
    told: Told,
    followed: Followed,
    client: Http,
    account_s: float,
) -> None:
    async with client as http, StoreThread(store) as thread:
        wanted = opened_sources(http, settings, names, chains, thread)
        refuse_nothing(wanted, names, chains)
        run = _Run(http, thread, chains, since, progress, told, followed)
        try:
            await run.all_of(wanted, account_s)
        finally:
            thread.soon(run.health_written())


@dataclass(frozen=True, slots=True)
class _Run:
    http: Http
    thread: StoreThread
    chains: Sequence[str]
    since: datetime | None
    progress: Progress
    told: Told
    followed: Followed
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def all_of(self, wanted: Wanted, account_s: float) -> None:
        """Never ends by itself; raises what the store raises as soon as it does."""
        whole: list[Coroutine[Any, Any, None]] = [self._again(*pair) for pair in wanted]
        tasks = [asyncio.create_task(one) for one in [*whole, self._accounts(account_s)]]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _again(self, source: SeriesSource, series: Series) -> None:
        clock = asyncio.get_running_loop().time
        since = self.since
        while True:
            async with self.places:
                began = clock()
                tally = Tally(series.name)
                try:
                    result = await collect_series(
                        self.thread, source, series, since=since, progress=self.progress, tally=tally
                    )
                except asyncio.CancelledError:
                    self.followed.add(tally.result())
                    raise
            self.followed.add(result)
            since = None if result.cursor else since
            pace = min(series.every, ASK_AGAIN) if result.error else series.every
            wait_s = max(0.0, began + pace.total_seconds() - clock())
            self.told(result, utc_now() + timedelta(seconds=wait_s))
            await asyncio.sleep(wait_s)

    async def _accounts(self, account_s: float) -> None:
        rounds = 0
        while True:
            await asyncio.sleep(account_s)
            if rounds == self.followed.rounds:
                continue
            rounds = self.followed.rounds
            for one in await self.thread.do(lambda store: aggregate_chains(store, self.chains)):
                self.followed.aggregated[one.chain, one.source] = one
            await self.thread.do(self.health_written())

    def health_written(self) -> Callable[[Store], object]:
        """Writes how the hosts did since this was asked last."""
        rows = health_rows(self.http, begin_again=True)
        self.followed.add_health(rows)
        return partial(Store.write, table="source_health", frame=rows)
