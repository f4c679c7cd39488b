"""Into the store from a live service: today's pools, and the charts of those that are followed."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from defimon.core.errors import BadData, TryAgain
from defimon.core.settings import Settings
from defimon.core.tables import PANEL
from defimon.core.units import start_of, utc_now
from defimon.flows._raw_answers import keep_answer, kept_answers
from defimon.flows.collect import ATTRIBUTES, store_verdict
from defimon.flows.stored import stored_panel
from defimon.quality._base import Verdict, check
from defimon.sources._http import Answer, Http
from defimon.sources._manners import Manners
from defimon.sources._masking import masked
from defimon.sources.defillama import DefiLlama, choose, panel_of_chart
from defimon.store.database import Store, Written

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done, and how many there are."""

FAILURES_IN_A_ROW = 8
"""After so many charts in a row that could not be had, each with all its retries, no more are asked for: the
service is down, and eighty times five further calls would not help it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A followed pool whose chart could not be had, and why."""

    pool_id: str
    pool: str
    why: str


@dataclass(frozen=True, slots=True)
class CollectResult:
    """What a collection did.

    `offered` pools were in the service's answer, `chosen` are followed (columns of the standard panel and
    `kind`, largest first). `fetched` charts came from the service, `reused` ones from answers kept earlier
    the same day, `failures` could not be had. `written` counts rows of `yields`; `quarantined` rows were kept
    apart, `report` says by which rules. `panel` is the standard panel of the chosen pools and of earlier
    followed ones that have since vanished from the service, with all that the store knows of them.
    """

    offered: int
    chosen: pl.DataFrame
    fetched: int
    reused: int
    failures: tuple[Failure, ...]
    written: Written
    quarantined: int
    report: pl.DataFrame
    panel: pl.DataFrame
    first_day: date | None
    last_day: date | None


def collect(
    store: Store,
    settings: Settings,
    progress: Progress = lambda *_: None,
    *,
    again: bool = False,
    manners: Manners | None = None,
) -> CollectResult:
    """Fetch DefiLlama's pools and the charts of the followed ones, judge the rows, and store them.

    Each answer is kept as it came before it is looked at. Rows are written together at the end, all or
    nothing: after an interruption the next call of the same UTC day takes the charts it has (a chart gains
    one point a day) and asks only for the others, unless `again`. A chart that cannot be had does not stop
    the rest. A figure of the past that the service has edited becomes a correction, known from now on.

    Raises TryAgain when the service cannot be had at all (within seconds when there is no network), BadData
    when its list of pools has another shape than documented, FixSettings when no pool fits the settings.
    """
    since = utc_now() if again else start_of(utc_now().date())
    return asyncio.run(_collect(store, settings, progress, since, Http(manners)))


async def _collect(
    store: Store, settings: Settings, progress: Progress, since: datetime, client: Http
) -> CollectResult:
    async with client as http:
        service = DefiLlama(
            http, settings.defillama_url, keep=lambda answer: keep_answer(store, answer, DefiLlama.name)
        )
        progress("pools", 0, 1)
        pools = (await service.pools()).panel
        progress("pools", 1, 1)
        chosen = choose(pools, settings)
        charts = await _charts(service, store, chosen, progress, since)
    order = chosen["pool_id"].to_list()
    verdict = _judged(chosen, list(charts.panels.values()))
    written = store_verdict(store, verdict, told_now=True)
    days = verdict.kept.select(first=pl.col("ts").min().dt.date(), last=pl.col("ts").max().dt.date()).row(0)
    return CollectResult(
        offered=pools.height,
        chosen=chosen,
        fetched=len(charts.panels) - charts.reused,
        reused=charts.reused,
        failures=tuple(sorted(charts.failures, key=lambda failure: order.index(failure.pool_id))),
        written=written,
        quarantined=verdict.quarantined.height,
        report=verdict.report,
        panel=_panel(store, chosen, pools),
        first_day=days[0],
        last_day=days[1],
    )


@dataclass(slots=True)
class _Charts:
    panels: dict[str, pl.DataFrame] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    reused: int = 0
    failed_in_a_row: int = 0

    def settled(self) -> int:
        return len(self.panels) + len(self.failures)


async def _charts(
    service: DefiLlama, store: Store, chosen: pl.DataFrame, progress: Progress, since: datetime
) -> _Charts:
    """Charts of the chosen pools, by pool: those kept since then, and the others from the service."""
    charts = _Charts()
    kept = kept_answers(store, [masked(service.chart_url(pool_id)) for pool_id in chosen["pool_id"]], since)
    missing: list[str] = []
    for pool_id in chosen["pool_id"]:
        panel = _chart_again(service, kept, pool_id)
        if panel is None:
            missing.append(pool_id)
        else:
            charts.panels[pool_id] = panel
            charts.reused += 1
    progress("charts", charts.settled(), chosen.height)
    names = {row["pool_id"]: _name(row) for row in chosen.iter_rows(named=True)}
    queue = iter(missing)

    async def work() -> None:
        for pool_id in queue:
            await _fetch(service, pool_id, names[pool_id], charts)
            progress("charts", charts.settled(), chosen.height)

    await asyncio.gather(*(work() for _ in range(service.http.manners.at_once)))
    return charts


def _chart_again(service: DefiLlama, kept: Mapping[str, Answer], pool_id: str) -> pl.DataFrame | None:
    """Rows of a chart whose answer is kept; None when there is none of use."""
    answer = kept.get(masked(service.chart_url(pool_id)))
    if answer is None:
        return None
    try:
        return panel_of_chart(json.loads(answer.body), pool_id, answer.fetched_at, where=answer.url)
    except (BadData, TryAgain):
        return None


async def _fetch(service: DefiLlama, pool_id: str, name: str, charts: _Charts) -> None:
    if charts.failed_in_a_row >= FAILURES_IN_A_ROW:
        why = f"not asked for: {FAILURES_IN_A_ROW} charts in a row had failed before."
        charts.failures.append(Failure(pool_id, name, why))
        return
    try:
        charts.panels[pool_id] = (await service.chart(pool_id)).panel
        charts.failed_in_a_row = 0
    except TryAgain as error:
        charts.failed_in_a_row += 1
        charts.failures.append(Failure(pool_id, name, str(error)))
    except BadData as error:
        charts.failures.append(Failure(pool_id, name, str(error)))


def _name(pool: Mapping[str, object]) -> str:
    return f"{pool['protocol']} {pool['symbol']} on {pool['chain']}"


def _judged(chosen: pl.DataFrame, charts: list[pl.DataFrame]) -> Verdict:
    """Verdict on the charts, and on the snapshot beside them: judged as one panel, today's unfinished point
    of each chart would count as a duplicate of the snapshot's.
    """
    now = check(chosen.select(PANEL.names))
    if not charts:
        return now
    attributes = chosen.select("pool_id", *ATTRIBUTES)
    history = pl.concat(charts).drop(ATTRIBUTES).join(attributes, on="pool_id", how="left")
    then = check(history.select(PANEL.names))
    report = pl.concat([then.report, now.report])
    return Verdict(
        kept=pl.concat([then.kept, now.kept]),
        quarantined=pl.concat([then.quarantined, now.quarantined]),
        report=report.group_by("rule", "action", "doc", maintain_order=True)
        .agg(pl.col("rows").sum(), pl.col("pools").max(), pl.col("found").first())
        .select(report.columns),
    )


def _panel(store: Store, chosen: pl.DataFrame, pools: pl.DataFrame) -> pl.DataFrame:
    stored = stored_panel(store, sources=[DefiLlama.name])
    is_chosen = pl.col("pool_id").is_in(chosen["pool_id"].to_list())
    vanished = ~pl.col("pool_id").is_in(pools["pool_id"].to_list())
    return stored.filter(is_chosen | vanished)
