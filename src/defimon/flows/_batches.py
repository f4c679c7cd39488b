"""One batch into the store: its rows, the position it reaches and the gaps it leaves, in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass, field

from defimon.core.tables import QUARANTINE
from defimon.core.units import utc_now
from defimon.flows._cursors import stored_cursor, write_cursor
from defimon.flows._repeats import without_repeats
from defimon.flows.collect import store_verdict
from defimon.flows.gaps import GapLedger, Stretch
from defimon.quality._base import check
from defimon.sources._series import Batch, Cursor, Series
from defimon.store.database import Store, Written

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class SeriesResult:
    """What became of one series.

    `rows_in` rows came; of those `inserted` were new, `corrected` say something else than before, `unchanged`
    were known, and `quarantined` were kept apart. `gaps_open` stretches are still missing, `gaps_filled` were
    filled now. `cursor` is where the series stands. `error` says why the source failed, if it did, and
    `again_after_s` when it asks to be asked again; what came before is stored.
    """

    series: str
    rows_in: int = 0
    inserted: int = 0
    corrected: int = 0
    unchanged: int = 0
    quarantined: int = 0
    gaps_open: int = 0
    gaps_filled: int = 0
    warnings: tuple[str, ...] = ()
    cursor: Cursor | None = None
    error: str = ""
    again_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What one batch did; `cursor` is where the series, or the back-fill, stands after it."""

    written: Written
    quarantined: int
    cursor: Cursor | None
    gaps_filled: int
    gaps_open: int
    warnings: tuple[str, ...]


def store_batch(
    store: Store, series: Series, batch: Batch, reached: Cursor | None, filling: Stretch | None
) -> Stored:
    """Write a batch that continues from `reached`, all or nothing.

    `filling` is the gap that is back-filled: then the series' own cursor stays, unless the batch repairs,
    which puts it back. Raises BadData, and stores nothing, when rows break their contract.
    """
    verdict = None if batch.panel is None else check(batch.panel, scopes=("row", "day"))
    written, quarantined, warnings = Written(), 0, list(batch.warnings)
    with store.transaction():
        for table, frame in batch.rows.items():
            stored = store.write(table, frame, told_now=True)
            if table == QUARANTINE.name:
                quarantined, stored = quarantined + frame.height, Written(rows_in=frame.height)
            written = written + stored
        if verdict is not None:
            new = without_repeats(store, verdict) if batch.now_only else verdict
            apart, again = verdict.quarantined.height, verdict.kept.height - new.kept.height
            quarantined += apart
            written = written + store_verdict(store, new, told_now=True)
            written = written + Written(rows_in=apart + again, unchanged=again)
        cursor = batch.cursor or reached
        if batch.cursor is not None and filling is None:
            cursor = _moved(store, series, batch.cursor, batch, warnings)
        elif batch.cursor is not None and batch.repairs:
            cursor = _put_back(store, series, batch.cursor)
        filled, still_open = _note_gaps(store, series, batch, _covered(batch, reached, filling))
    return Stored(written, quarantined, cursor, filled, still_open, tuple(warnings))


def _moved(store: Store, series: Series, cursor: Cursor, batch: Batch, warnings: list[str]) -> Cursor:
    """The position after the batch. It goes back only to repair: another process may be further already."""
    newest = stored_cursor(store, series)
    if newest is not None and cursor.number < newest.number and not batch.repairs:
        warnings.append(f"the service stands at {cursor.number}, behind {newest.number} which is stored")
        return newest
    write_cursor(store, series, cursor, utc_now())
    return cursor


def _put_back(store: Store, series: Series, cursor: Cursor) -> Cursor:
    """The position after a back-fill that found blocks replaced beside its gap: never further than it was."""
    newest = stored_cursor(store, series)
    if newest is not None and newest.number <= cursor.number:
        return newest
    write_cursor(store, series, cursor, utc_now())
    return cursor


def _covered(batch: Batch, reached: Cursor | None, filling: Stretch | None) -> tuple[int, int]:
    """Positions, from the first to before the second, that were missing or unknown and are stored now."""
    if batch.cursor is None or reached is None or (filling is not None and batch.repairs):
        return 0, 0
    end = batch.cursor.number + 1
    return reached.number + 1, end if filling is None else min(end, filling.end)


def _note_gaps(store: Store, series: Series, batch: Batch, covered: tuple[int, int]) -> tuple[int, int]:
    """Write what became of the series' gaps; answers with how many stretches were filled, and are open."""
    ledger = read_gaps(store, series)
    now = utc_now()
    ledger.fill(*covered, but=batch.gaps)
    for gap in batch.gaps:
        ledger.notice(gap, now)
    store.write("gaps", ledger.changes(series.name, series.source, now))
    return ledger.filled(), len(ledger.open())


def read_gaps(store: Store, series: Series) -> GapLedger:
    return GapLedger.from_rows(store.read("gaps", where={"series": [series.name]}))


@dataclass(slots=True)
class Tally:
    """Sums over the batches of one run of a series, while it is under way."""

    series: str
    cursor: Cursor | None = None
    written: Written = field(default_factory=Written)
    quarantined: int = 0
    gaps_filled: int = 0
    gaps_open: int = 0
    warnings: list[str] = field(default_factory=list)
    error: str = ""
    again_after_s: float | None = None

    def add(self, stored: Stored) -> None:
        self.written = self.written + stored.written
        self.quarantined += stored.quarantined
        self.gaps_filled += stored.gaps_filled
        self.gaps_open = stored.gaps_open
        self.warnings += [text for text in stored.warnings if text not in self.warnings]

    def result(self) -> SeriesResult:
        return SeriesResult(
            series=self.series,
            rows_in=self.written.rows_in,
            inserted=self.written.inserted,
            corrected=self.written.corrected,
            unchanged=self.written.unchanged,
            quarantined=self.quarantined,
            gaps_open=self.gaps_open,
            gaps_filled=self.gaps_filled,
            warnings=tuple(self.warnings),
            cursor=self.cursor,
            error=self.error,
            again_after_s=self.again_after_s,
        )
