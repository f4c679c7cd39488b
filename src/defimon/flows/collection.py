"""The collection engine: batches of a series go into the store with the position they reach, all or nothing.

Whatever ends a run between two writes, the next one goes on from the last stored position and comes to the
same content; asking again for what is stored already writes nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from defimon.core.errors import BadData, DefimonError, TryAgain
from defimon.core.units import utc_now
from defimon.flows._batches import Progress, SeriesResult, Tally, read_gaps, store_batch
from defimon.flows._cursors import cursor_before, stored_position
from defimon.flows._known_blocks import blocks_around, blocks_between, known_blocks
from defimon.flows._store_thread import StoreThread
from defimon.flows.gaps import Stretch, in_turn, is_due
from defimon.sources._rpc_answers import Unsound
from defimon.sources._series import Batch, Cursor, Series, SeriesSource, Wanted
from defimon.store.database import Store

__all__ = ["Progress", "SeriesResult", "collect_all", "collect_series"]

AT_ONCE = 16
"""Series under way at once. Each holds one batch in memory; how many calls a host sees is a matter of the
client's manners."""

MOST_FAILURES = 2
"""At one gap a service may fail by what is asked; at this many in a row it is taken to be away."""


async def collect_all(
    thread: StoreThread,
    wanted: Iterable[tuple[SeriesSource, Series]],
    *,
    since: datetime | None = None,
    every_gap: bool = False,
    progress: Progress = lambda *_: None,
) -> list[SeriesResult]:
    """Collect many series beside each other, each as `collect_series`; results in the order asked.

    A series whose source fails says so in its result and stops no other. What the store raises stops all,
    since nothing can be collected without it; a mistake in a source's code is raised after the others are
    done.
    """
    places = asyncio.Semaphore(AT_ONCE)

    async def one(source: SeriesSource, series: Series) -> SeriesResult:
        async with places:
            return await collect_series(
                thread, source, series, since=since, every_gap=every_gap, progress=progress
            )

    tasks = [asyncio.create_task(one(source, series), name=series.name) for source, series in wanted]
    try:
        await _until_done_or_stopped(tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [task.result() for task in tasks]


async def _until_done_or_stopped(tasks: list[asyncio.Task[SeriesResult]]) -> None:
    """Raises what the store raises as soon as it does."""
    pending = set(tasks)
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            if isinstance(task.exception(), DefimonError):
                task.result()


async def collect_series(
    thread: StoreThread,
    source: SeriesSource,
    series: Series,
    *,
    since: datetime | None = None,
    every_gap: bool = False,
    progress: Progress = lambda *_: None,
    tally: Tally | None = None,
) -> SeriesResult:
    """Bring one series up to date, then back-fill the gaps that were open before, as far as they are due.

    `since` is where a series begins that has no position yet; one that has is told so. With `every_gap` none
    is spared. A fault of the source ends the run with what is stored so far, and is told in the result.
    `tally` holds the sums while it runs, for who interrupts it. Raises what the store raises.
    """
    tally = Tally(series.name) if tally is None else tally
    run = _Run(thread, source, series, progress, tally)
    fault = await run.follow(since)
    if fault is not None:
        tally.error = str(fault)
        tally.again_after_s = fault.after_seconds if isinstance(fault, TryAgain) else None
    else:
        await run.back_fill(every_gap=every_gap)
    return tally.result()


@dataclass(slots=True)
class _Run:
    thread: StoreThread
    source: SeriesSource
    series: Series
    progress: Progress
    tally: Tally
    noticed_before: tuple[Stretch, ...] = ()
    visited: datetime | None = None

    async def follow(self, since: datetime | None) -> DefimonError | None:
        """On from the stored position; answers with the fault that ended it early."""

        def start(store: Store) -> Wanted:
            cursor, self.visited = stored_position(store, self.series)
            gaps = read_gaps(store, self.series)
            self.noticed_before = tuple(gaps.open())
            known = dict(known_blocks(store, self.series, gaps, cursor))
            for table in self.source.compares(self.series):
                known[table] = store.read(table, where={"source": [self.series.source]})
            return Wanted(cursor=cursor, since=since, known=known, deeper=self._deeper)

        wanted = await self.thread.do(start)
        self.tally.cursor, self.tally.gaps_open = wanted.cursor, len(self.noticed_before)
        if since is not None and wanted.cursor is not None:
            self.tally.warnings.append(
                f"it goes on from its position; {since:%Y-%m-%d %H:%M} (--since) is for series without one"
            )
        return await self._batches(wanted, None)

    async def _deeper(self, start: int, end: int) -> pl.DataFrame:
        def read(store: Store) -> pl.DataFrame:
            return blocks_between(store, self.series, read_gaps(store, self.series), start, end)

        return await self.thread.do(read)

    async def back_fill(self, *, every_gap: bool) -> None:
        """Ask for gaps again. What the service refuses, or says unsoundly, is a matter of one gap alone; when
        it fails at `MOST_FAILURES` in a row, the others wait until they are due again. So they do when one of
        them has put the position back; blocks above the position are read by following it.
        """
        now, position = utc_now(), self.tally.cursor
        failures = 0
        due = [gap for gap in self.noticed_before if every_gap or is_due(gap, self.visited, now)]
        for gap in in_turn(due, now):
            if self.series.chain and position is not None and gap.start > position.number:
                continue
            fault = await self._fill(gap)
            if fault is not None:
                self.tally.warnings.append(f"{gap.start} to {gap.end} is still missing: {fault}")
            away = fault is not None and not isinstance(fault, BadData | Unsound)
            failures = failures + 1 if away else 0
            if failures == MOST_FAILURES or self.tally.cursor != position:
                return

    async def _fill(self, gap: Stretch) -> DefimonError | None:
        def around(store: Store) -> Mapping[str, pl.DataFrame] | None:
            gaps = read_gaps(store, self.series)
            if not gaps.inside(pl.Series([gap.start]))[0]:
                return None  # it was filled by following, or by another process
            return blocks_around(store, self.series, gaps, gap.start, gap.end)

        before = cursor_before(gap.start, gap.ts, self.tally.cursor)
        known = await self.thread.do(around)
        if known is None:
            return None
        wanted = Wanted(cursor=before, until=gap.end, known=known, deeper=self._deeper)
        return await self._batches(wanted, gap)

    async def _batches(self, wanted: Wanted, filling: Stretch | None) -> DefimonError | None:
        batches = self.source.batches(self.series, wanted)
        reached = wanted.cursor
        try:
            while True:
                try:
                    batch = await anext(batches)
                except StopAsyncIteration:
                    return None
                except DefimonError as fault:
                    return fault
                try:
                    reached = await self._store(batch, reached, filling)
                except BadData as fault:
                    return fault
        finally:
            if isinstance(batches, AsyncGenerator):
                await batches.aclose()

    async def _store(self, batch: Batch, reached: Cursor | None, filling: Stretch | None) -> Cursor | None:
        stored = await self.thread.do(lambda store: store_batch(store, self.series, batch, reached, filling))
        self.tally.add(stored)
        if filling is None or batch.repairs:
            self.tally.cursor = stored.cursor
        self.progress(self.series.name, batch.done, batch.total)
        return stored.cursor
