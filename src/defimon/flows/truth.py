"""What came true: stored forecasts get their truth once the days that they spoke of have been observed."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import polars as pl

from defimon.core.errors import BadData
from defimon.core.tables import FORECASTS
from defimon.core.units import UTC_MICROS
from defimon.flows.load import daily as daily_panel
from defimon.flows.pool_aliases import names_now
from defimon.flows.prepare import target_of
from defimon.flows.stored import stored_panel
from defimon.store.database import Store

TRUE_TARGETS = ("apy_drop", "apy_mean", "apy_volatility")
"""Targets of stored forecasts whose truth the store can tell."""

LOOKED_BACK = timedelta(days=120)
"""Age of a forecast beyond which a correction of old yields changes its truth no more."""


CARRIED = pl.Schema(
    {
        "pool_id": pl.String(),
        "day": pl.Date(),
        "target": pl.String(),
        "horizon": pl.Int64(),
        "known_at": UTC_MICROS,
        "anchor": pl.Float64(),
    }
)


def write_truth(store: Store, *, at: datetime | None = None) -> int:
    """Give stored forecasts the `y` of the days that they spoke of, and the yardstick's answer where it is
    missing; rows that changed, each as a correction with a later `known_at`.

    A day counts once it is over, `at` being now unless given. Labels are those of the target's plug-in on
    the store as it is known by then, so that gaps leave `y` null. The yardstick's answer follows from what
    was known when the forecast was made. Running it again changes nothing.
    """
    now = at or store.now()
    said = _ended(store, now)
    if said.is_empty():
        return 0
    daily = _days(store, at)
    if daily is None:
        return 0
    labels = _labels(daily.filter(pl.col("day") < now.date()), _kinds(said))
    on = ["pool", "day", "target", "horizon"]
    told = said.join(labels, on=on, how="left", maintain_order="left")
    told = _with_yardsticks(store, told)
    news = told.filter(
        (pl.col("truth").is_not_null() & pl.col("y").ne_missing(pl.col("truth")))
        | pl.col("yardstick").ne_missing(pl.col("carried"))
    )
    rows = news.with_columns(
        pl.coalesce("truth", "y").alias("y"),
        pl.col("carried").alias("yardstick"),
        pl.coalesce("said_at", "known_at").alias("said_at"),
        pl.lit(now).cast(UTC_MICROS).alias("known_at"),
    )
    written = store.write(FORECASTS.name, rows.select(FORECASTS.names[:-1]))
    return written.inserted + written.corrected


def _ended(store: Store, now: datetime) -> pl.DataFrame:
    """Forecasts whose window was over before today, with the pool's id of now as `pool`, and `day`."""
    rows = store.read(
        FORECASTS.name, where={"target": TRUE_TARGETS}, since=now - LOOKED_BACK, until=now, as_of=now
    )
    day = pl.col("ts").dt.date()
    return rows.with_columns(
        pl.col("pool_id").replace(names_now(store)).alias("pool"), day.alias("day")
    ).filter(day + pl.duration(days=pl.col("horizon")) < pl.lit(now.date()))


def _days(store: Store, at: datetime | None) -> pl.DataFrame | None:
    """The daily panel; None while the store holds no yields: forecasts may come from a file."""
    try:
        return daily_panel(stored_panel(store, as_of=at))
    except BadData:
        return None


def _kinds(said: pl.DataFrame) -> list[tuple[str, int]]:
    return sorted(said.select("target", "horizon").unique().iter_rows())


def _labels(daily: pl.DataFrame, kinds: Iterable[tuple[str, int]]) -> pl.DataFrame:
    """`pool, day, target, horizon, truth` of each kind, from the target's own plug-in."""
    return pl.concat(
        target_of(name, horizon)
        .label(daily)
        .select(
            pl.col("pool_id").alias("pool"),
            "day",
            pl.lit(name).alias("target"),
            pl.lit(horizon, pl.Int64).alias("horizon"),
            pl.col("y").alias("truth"),
        )
        for name, horizon in kinds
    )


def _with_yardsticks(store: Store, said: pl.DataFrame) -> pl.DataFrame:
    """The rows with `carried`, what the yardstick said on the day of the forecast: as stored with it, else
    made from what the store knew at that moment.
    """
    missing = said.filter(pl.col("yardstick").is_null())
    parts = [
        _carried(store, moment, _kinds(part))
        for (moment,), part in missing.partition_by("known_at", as_dict=True).items()
        if isinstance(moment, datetime)
    ]
    if not parts:
        return said.with_columns(pl.col("yardstick").alias("carried"))
    on = ["pool_id", "day", "target", "horizon", "known_at"]
    joined = said.join(pl.concat(parts), on=on, how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("yardstick", "anchor").alias("carried"))


def _carried(store: Store, moment: datetime, kinds: Iterable[tuple[str, int]]) -> pl.DataFrame:
    """`pool_id, day, target, horizon, known_at, anchor` as the store knew it at `moment`."""
    daily = _days(store, moment)
    if daily is None:
        return pl.DataFrame(schema=CARRIED)
    return pl.concat(
        target_of(name, horizon)
        .anchor(daily)
        .select(
            "pool_id",
            "day",
            pl.lit(name).alias("target"),
            pl.lit(horizon, pl.Int64).alias("horizon"),
            pl.lit(moment).cast(UTC_MICROS).alias("known_at"),
            pl.col("anchor").cast(pl.Float64),
        )
        for name, horizon in kinds
    )
