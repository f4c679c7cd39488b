"""How long raw answers keep their bodies: of old snapshots of all pools one a day is enough.

A `/pools` answer takes 2 to 3 MB, and there are 96 a day. Its rows stay, and so does its row in
`raw_answers` with hash, time and length: an empty body beside a length says what was dropped. No other
answer is touched.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from defimon.core.settings import Settings
from defimon.core.units import start_of, utc_now
from defimon.sources._masking import masked
from defimon.store.database import Store

SOURCE = "defillama"
AT_A_TIME = 200
"""Bodies dropped in one transaction, so that a collector never waits long for the writer's place."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Bodies that were dropped, and their lengths uncompressed in bytes."""

    answers: int
    length: int


def drop_old_answers(store: Store, settings: Settings, now: datetime | None = None) -> Dropped:
    """Drop bodies of snapshots of all pools that are older than the setting `raw_keep_days`, all but the last
    of each UTC day. Running again drops nothing more.
    """
    request = masked(f"{settings.defillama_url.rstrip('/')}/pools")
    before = start_of((now or utc_now()).date()) - timedelta(days=settings.raw_keep_days)
    columns = ["sha256", "request", "ts", "length"]
    where = {"request": [request], "source": [SOURCE]}
    asked = store.read("raw_answers", where=where, until=before, columns=columns).sort("ts")
    old = asked.filter(pl.int_range(pl.len()).reverse().over(pl.col("ts").dt.date()) > 0)
    dropped, length = 0, 0
    for part in old.iter_slices(AT_A_TIME):
        names = store.drop_bodies(part["sha256"].to_list(), request)
        dropped += len(names)
        length += int(part.filter(pl.col("sha256").is_in(names))["length"].sum())
    return Dropped(dropped, length)
