"""DefiLlama's yield service: today's pools of all protocols, and the daily chart of one pool."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import quote

import polars as pl

from defimon.core.errors import BadData
from defimon.core.units import UTC_MICROS, fraction_from_percent
from defimon.sources._addresses import service_address
from defimon.sources._base import LiveSource, as_panel
from defimon.sources._defillama_shape import (
    CHART_FIELDS,
    POOL_FIELDS,
    metas_of,
    rows_of,
    without_long_names,
)
from defimon.sources._http import Answer, Http
from defimon.sources._names import chain_name

STAMP_LIKE = "2022-05-03T00:00:00.000Z"
HOUR_OF_DAY_POINT = timedelta(hours=23)
"""A stamp of exactly midnight names a day; its point is the 23:00 UTC hour, the last one of the day."""

COLUMN_OF: Mapping[str, str] = MappingProxyType(
    {
        "pool": "pool_id",
        "project": "protocol",
        "chain": "chain",
        "symbol": "symbol",
        "stablecoin": "stablecoin",
        "tvlUsd": "tvl_usd",
        "volumeUsd1d": "volume_24h_usd",
        "apy": "apy",
        "apyBase": "apy_base",
        "apyReward": "apy_reward",
    }
)
PERCENT = ("apy", "apy_base", "apy_reward")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an answer says, as rows of the standard panel, and the answer as it came.

    `metas` are what tells the pools of a snapshot from others of the same symbol, in the panel's order;
    `apart` rows of a snapshot that cannot be used, as they came.
    """

    panel: pl.DataFrame
    answer: Answer
    metas: pl.DataFrame = field(default_factory=pl.DataFrame)
    apart: Sequence[Mapping[str, Any]] = ()


class DefiLlamaYields(LiveSource):
    """Client of yields.llama.fi or of a service that answers alike.

    Adaptors run hourly and a chart may come from a cache of an hour, hence the lag: a point of a chart counts
    as known an hour after its stamp, whenever it is fetched. Values may be out of range and `apy` null: the
    quality rules judge them.
    """

    name = "defillama"
    title = "DefiLlama yields, live"
    lag: ClassVar[timedelta] = timedelta(hours=1)

    def __init__(
        self,
        http: Http,
        url: str = "https://yields.llama.fi",
        keep: Callable[[Answer], object] = lambda _: None,
    ) -> None:
        """`http` must be open; `keep` is handed every whole answer before its shape is looked at.

        Raises FixSettings when `url` is no http address.
        """
        self.http = http
        self.keep = keep
        self.url = service_address(url, "DEFIMON_DEFILLAMA_URL", "https://yields.llama.fi")

    def chart_url(self, pool_id: str) -> str:
        return f"{self.url}/chart/{quote(pool_id, safe='')}"

    async def pools(self) -> Fetched:
        """Every pool as it stands now: one row each, `ts` and `known_at` being the time of fetching.

        Raises TryAgain, or BadData that names row and field for another shape than documented.
        """
        told, answer = await self.kept(f"{self.url}/pools")
        value, apart = without_long_names(told)
        panel = panel_of_pools(value, answer.fetched_at, where=answer.url)
        return Fetched(panel, answer, metas_of(value), apart)

    async def chart(self, pool_id: str) -> Fetched:
        """Daily history of one pool, today's unfinished day last; attributes of the pool are null.

        Raises as `pools` does.
        """
        value, answer = await self.kept(self.chart_url(pool_id))
        return Fetched(panel_of_chart(value, pool_id, answer.fetched_at, where=answer.url), answer)

    async def kept(self, url: str) -> tuple[object, Answer]:
        """A parsed answer, which is kept as it came."""
        value, answer = await self.http.get_json(url)
        self.keep(answer)
        return value, answer


def panel_of_pools(value: object, fetched_at: datetime, *, where: str) -> pl.DataFrame:
    """Standard panel of a parsed `/pools` answer; raises BadData for another shape or a pool twice."""
    rows = rows_of(value, POOL_FIELDS, where=where)
    if rows.is_empty():
        raise BadData(f"{where}: no pool at all, expected thousands.")
    twice = rows.filter(pl.col("pool").is_duplicated())["pool"].unique(maintain_order=True)
    if len(twice):
        raise BadData(f"{where}: field pool: {twice[0]!r} stands in more than one row, expected once.")
    now = pl.lit(fetched_at, dtype=UTC_MICROS)
    return as_panel(
        _ours(rows).with_columns(now.alias("ts"), now.alias("known_at"), chain_name(pl.col("chain"))),
        DefiLlamaYields,
        where=where,
    )


def panel_of_chart(value: object, pool_id: str, fetched_at: datetime, *, where: str) -> pl.DataFrame:
    """Standard panel of a parsed `/chart/{pool}` answer; raises BadData for another shape."""
    rows = rows_of(value, CHART_FIELDS, where=where)
    stamp = pl.col("timestamp").str.to_datetime(
        "%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", time_zone="UTC", strict=False
    )
    stamps = rows.select("timestamp", ts=stamp)
    unread = stamps["ts"].is_null()
    if unread.any():
        place = unread.arg_true()[0]
        found = stamps["timestamp"][place]
        raise BadData(
            f"{where}: {unread.sum()} stamp(s) cannot be read:",
            rows=[f"row {place + 1}, field timestamp: found {found!r}, expected such as {STAMP_LIKE}"],
        )
    end_of_day = pl.col("ts") + HOUR_OF_DAY_POINT
    names_a_day = (pl.col("ts") == pl.col("ts").dt.truncate("1d")) & (end_of_day <= fetched_at)
    return as_panel(
        _ours(rows)
        .with_columns(stamps["ts"], pl.lit(pool_id).alias("pool_id"))
        .with_columns(pl.when(names_a_day).then(end_of_day).otherwise("ts").alias("ts")),
        DefiLlamaYields,
        where=where,
    )


def _ours(rows: pl.DataFrame) -> pl.DataFrame:
    renamed = rows.select(pl.col(name).alias(COLUMN_OF[name]) for name in rows.columns if name in COLUMN_OF)
    return renamed.with_columns(fraction_from_percent(pl.col(name)) for name in PERCENT)
