"""What one pool paid, a page at a time, without reading more of the past than the page shows."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from defimon.core.tables import PANEL, YIELDS
from defimon.core.units import utc_now
from defimon.store.database import Store

COLUMNS = tuple(name for name in PANEL.names if name in YIELDS.names)
"""Columns of a pool's history."""

PACE = timedelta(minutes=15)
"""Pace of the source that tells most often (DEFIMON_YIELDS_EVERY_S): a first guess at what a page spans."""

GROWTH = 4
"""Times that each further stretch is longer than the one before it: years without a row take five reads."""

DAY = timedelta(days=1)
DAY_MICROS = 86_400_000_000


def history_page(
    store: Store,
    ids: list[str],
    *,
    as_of: datetime | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    daily: bool = False,
    limit: int,
) -> tuple[pl.DataFrame, bool]:
    """The first `limit` yields of one pool under its ids, the one it has now first, in order of time, one row
    a moment; and whether there are more.

    Of several sources at one moment the first by name is shown; rows under an older id end where those under
    the newer one begin. `daily` keeps the last row of each UTC day.
    """
    end = utc_now() + DAY if until is None else until
    own_since = _first(store, ids[:1], as_of) if len(ids) > 1 else None
    begin = since or _first(store, ids, as_of) or end
    width, found = limit * (DAY if daily else PACE), 0
    parts: list[pl.DataFrame] = []
    while begin < end and found <= limit:
        stop = min(_midnight_after(begin, width) if daily else begin + width, end)
        rows = store.read(
            YIELDS.name, as_of=as_of, where={"pool_id": ids}, since=begin, until=stop, columns=COLUMNS
        )
        part = _one_a_moment(rows, ids, own_since, daily=daily)
        parts += [part] if part.height else []
        found += part.height
        begin, width = stop, width * GROWTH
    if not parts:
        return YIELDS.empty().select(COLUMNS), False
    every = parts[0] if len(parts) == 1 else pl.concat(parts)
    return every.head(limit), found > limit


def _first(store: Store, ids: list[str], as_of: datetime | None) -> datetime | None:
    firsts = [store.earliest(YIELDS.name, where={"pool_id": one}, as_of=as_of) for one in ids]
    return min((first for first in firsts if first is not None), default=None)


def _midnight_after(begin: datetime, width: timedelta) -> datetime:
    """The first midnight that is at least so far away: a day is read whole."""
    day = (begin + width).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + DAY


def _one_a_moment(
    rows: pl.DataFrame, ids: list[str], since_when: datetime | None, *, daily: bool
) -> pl.DataFrame:
    """One row a moment under the id that the pool has now, since `since_when` if it had others before."""
    if len(ids) > 1:
        own = pl.col("pool_id") == ids[0]
        kept = pl.lit(value=True) if since_when is None else own | (pl.col("ts") < since_when)
        rows = rows.filter(kept).with_columns(pl.lit(ids[0]).alias("pool_id")).sort("ts", "source")
    # Those of one id are in the order of their key already. By numpy: a page of a year takes half as long.
    micros = rows["ts"].to_physical().to_numpy()
    first = np.append(np.ones(min(micros.size, 1), bool), micros[1:] != micros[:-1])
    if not daily:
        return rows.filter(pl.Series(first))
    days = micros // DAY_MICROS
    last_day = np.append(days[1:] != days[:-1], np.ones(min(days.size, 1), bool))
    # The first by source at the last moment of each day.
    moment = np.cumsum(first)
    ends = np.isin(moment, moment[last_day])
    return rows.filter(pl.Series(first & ends))
