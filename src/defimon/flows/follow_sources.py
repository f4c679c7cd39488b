"""Configured series followed for as long as it is wanted: each asked again at its own pace, or when its
service tells that it has moved.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from math import inf
from typing import Any

import structlog

from defimon.core.errors import DefimonError
from defimon.core.settings import Settings
from defimon.core.units import utc_now
from defimon.flows._batches import Tally
from defimon.flows._bell import Bell
from defimon.flows._followed import Followed
from defimon.flows._opened_sources import Wanted, open_each, opened_sources, refuse_nothing, series_now
from defimon.flows._stopping import unless_stopped
from defimon.flows._store import open_store
from defimon.flows._store_thread import StoreThread
from defimon.flows.chain_aggregates import aggregate_chains
from defimon.flows.collect_sources import Choice, health_rows
from defimon.flows.collection import AT_ONCE, Progress, SeriesResult, collect_series
from defimon.sources._http import Http
from defimon.sources._manners import Manners
from defimon.sources._memory import Memory
from defimon.sources._series import Series, SeriesSource
from defimon.store.database import Store

__all__ = ["Followed", "Told", "follow_for", "follow_sources"]

ASK_AGAIN = timedelta(minutes=5)
"""A series whose source failed is asked again after this long, or at its own pace where that is quicker."""

ACCOUNT_S = 60.0
"""Seconds between accounts: aggregates brought up to date, health written, new series looked for."""


Told = Callable[[SeriesResult, datetime], object]
"""Handed each result of one asking as it comes, and when the series is asked next."""

log = structlog.get_logger(__name__)


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

    One whose service announces what is new is asked as soon as it does. What happened is added to `followed`,
    so that it can be told after an interruption, which ends between two batches: nothing is half written.
    Aggregates of chains and health are written as it goes. Raises FixSettings when nothing is configured, and
    what the store raises; a source that fails, be it by a mistake in its code, is asked again.
    """
    account = Followed() if followed is None else followed
    with open_store(settings) as store:
        asyncio.run(
            _follow(store, settings, names, chains, since, progress, told, account, Http(manners), account_s)
        )


def follow_for(
    settings: Settings,
    names: Sequence[str],
    seconds: float,
    *,
    chosen: Choice,
    store: Store,
    stopped: Callable[[], bool],
    manners: Manners | None = None,
    memory: Memory | None = None,
) -> list[SeriesResult]:
    """Collect the chosen series of those sources once, and again as they move until `seconds` have passed.

    A visit is never cut short by that. Aggregates are somebody else's. Raises what the store raises; a
    mistake in a source's code when the others are done; and CancelledError soon after `stopped` turns true,
    with what came before it stored.
    """
    followed = Followed()

    async def run() -> None:
        async with Http(manners, memory) as http, StoreThread(store) as thread:
            wanted = [pair for pair in opened_sources(http, settings, names, (), thread) if chosen(pair[1])]
            until = asyncio.get_running_loop().time() + seconds
            one = _Run(http, thread, (), None, lambda *_: None, lambda *_: None, followed, until)
            try:
                await one.all_of(wanted)
            finally:
                thread.soon(one.health_written())

    asyncio.run(unless_stopped(run(), stopped))
    return list(followed.results.values())


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
        sources = open_each(http, settings, names, chains, thread)
        wanted = series_now(sources, chains)
        refuse_nothing(wanted, names, chains)
        run = _Run(http, thread, chains, since, progress, told, followed)
        try:
            await run.all_of(wanted, run.accounts(account_s), run.newcomers(sources, wanted, account_s))
        finally:
            thread.soon(run.health_written())


@dataclass(frozen=True, slots=True)
class _Run:
    """`until`, in seconds of the loop, is when no further visit begins; `mistakes` holds the first one that a
    source's code made.
    """

    http: Http
    thread: StoreThread
    chains: Sequence[str]
    since: datetime | None
    progress: Progress
    told: Told
    followed: Followed
    until: float = inf
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    mistakes: list[Exception] = field(default_factory=list)

    async def all_of(self, wanted: Wanted, *beside: Coroutine[Any, Any, None]) -> None:
        """Ends with the last visit, and raises a mistake then; what the store raises as soon as it does."""
        rest_s = self.http.manners.longest_wait_s
        bells = [Bell(*pair, rest_s) for pair in wanted]
        visits = [
            asyncio.create_task(self._again(*pair, bell)) for pair, bell in zip(wanted, bells, strict=True)
        ]
        others = [asyncio.create_task(one) for one in (*(bell.listen() for bell in bells), *beside)]
        pending = {*visits, *others}
        try:
            while not all(visit.done() for visit in visits):
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in (*visits, *others):
                task.cancel()
            await asyncio.gather(*visits, *others, return_exceptions=True)
        if self.mistakes:
            raise self.mistakes[0]

    async def _again(self, source: SeriesSource, series: Series, bell: Bell) -> None:
        clock = asyncio.get_running_loop().time
        since = self.since
        while True:
            async with self.places:
                began = clock()
                bell.hush()
                result = await self._visit(source, series, since)
            since = None if result.cursor else since
            pace = min(series.every, ASK_AGAIN) if result.error else series.every
            due = began + pace.total_seconds()
            self.told(result, utc_now() + timedelta(seconds=max(0.0, due - clock())))
            if due >= self.until and not bell.hangs:
                return
            # What has just failed is not asked for again with every head.
            if bell.hangs and not result.error:
                await bell.wait(began, min(due, self.until))
            else:
                await asyncio.sleep(min(due, self.until) - clock())
            if clock() >= self.until:
                return

    async def _visit(self, source: SeriesSource, series: Series, since: datetime | None) -> SeriesResult:
        tally = Tally(series.name)
        try:
            result = await collect_series(
                self.thread, source, series, since=since, progress=self.progress, tally=tally
            )
        except asyncio.CancelledError:
            self.followed.add(tally.result())
            raise
        except DefimonError:
            raise
        except Exception as mistake:  # told at once, raised when the others are done
            log.exception("a mistake in the code", series=series.name)
            self.mistakes[:] = self.mistakes or [mistake]
            tally.error = f"a mistake in the code: {type(mistake).__name__}; the log tells more"
            result = tally.result()
        self.followed.add(result)
        return result

    async def accounts(self, account_s: float) -> None:
        """Aggregates and health now and then, where there is something new. Never ends."""
        rounds = 0
        while True:
            await asyncio.sleep(account_s)
            if rounds == self.followed.rounds:
                continue
            rounds = self.followed.rounds
            for one in await self.thread.do(lambda store: aggregate_chains(store, self.chains)):
                self.followed.aggregated[one.chain, one.source] = one
            # Shielded: an interruption must not take back what begins new counts.
            await asyncio.shield(self.thread.do(self.health_written()))

    async def newcomers(self, sources: Sequence[SeriesSource], wanted: Wanted, every_s: float) -> None:
        """Follows what the sources have beside `wanted`, such as new files of a folder. Never ends."""
        known = {series.name for _, series in wanted}
        tasks: set[asyncio.Task[None]] = set()
        try:
            while True:
                await asyncio.sleep(every_s)
                for task in tasks:
                    if task.done():
                        task.result()
                listed = await asyncio.to_thread(series_now, sources, self.chains)
                fresh = [pair for pair in listed if pair[1].name not in known]
                known.update(series.name for _, series in fresh)
                if fresh:
                    tasks.add(asyncio.create_task(self.all_of(fresh)))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def health_written(self) -> Callable[[Store], object]:
        """Writes how the hosts did since this was asked last."""
        rows = health_rows(self.http, begin_again=True)
        self.followed.add_health(rows)
        return partial(Store.write, table="source_health", frame=rows)
