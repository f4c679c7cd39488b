"""How long raw answers keep their bodies: what cannot be asked again for good, what can for some days.

A `/pools` answer takes 2 to 3 MB, and there are 96 a day: of old ones the last of each UTC day is enough.
Blocks with their receipts come to a gigabyte a day on a busy chain, and a chain tells its past again at any
time. Rows made of answers stay, and so does an answer's row with hash, time and length: an empty body beside
a length says what was dropped. No other answer is touched.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from defimon.core.settings import Settings
from defimon.core.units import start_of, utc_now
from defimon.flows._opened_sources import series_sources
from defimon.sources._masking import masked
from defimon.store.database import Store

SNAPSHOTS = "defillama"
AT_A_TIME = 200
"""Bodies dropped in one transaction, so that a collector never waits long for the writer's place."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Bodies that were dropped, and their lengths uncompressed in bytes."""

    answers: int
    length: int


def drop_old_answers(store: Store, settings: Settings, now: datetime | None = None) -> Dropped:
    """Drop bodies that are older than the setting `raw_keep_days`: of snapshots of all pools all but the last
    of each UTC day, of sources that remember their past (`SeriesSource.remembers`) all. Running again drops
    nothing more.
    """
    request = masked(f"{settings.defillama_url.rstrip('/')}/pools")
    remembering = [name for name, member in series_sources().items() if member.remembers]
    old = store.bodies(start_of((now or utc_now()).date()) - timedelta(days=settings.raw_keep_days))
    snapshots = old.filter((pl.col("source") == SNAPSHOTS) & (pl.col("request") == request))
    but_last = pl.int_range(pl.len()).reverse().over(pl.col("ts").dt.date()) > 0
    dropped, length = 0, 0
    for kind in (snapshots.filter(but_last), old.filter(pl.col("source").is_in(remembering))):
        for part in kind.iter_slices(AT_A_TIME):
            names = store.drop_bodies(part["sha256"].to_list(), part["request"].unique().to_list())
            dropped += len(names)
            length += int(part.filter(pl.col("sha256").is_in(names))["length"].sum())
    return Dropped(dropped, length)
