"""DefiLlama: every pool every quarter of an hour, charts of the followed ones, figures of protocols, chains.

Traps that a reader of its figures should know: `apy` mixes realised, instantaneous and modelled yields and
is the sum of its parts only where both are sent; losses show as zero; an update over five times the last one
is dropped, so that gaps stand exactly at spikes; pools vanish below 10,000 USD, and protocols after a hack;
history is edited afterwards. Impermanent loss (`il7d`) is not read: the service turns its zero into null.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Self

import structlog

from defimon.core.chains import CHAINS
from defimon.core.errors import BadData, TryAgain
from defimon.core.settings import Settings
from defimon.core.tables import PANEL, POOLS
from defimon.core.units import EPOCH, utc_now
from defimon.sources import _defillama_questions as questions
from defimon.sources._addresses import service_address, slugs
from defimon.sources._defillama_choice import choose
from defimon.sources._defillama_listing import changes
from defimon.sources._defillama_yields import DefiLlamaYields, Fetched, panel_of_chart, panel_of_pools
from defimon.sources._http import Answer, Http, StatusRefused
from defimon.sources._series import Batch, Cursor, Gap, Keep, Series, SeriesSource, Wanted
from defimon.sources._set_apart import set_apart
from defimon.sources._snapshots import missed_visits

log = structlog.get_logger(__name__)

DAY = timedelta(days=1)
ATTRIBUTES = ("protocol", "chain", "symbol", "stablecoin")

FAILURES_IN_A_ROW = 8
"""After so many charts in a row that could not be had, each with all its retries, no more are asked for."""

LACKING = "many pools were lacking"
"""Remembered with the position of a snapshot that may have been cut short, for the next one."""

SNAPSHOT_STANDS = timedelta(minutes=10)
"""How long a snapshot that one series has fetched serves another one: adaptors run hourly."""


class DefiLlama(DefiLlamaYields, SeriesSource):
    """Series `defillama:pools`, `defillama:charts`, `defillama:protocol:<slug>`, `defillama:chain:<chain>`.

    Every pool is taken as it stands; a pool that is not named any more is marked, and again when it returns.
    Charts are those of the followed pools, once a UTC day.
    """

    name = "defillama"
    title = "DefiLlama yields, live"

    def __init__(
        self,
        http: Http,
        url: str = "https://yields.llama.fi",
        keep: Callable[[Answer], object] = lambda _: None,
        settings: Settings | None = None,
    ) -> None:
        """`http` must be open; `keep` is handed every whole answer before its shape is looked at.

        Without `settings` it is a client without series. Raises FixSettings when an address is none.
        """
        super().__init__(http, url, keep)
        self._settings = settings
        self._questions: dict[str, list[questions.Question]] = {}
        self._snapshot: Fetched | None = None
        self._had: dict[str, bool] = {}
        """By pool, whether its chart was had, of those that this day's visit has asked for."""
        self._asked_at = EPOCH
        self._one_at_a_time = asyncio.Lock()
        if settings is not None:
            self._questions = _questions_of(settings)

    @classmethod
    def opened(cls, http: Http, settings: Settings, keep: Keep = lambda _: None) -> Self:
        return cls(http, settings.defillama_url, keep, settings)

    def compares(self, series: Series) -> tuple[str, ...]:
        return ("pools",) if series.name == f"{self.name}:pools" else ()

    def series(self) -> list[Series]:
        if self._settings is None:
            return []
        pace = timedelta(seconds=self._settings.yields_every_s)
        found = [
            Series(f"{self.name}:pools", self.name, pace, judged="yields"),
            Series(f"{self.name}:charts", self.name, DAY, judged="yields"),
        ]
        for name in self._questions:
            _, kind, which = name.split(":", 2)
            found.append(Series(name, self.name, DAY, which if kind == "chain" else ""))
        return found

    async def batches(self, series: Series, wanted: Wanted) -> AsyncIterator[Batch]:
        """One batch for the pools; one a chart; one for each question about a protocol or chain."""
        if series.name == f"{self.name}:pools":
            yield await self._pools_now(series, wanted)
            return
        charts = series.name == f"{self.name}:charts"
        found = self._charts(wanted) if charts else self._figures(self._questions[series.name])
        async with aclosing(found) as batches:
            async for batch in batches:
                yield batch

    async def _pools_now(self, series: Series, wanted: Wanted) -> Batch:
        fetched = await self._pools_at_most(timedelta(0))
        at = fetched.answer.fetched_at
        known = wanted.known.get("pools", POOLS.empty())
        confirms = wanted.cursor is not None and wanted.cursor.detail == LACKING
        listing = changes(fetched.panel, fetched.metas, known, at, self.name, confirms=confirms)
        cursor = Cursor(_micros(at), at, LACKING if listing.doubted else "")
        gaps = missed_visits(series, wanted, at, cursor.number)
        apart = set_apart("yields", [(row["pool"], row) for row in fetched.apart], at, self.name)
        return Batch({"pools": listing.rows, "quarantine": apart}, fetched.panel, cursor, gaps=gaps,
                     warnings=listing.warnings, done=1, total=1, now_only=True)  # fmt: skip

    async def _pools_at_most(self, age: timedelta) -> Fetched:
        async with self._one_at_a_time:
            if self._snapshot is None or utc_now() - self._snapshot.answer.fetched_at >= age:
                self._snapshot = await self.pools()
            return self._snapshot

    async def _charts(self, wanted: Wanted) -> AsyncGenerator[Batch, None]:
        """Charts of the followed pools; nothing where they were had today, since a day adds one point.

        Charts that cannot be had leave a gap, whose back-fill asks for those that were not asked for
        just now.
        """
        today = wanted.cursor is not None and wanted.cursor.ts.date() == utc_now().date()
        if self._settings is None or (today and wanted.until is None):
            return
        if wanted.until is None:
            self._had = {}
        elif utc_now() - self._asked_at >= SNAPSHOT_STANDS:
            self._had = {one: True for one, had in self._had.items() if had}
        chosen = choose((await self._pools_at_most(SNAPSHOT_STANDS)).panel, self._settings)
        attributes = chosen.select("pool_id", *ATTRIBUTES)
        names = [one for one in chosen["pool_id"] if one not in self._had]
        at_once, in_a_row, done = self.http.manners.at_once, 0, 0
        self._asked_at = began = utc_now()
        for place in range(0, len(names), at_once):
            asked = names[place : place + at_once]
            for pool_id, one in zip(asked, await asyncio.gather(*map(self._chart, asked)), strict=True):
                done += 1
                self._had[pool_id] = isinstance(one, Fetched)
                if isinstance(one, Fetched):
                    in_a_row = 0
                    panel = one.panel.drop(ATTRIBUTES).join(attributes, on="pool_id", how="left")
                    yield Batch(panel=panel.select(PANEL.names), done=done, total=len(names))
                    continue
                in_a_row += isinstance(one, TryAgain)
                if in_a_row >= FAILURES_IN_A_ROW:
                    raise TryAgain(f"{in_a_row} charts in a row could not be had; the last: {one.message}")
                yield Batch(warnings=(str(one),), done=done, total=len(names))
        end = wanted.until or _micros(began) + 1
        lacking = sum(not self._had[one] for one in chosen["pool_id"])
        start = wanted.cursor.number + 1 if wanted.cursor else end - 1
        gaps = (Gap(start, end, f"{lacking} chart(s) could not be had"),) if lacking else ()
        yield Batch(cursor=Cursor(end - 1, began), gaps=gaps, done=done, total=len(names))

    async def _chart(self, pool_id: str) -> Fetched | BadData | TryAgain:
        try:
            return await self.chart(pool_id)
        except (BadData, TryAgain) as fault:
            return fault

    async def _figures(self, asked: list[questions.Question]) -> AsyncGenerator[Batch, None]:
        """The whole history with each asking: what the service edited since is a correction."""
        newest: datetime | None = None
        for done, question in enumerate(asked, start=1):
            try:
                value, answer = await self.kept(question.url)
            except StatusRefused as refusal:
                if question.needed:
                    raise
                log.info("no such figures", why=refusal.message)
                continue
            rows = question.rows(value, answer.fetched_at, where=answer.url, source=self.name)
            newest = max(filter(None, (newest, rows["ts"].max())), default=None)  # type: ignore[type-var, assignment]
            yield Batch({"protocol_figures": rows}, done=done, total=len(asked))
        if newest is not None:
            yield Batch(cursor=Cursor(_micros(newest), newest), done=len(asked), total=len(asked))


def _questions_of(settings: Settings) -> dict[str, list[questions.Question]]:
    """By series: of the settings' protocols, and of the chains that have nodes."""
    llama_url = service_address(settings.llama_url, "DEFIMON_LLAMA_URL", "https://api.llama.fi")
    coins_url = service_address(
        settings.stablecoins_url, "DEFIMON_STABLECOINS_URL", "https://stablecoins.llama.fi"
    )
    protocols = slugs(settings.protocols, "DEFIMON_PROTOCOLS", "aave-v3")
    found = {f"defillama:protocol:{slug}": questions.of_protocol(slug, llama_url) for slug in protocols}
    for name in settings.followed_chains:
        if CHAINS[name].llama:
            asked = questions.of_chain(name, CHAINS[name].llama, llama_url, coins_url)
            found[f"defillama:chain:{name}"] = asked
    return found


def _micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


__all__ = ["DefiLlama", "Fetched", "choose", "panel_of_chart", "panel_of_pools"]
