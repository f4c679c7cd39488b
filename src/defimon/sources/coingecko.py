"""CoinGecko: prices, market values, volumes and supplies of coins, now and as hourly history.

Traps: `total_volume` is the turnover of the last 24 hours, whatever the interval; a market value or supply
of zero means unknown; a chart of the last day alone comes in steps of five minutes, of up to 90 days in
hours, of more in days; without a key and with a demo key it tells 365 days.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from typing import ClassVar, Self
from urllib.parse import quote, urlsplit

import polars as pl

from defimon.core.chains import CHAINS
from defimon.core.settings import Settings
from defimon.core.tables import MARKET_PRICES
from defimon.core.units import EPOCH, utc_now
from defimon.sources._addresses import plain_key, service_address, slugs
from defimon.sources._coingecko_shape import (
    NO_HISTORY,
    TOO_MANY,
    prices_now,
    prices_then,
    refuse_report,
    reported,
)
from defimon.sources._http import Answer, Http, StatusRefused
from defimon.sources._manners import Manners
from defimon.sources._series import Batch, Cursor, Gap, Keep, Series, SeriesSource, Wanted
from defimon.sources._snapshots import missed_visits

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

AT_ONCE = 250
"""Coins in one `/coins/markets` answer: the most it takes."""
IN_HOURS = timedelta(days=90)
"""Longest stretch that is told by the hour."""
NOT_IN_MINUTES = timedelta(days=2)
"""Stretches that lie within the last day alone are told in steps of five minutes."""
TOLD = timedelta(days=365) - HOUR
"""How far back history goes without a paid plan, with an hour for the way."""

HOLE = timedelta(hours=6)
"""An hour or two without a price are usual for small coins; more may be an answer that was cut short."""

KEYED_GAP_S, KEYLESS_GAP_S = 2.0, 6.0
"""30 calls a minute with a demo key; 5 to 15 without one, as the load allows (docs.coingecko.com)."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class CoinGecko(SeriesSource):
    """Series `coingecko:markets` and `coingecko:history:<coin>`, of the settings' coins and those of chains
    that have nodes.
    """

    name = "coingecko"
    title = "CoinGecko"
    lag: ClassVar[timedelta] = timedelta(minutes=30)
    configured_by = ("DEFIMON_COINS", "DEFIMON_RPC_<CHAIN>", "DEFIMON_SUBSTRATE_<CHAIN>")

    def __init__(self, http: Http, settings: Settings, keep: Keep) -> None:
        self._http = http
        self._keep = keep
        self._url = service_address(
            settings.coingecko_url, "DEFIMON_COINGECKO_URL", "https://api.coingecko.com/api/v3"
        )
        key = plain_key(settings.coingecko_key, "DEFIMON_COINGECKO_KEY")
        self._headers = MappingProxyType({"x-cg-demo-api-key": key} if key else {})
        own = [CHAINS[name].coingecko for name in settings.followed_chains]
        coins = slugs(settings.coins, "DEFIMON_COINS", "curve-dao-token")
        self._coins = tuple(dict.fromkeys(filter(None, [*coins, *own])))
        self._every = timedelta(seconds=settings.prices_every_s)
        http.behave(self._url, _manners(self._url, http.manners, keyed=bool(key)))

    @classmethod
    def opened(cls, http: Http, settings: Settings, keep: Keep = lambda _: None) -> Self:
        return cls(http, settings, keep)

    def series(self) -> list[Series]:
        if not self._coins:
            return []
        history = [Series(f"{self.name}:history:{coin}", self.name, DAY) for coin in self._coins]
        return [Series(f"{self.name}:markets", self.name, self._every, judged="market_prices"), *history]

    async def batches(self, series: Series, wanted: Wanted) -> AsyncIterator[Batch]:
        """Prices as they stand; or hourly history on from the position, of a year where there is none."""
        if series.name == f"{self.name}:markets":
            yield await self._now(series, wanted)
            return
        coin = series.name.removeprefix(f"{self.name}:history:")
        async with aclosing(self._history(coin, wanted)) as batches:
            async for batch in batches:
                yield batch

    async def _now(self, series: Series, wanted: Wanted) -> Batch:
        parts = []
        for place in range(0, len(self._coins), AT_ONCE):
            ids = quote(",".join(self._coins[place : place + AT_ONCE]), safe="")
            value, answer = await self._asked(f"/coins/markets?vs_currency=usd&ids={ids}&per_page={AT_ONCE}")
            parts.append(prices_now(value, answer.fetched_at, where=answer.url, source=self.name))
        rows, apart = pl.concat(one.rows for one in parts), pl.concat(one.apart for one in parts)
        unpriced = sorted(set(self._coins) - set(rows["asset_id"]) - set(apart["row_key"]))
        missing = [f"CoinGecko tells no price of {', '.join(unpriced)}"] if unpriced else []
        warnings = (*missing, *(fault for one in parts for fault in one.faults))
        at = _cursor(answer.fetched_at)
        gaps = missed_visits(series, wanted, at.ts, at.number)
        if rows.is_empty():  # a visit that told nothing moves nothing, so that it counts as missed
            return Batch({"quarantine": apart}, warnings=warnings, done=1, total=1)
        frames = {"market_prices": rows, "quarantine": apart}
        return Batch(frames, None, at, gaps=gaps, warnings=warnings, done=1, total=1)

    async def _history(self, coin: str, wanted: Wanted) -> AsyncGenerator[Batch, None]:
        """Whole hours that are over, in stretches that are told by the hour.

        The position is that of the last price: what is told late, or not at all, is asked for again. Where
        prices are missing for hours there is a gap, except before the first one: then the coin is younger.
        """
        end = utc_now().replace(minute=0, second=0, microsecond=0)
        if wanted.until is not None:
            end = min(end, EPOCH + timedelta(microseconds=wanted.until - 1))
        start = wanted.cursor.ts if wanted.cursor else (wanted.since or end - TOLD)
        began, at = start, start
        gaps: tuple[Gap, ...] = ()
        told, told_from = wanted.cursor is not None, utc_now() - TOLD
        while at < end:
            until = min(at + IN_HOURS, end)
            try:
                rows = await self._stretch(coin, at, until)
            except StatusRefused as refusal:
                if not _is_too_old(refusal) or at >= told_from:
                    raise
                reason = "CoinGecko tells the last 365 days only"
                gaps = (Gap(_micros(at) + 1, _micros(told_from) + 1, reason, lost=True),)
                at = told_from
                continue
            whole = until < end or (wanted.until is not None and rows.height > 0)
            last = until if whole else max(rows["ts"].to_list(), default=None)
            if told or rows.height:
                gaps = (*gaps, *_holes(rows["ts"].to_list(), at if told else None, until if whole else None))
                told = True
            yield Batch(
                {"market_prices": rows},
                None,
                None if last is None else _cursor(last),
                gaps=gaps,
                done=_hours(until - began),
                total=_hours(end - began),
            )
            at, gaps = until, ()

    async def _stretch(self, coin: str, start: datetime, end: datetime) -> pl.DataFrame:
        """Hourly rows with `start` < ts <= `end`."""
        asked_from = min(start, end - NOT_IN_MINUTES)
        seconds = f"from={int(asked_from.timestamp())}&to={int(end.timestamp())}"
        path = f"/coins/{quote(coin, safe='')}/market_chart/range?vs_currency=usd&{seconds}"
        value, answer = await self._asked(path)
        rows = prices_then(value, coin, answer.fetched_at, where=answer.url, source=self.name)
        return MARKET_PRICES.validate(rows.filter((pl.col("ts") > start) & (pl.col("ts") <= end)))

    async def _asked(self, path: str) -> tuple[object, Answer]:
        value, answer = await self._http.get_json(f"{self._url}{path}", self._headers)
        self._keep(answer)
        if reported(value)[0] == TOO_MANY:
            self._http.slow_down(self._url)
        refuse_report(value, answer.url, self._url, self._headers)
        return value, answer


def _manners(url: str, manners: Manners, *, keyed: bool) -> Manners:
    if urlsplit(url).hostname in LOOPBACK:
        return manners
    return replace(manners, at_once=1, gap_s=KEYED_GAP_S if keyed else KEYLESS_GAP_S, first_wait_s=10.0)


def _is_too_old(refusal: StatusRefused) -> bool:
    return str(NO_HISTORY).encode() in refusal.body


def _holes(prices: list[datetime], start: datetime | None, end: datetime | None) -> tuple[Gap, ...]:
    """Where prices, which lie between `start` and `end` in rising order, are farther apart than `HOLE`."""
    edges = [*filter(None, [start]), *prices, *filter(None, [end])]
    return tuple(
        Gap(_micros(one) + 1, _micros(other) + (other not in prices), "CoinGecko told no price")
        for one, other in pairwise(edges)
        if other - one > HOLE
    )


def _cursor(ts: datetime) -> Cursor:
    return Cursor(_micros(ts), ts)


def _micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def _hours(stretch: timedelta) -> int:
    return int(stretch / HOUR)
