"""How many of a series' rows were doubted when they came, or set apart, on the last day that it tells of."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from defimon.flows._cursors import MICROSECOND
from defimon.sources._series import Series
from defimon.store.database import Store

DAY = timedelta(days=1)

FLAGS = {"yields": "flags"}
"""Column of a table that names what doubts a row that was let in, where it has one."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Rows of one source, or of one series of it, on the last day that it tells of: those that were let in,
    how many of them a quality rule flagged, and those that were set apart.
    """

    source: str
    rows: int
    flagged: int
    quarantined: int

    @property
    def share(self) -> float | None:
        """Doubted rows, flagged or set apart, as a fraction of all; None without rows."""
        every = self.rows + self.quarantined
        return (self.flagged + self.quarantined) / every if every else None


class Doubted:
    """Counts out of a store; `last` is how far each series has come."""

    def __init__(self, store: Store, last: Mapping[str, datetime]) -> None:
        self._store = store
        self._last = last
        self._newest: dict[str, datetime] = {}
        for name, ts in last.items():
            source = name.partition(":")[0]
            self._newest[source] = max(ts, self._newest.get(source, ts))
        self._counted: dict[tuple[str, datetime], dict[str, Quality]] = {}
        self._named: dict[str, tuple[list[str], list[str]]] = {}

    def by_source(self) -> list[Quality]:
        """Yields of each source that told any on its last day."""
        found = [self._whole("yields", source, ts) for source, ts in sorted(self._newest.items())]
        return [one for one in found if one is not None]

    def of(self, series: Series) -> Quality | None:
        """None for a series of which nothing is judged, or that told nothing on its last day.

        Where a source has one series of a table, its last day is the source's, counted once for both.
        """
        last = self._last.get(series.name)
        if not series.judged or last is None:
            return None
        if not series.pools:
            return self._whole(series.judged, series.source, self._newest[series.source])
        named = re.compile(series.pools).fullmatch
        kept, apart = self._names(series.judged)
        counts = self._counts(
            series.judged,
            last,
            [name for name in kept if named(name)],
            [key for key in apart if named(_of(series.judged, key))],
        )
        return counts.get(series.source)

    def _whole(self, table: str, source: str, last: datetime) -> Quality | None:
        if (table, last) not in self._counted:
            self._counted[table, last] = self._counts(table, last)
        return self._counted[table, last].get(source)

    def _counts(
        self, table: str, last: datetime, names: list[str] | None = None, keys: list[str] | None = None
    ) -> dict[str, Quality]:
        """By source, over the day up to `last`: all, or rows of those names and of those keys that were set
        apart.
        """
        edges = last - DAY, last + MICROSECOND
        kept = self._store.count_between(table, *edges, marked=FLAGS.get(table), among=names)
        apart = self._store.count_between("quarantine", *edges, where={"row_table": table}, among=keys)
        rows = {one.source: (one.rows, one.marked) for one in kept}
        away = {one.source: one.rows for one in apart}
        return {one: Quality(one, *rows.get(one, (0, 0)), away.get(one, 0)) for one in {*rows, *away}}

    def _names(self, table: str) -> tuple[list[str], list[str]]:
        """What rows of the table are of, and keys of those that were set apart."""
        if table not in self._named:
            apart = self._store.names("quarantine", where={"row_table": table})
            self._named[table] = self._store.names(table), apart
        return self._named[table]


def _of(table: str, key: str) -> str:
    """What a row that was set apart is of: yields have a pool and a place among its rows in their key."""
    return key.rpartition(" ")[0] if table == "yields" else key
