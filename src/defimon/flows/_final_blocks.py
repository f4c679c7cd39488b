"""Final blocks of a chain out of the store, a UTC day at a time and in order of height."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from defimon.core.units import EPOCH
from defimon.store.database import Store

DAY = timedelta(days=1)
CHUNK = 4_096
"""Heights read at once: some ten MB with the addresses of a busy chain."""

COLUMNS = (
    "number", "ts", "hash", "status", "transactions", "gas_used", "gas_limit", "creations", "calls", "events",
    "base_fee", "tip_p50", "fees", "value", "addresses", "known_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Day:
    """Final blocks of the day that begins at `start`, with the last one before it and the first one after.

    `after` is None while the day is not over: then only intervals up to the last block's time are known
    whole.
    """

    start: datetime
    before: pl.DataFrame
    blocks: pl.DataFrame
    after: pl.DataFrame | None

    def around(self) -> pl.DataFrame:
        """All of them in order."""
        parts = [self.before, self.blocks, *([] if self.after is None else [self.after])]
        return pl.concat(parts)


@dataclass(frozen=True, slots=True)
class FinalBlocks:
    """Blocks of one chain as one source tells them."""

    store: Store
    chain: str
    source: str

    def days(self, since: datetime | None) -> Iterator[Day]:
        """Every day from that of `since` (of the first block unless given) to that of the last final block.

        Days without a block between others come too.
        """
        extent = self.store.extent("blocks", "number", where=self._where)
        if extent is None:
            return
        low, high = extent
        if since is not None:
            first = self.first_since(start_of_day(since), low, high)
            below = self._last_below(first)
            low = first if below is None else below[0]
        before, day, held = pl.DataFrame(), None, pl.DataFrame()
        for chunk in self._chunks(low, high):
            if day is None:
                first_ts = chunk["ts"][0]
                day = start_of_day(first_ts if since is None else max(since, first_ts))
                earlier = chunk["ts"] < day
                before, held = chunk.filter(earlier).tail(1), chunk.filter(~earlier)
            else:
                held = pl.concat([held, chunk])
            while held.height and held["ts"][-1] >= day + DAY:
                inside = held["ts"] < day + DAY
                blocks, held = held.filter(inside), held.filter(~inside)
                yield Day(day, before, blocks, held.head(1))
                before, day = (blocks.tail(1) if blocks.height else before), day + DAY
        if day is not None:
            yield Day(day, before, held, None)

    def hash_at(self, number: int) -> str | None:
        """Hash of the final block at that height, as it stands now."""
        found = self._read(number, number + 1, ["hash", "status"])
        return found["hash"][0] if found.height and found["status"][0] == "final" else None

    def time_before(self, number: int) -> datetime | None:
        """Time of the last stored block below that height; None where there is none."""
        below = self._last_below(number)
        return None if below is None else below[1]

    def first_since(self, moment: datetime, low: int, high: int) -> int:
        """Least stored height whose block is of `moment` or later; `high` + 1 where there is none.

        Time does not fall from a block to the next, so that halving finds it.
        """
        while low <= high:
            middle = (low + high) // 2
            found = self._next(middle, high)
            if found is None or found[1] >= moment:
                high = middle - 1
            else:
                low = found[0] + 1
        found = self._next(low, low + CHUNK)
        return low if found is None else found[0]

    def _last_below(self, number: int) -> tuple[int, datetime] | None:
        """Last stored block below that height."""
        extent = self.store.extent("blocks", "number", where=self._where)
        width = 64
        while extent is not None and number > extent[0]:
            found = self._read(number - width, number, ["number", "ts"])
            if found.height:
                return found.row(-1)
            number, width = number - width, width * 16
        return None

    def _next(self, number: int, high: int) -> tuple[int, datetime] | None:
        """First stored block from that height on."""
        width = 64
        while number <= high:
            found = self._read(number, number + width, ["number", "ts"])
            if found.height:
                return found.row(0)
            number, width = number + width, width * 16
        return None

    def _chunks(self, low: int, high: int) -> Iterator[pl.DataFrame]:
        for number in range(low, high + 1, CHUNK):
            # Many a chain stamps its first block with 1970, which is no time of the chain.
            stamped = (pl.col("status") == "final") & (pl.col("ts") > EPOCH)
            found = self._read(number, number + CHUNK, COLUMNS).filter(stamped)
            if found.height:
                yield found

    @property
    def _where(self) -> dict[str, list[str]]:
        return {"chain": [self.chain], "source": [self.source]}

    def _read(self, low: int, high: int, columns: tuple[str, ...] | list[str]) -> pl.DataFrame:
        return self.store.read("blocks", where=self._where, between={"number": (low, high)}, columns=columns)


def start_of_day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
