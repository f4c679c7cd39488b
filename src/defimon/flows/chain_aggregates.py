"""Hourly and daily figures of chains, from their final blocks and from what others say of them.

An hour counts once a later block is final. What it lacks is told by `missing_blocks`, never left out in
silence; blocks that come later correct it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import polars as pl

from defimon.core.tables import CHAIN_AGGREGATES
from defimon.core.units import EPOCH, utc_now
from defimon.flows._block_figures import figures, missing_blocks
from defimon.flows._chain_market import MarketRows, market_figures
from defimon.flows._cursors import stored_cursor, write_cursor
from defimon.flows._final_blocks import DAY, Day, FinalBlocks, start_of_day
from defimon.sources._series import Cursor, Series
from defimon.store.database import Store, Written

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done, and how many there are."""

HOUR = timedelta(hours=1)
INTERVALS = (HOUR, DAY)


@dataclass(frozen=True, slots=True)
class Aggregated:
    """What was written for one chain as one source tells of it; `until` is where its figures end."""

    chain: str
    source: str
    written: Written
    until: datetime | None


def aggregate_chains(
    store: Store,
    chains: Sequence[str] = (),
    *,
    since: datetime | None = None,
    progress: Progress = lambda *_: None,
) -> list[Aggregated]:
    """Bring the aggregates of those chains (of all unless named) up to date.

    Goes on from the day of the last whole hour, or from the earliest day on which a gap was settled since;
    from the beginning when a block that counted as final was replaced. `since` begins at that day instead.
    A day is written in one transaction.
    """
    results = []
    followed = [pair for pair in _followed(store) if not chains or pair[0] in chains]
    for place, (chain, source) in enumerate(followed):
        progress("chain aggregates", place, len(followed))
        results.append(_aggregate(store, chain, source, since))
    progress("chain aggregates", len(followed), len(followed))
    names = sorted({chain for chain, _ in followed} | set(chains))
    return results + [_market(store, chain, since) for chain in names]


def _followed(store: Store) -> list[tuple[str, str]]:
    """Chain and source of every series of blocks that has a position."""
    names = [name.split(":") for name in store.names("cursors")]
    return [(parts[1], parts[0]) for parts in names if len(parts) == 3 and parts[2] == "blocks"]


def _series(chain: str, source: str) -> Series:
    return Series(f"chain_aggregates:{chain}:{source}", source, HOUR, chain)


def _aggregate(store: Store, chain: str, source: str, since: datetime | None) -> Aggregated:
    blocks = FinalBlocks(store, chain, source)
    series = _series(chain, source)
    stand = _Stand.of(store, series)
    if stand.cursor is not None and blocks.hash_at(stand.cursor.number) != stand.cursor.detail:
        stand = _Stand()  # a block that counted as final was replaced
    settled = _settled(store, blocks)
    written = Written()
    until: datetime | None = None
    for day in blocks.days(since or _resume(blocks, stand, settled)):
        until = _whole_until(day)
        rows = pl.concat([_rows(day, length, until, series) for length in INTERVALS])
        last = day.around().filter(pl.col("ts") < until).tail(1)
        with store.transaction():
            written = written + store.write("chain_aggregates", rows)
            if last.height:
                stand = stand.moved(last["number"][0], until, last["hash"][0])
                stand.write(store, series)
    if stand.cursor is not None and settled.height:
        stand = replace(stand, settled=settled["known_at"].max())  # type: ignore[arg-type]
        stand.write(store, series)
    return Aggregated(chain, source, written, until)


@dataclass(frozen=True, slots=True)
class _Stand:
    """Last block that aggregates hold, and the newest change of a gap that they know of."""

    cursor: Cursor | None = None
    settled: datetime = EPOCH

    @classmethod
    def of(cls, store: Store, series: Series) -> "_Stand":
        cursor = stored_cursor(store, series)
        if cursor is None:
            return cls()
        block, _, settled = cursor.detail.partition(" ")
        return cls(replace(cursor, detail=block), datetime.fromisoformat(settled))

    def moved(self, number: int, ts: datetime, block: str) -> "_Stand":
        """Further on; it does not go back while earlier days are done again."""
        if self.cursor is not None and number < self.cursor.number:
            return self
        return replace(self, cursor=Cursor(number, ts, block))

    def write(self, store: Store, series: Series) -> None:
        if self.cursor is not None:
            detail = f"{self.cursor.detail} {self.settled.isoformat()}"
            write_cursor(store, series, replace(self.cursor, detail=detail), utc_now())


def _settled(store: Store, blocks: FinalBlocks) -> pl.DataFrame:
    """Gaps of the chain's blocks, as they stand."""
    return store.read("gaps", where={"series": [f"{blocks.source}:{blocks.chain}:blocks"]})


def _resume(blocks: FinalBlocks, stand: _Stand, gaps: pl.DataFrame) -> datetime | None:
    """Day from which to aggregate again; None for the beginning."""
    if stand.cursor is None:
        return None
    since = start_of_day(stand.cursor.ts)
    changed = gaps.filter(pl.col("known_at") > stand.settled)
    if changed.is_empty():
        return since
    before = blocks.time_before(int(changed["start"].min()))  # type: ignore[arg-type]
    return None if before is None else min(since, start_of_day(before))


def _whole_until(day: Day) -> datetime:
    """End of the last hour of the day that has a final block after it."""
    if day.after is not None or day.blocks.is_empty():
        return day.start + DAY if day.after is not None else day.start
    last: datetime = day.blocks["ts"].to_list()[-1]
    return last.replace(minute=0, second=0, microsecond=0)


def _rows(day: Day, length: timedelta, ends: datetime, series: Series) -> pl.DataFrame:
    """Rows for the whole intervals of a day."""
    starts = list(_starts(day, length, ends))
    if not starts:
        return CHAIN_AGGREGATES.empty()
    around = day.around()
    below = pl.col("number").shift(1) == pl.col("number") - 1
    seconds = (pl.col("ts") - pl.col("ts").shift(1)).dt.total_microseconds() / 1e6
    timed = around.with_columns(block_time=pl.when(below).then(seconds))
    inside = timed.filter((pl.col("ts") >= starts[0]) & (pl.col("ts") < starts[-1] + length))
    heights = around.select("number", "ts").rows()
    lacking = pl.DataFrame(
        {"start": starts, "metric": "missing_blocks", "value": missing_blocks(heights, starts, length)},
        schema_overrides={"value": pl.Float64, "start": around.schema["ts"]},
    )
    found = pl.concat([figures(inside, starts, length), lacking], how="diagonal")
    return _as_rows(found, around, length, series)


def _starts(day: Day, length: timedelta, ends: datetime) -> Iterator[datetime]:
    """Starts of the intervals that are known whole: after the first block ever read, or from the genesis."""
    number, first = -1, day.start
    if not day.before.height and day.blocks.height:
        number, first = day.blocks.select("number", "ts").row(0)
    start = day.start
    while start + length <= ends:
        if start + length > first if 0 <= number <= 1 else start >= first:
            yield start
        start += length


def _as_rows(found: pl.DataFrame, around: pl.DataFrame, length: timedelta, series: Series) -> pl.DataFrame:
    """An interval is known when its last block is and the one after it, which shows that it is over."""
    learnt = around.select("ts", passed="known_at").sort("ts")
    timed = found.with_columns(ts=pl.col("start") + length).sort("ts")
    passed = timed.join_asof(learnt, on="ts", strategy="forward")
    per_interval = passed.with_columns(pl.col("known_at").max().over("start"))
    return CHAIN_AGGREGATES.validate(
        per_interval.select(
            pl.lit(series.chain).alias("chain"),
            "metric",
            pl.lit(int(length.total_seconds()), dtype=pl.Int64).alias("interval_s"),
            "ts",
            "value",
            pl.max_horizontal("known_at", "passed", "ts").alias("known_at"),
            pl.lit(series.source).alias("source"),
            pl.lit("derived").alias("origin"),
        )
    )


def _market(store: Store, chain: str, since: datetime | None) -> Aggregated:
    """On from the day of the newest row that was aggregated, where the rows up to it are as they were."""
    told, series = MarketRows.of(store, chain), _series(chain, "market")
    stand, last = stored_cursor(store, series), told.last()
    if last is None:
        return Aggregated(chain, "market", Written(), None)
    if since is None and stand is not None and told.fingerprint(stand.ts) == stand.detail:
        if stand.ts == last:
            return Aggregated(chain, "market", Written(), last)
        since = stand.ts
    rows = market_figures(told, since)
    number = (last - EPOCH) // EPOCH.resolution
    with store.transaction():
        written = store.write("chain_aggregates", rows)
        write_cursor(store, series, Cursor(number, last, told.fingerprint(last)), utc_now())
    return Aggregated(chain, "market", written, rows["ts"].max() if rows.height else last)  # type: ignore[arg-type]
