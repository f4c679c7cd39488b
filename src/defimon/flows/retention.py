"""How long raw answers keep their bodies: what cannot be asked again for good, what can for some days.

A `/pools` answer takes 2 to 3 MB, and there are 96 a day: of old ones the last of each UTC day is enough.
Blocks with their receipts come to a gigabyte a day on a busy chain, and a chain tells its past again at any
time. Rows made of answers stay, and so does an answer's row with hash, time and length: an empty body beside
a length says what was dropped. No other answer is touched, unless all of them take more room than is set.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from defimon.core.settings import Settings
from defimon.core.units import start_of, utc_now
from defimon.flows._opened_sources import series_sources
from defimon.sources._masking import masked
from defimon.store.database import Store

SNAPSHOTS = "defillama"
MEGABYTE = 1_000_000
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
AT_A_TIME = 200
"""Bodies dropped in one transaction, so that a collector never waits long for the writer's place."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Bodies that were dropped, and their lengths uncompressed in bytes."""

    answers: int
    length: int

    def __add__(self, other: "Dropped") -> "Dropped":
        return Dropped(self.answers + other.answers, self.length + other.length)


def drop_old_answers(store: Store, settings: Settings, now: datetime | None = None) -> Dropped:
    """Drop bodies that are older than the setting `raw_keep_days`: of snapshots of all pools all but the last
    of each UTC day, of sources that remember their past (`SeriesSource.remembers`) all. Then, while bodies
    take more room than `raw_keep_mb`, the oldest ones: of such sources first. Running again drops nothing
    more.
    """
    remembering = [name for name, member in series_sources().items() if member.remembers]
    old = store.bodies(start_of((now or utc_now()).date()) - timedelta(days=settings.raw_keep_days))
    request = masked(f"{settings.defillama_url.rstrip('/')}/pools")
    snapshots = old.filter((pl.col("source") == SNAPSHOTS) & (pl.col("request") == request))
    but_last = pl.int_range(pl.len()).reverse().over(pl.col("ts").dt.date()) > 0
    dropped = _dropped(store, snapshots.filter(but_last))
    dropped += _dropped(store, old.filter(pl.col("source").is_in(remembering)))
    return dropped + _dropped(
        store, _over(store.bodies(LATEST), settings.raw_keep_mb * MEGABYTE, remembering)
    )


def _over(kept: pl.DataFrame, limit: int, remembering: list[str]) -> pl.DataFrame:
    """What has to go so that the rest is within the limit of bytes."""
    again = pl.col("source").is_in(remembering)
    last_to_go = kept.sort(again, "ts", descending=[False, True], maintain_order=True)
    return last_to_go.filter(pl.col("size").cum_sum() > limit)


def _dropped(store: Store, answers: pl.DataFrame) -> Dropped:
    done = Dropped(0, 0)
    for part in answers.iter_slices(AT_A_TIME):
        names = store.drop_bodies(part["sha256"].to_list(), part["request"].unique().to_list())
        done += Dropped(len(names), int(part.filter(pl.col("sha256").is_in(names))["length"].sum()))
    return done
