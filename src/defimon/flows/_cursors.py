"""Where each series stands: read from and written to the table `cursors`."""

from datetime import datetime, timedelta

from defimon.core.tables import CURSORS
from defimon.core.units import EPOCH
from defimon.sources._series import Cursor, Series
from defimon.store.database import Store

MICROSECOND = timedelta(microseconds=1)


def stored_cursor(store: Store, series: Series) -> Cursor | None:
    """The newest position of the series; None before its first batch."""
    return stored_position(store, series)[0]


def stored_position(store: Store, series: Series) -> tuple[Cursor | None, datetime | None]:
    """The newest position of the series and when it was brought there; None before its first batch."""
    names = ["number", "ts", "detail", "known_at"]
    rows = store.read("cursors", where={"series": [series.name]}, columns=names)
    for number, ts, detail, moved_at in rows.iter_rows():
        return Cursor(number, ts, detail), moved_at
    return None, None


def write_cursor(store: Store, series: Series, cursor: Cursor, now: datetime) -> None:
    """Add the position as the newest one, inside the caller's transaction."""
    row = {
        "series": series.name,
        "ts": cursor.ts,
        "number": cursor.number,
        "detail": cursor.detail,
        "known_at": now,
        "source": series.source,
        "origin": "observed",
    }
    store.write("cursors", CURSORS.rows([row]))


def cursor_before(position: int, noticed: datetime, newest: Cursor | None) -> Cursor:
    """Cursor from which a back-fill of `position` starts.

    Its time follows from the position where the series counts in microseconds since 1970, as its newest
    cursor shows; else it is when the gap was noticed, since a height alone tells no time.
    """
    in_time = newest is not None and newest.number == (newest.ts - EPOCH) // MICROSECOND
    ts = EPOCH + (position - 1) * MICROSECOND if in_time else noticed
    return Cursor(position - 1, ts)
