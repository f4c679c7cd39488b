"""Questions whose answers are histories of figures: of a protocol, and of a chain as a whole."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

import polars as pl

from defimon.sources._defillama_figures import (
    ALL,
    DAY,
    LEVEL,
    Point,
    figure_rows,
    pairs_of,
    rows_of_points,
    sections_of,
)

Part = tuple[str, str, list[Point]]
"""Chain, metric, points."""

FLOWS = (
    ("dexs", "dailyVolume", "volume_usd"),
    ("fees", "dailyFees", "fees_usd"),
    ("fees", "dailyRevenue", "revenue_usd"),
)
"""Kind of overview, data type, and what it is called here: turnover of exchanges, what users pay, and the
part of it that the protocol keeps."""


@dataclass(frozen=True, slots=True)
class Question:
    """One address and how its answer is read; `needed` is false where the service may know nothing."""

    url: str
    protocol: str
    interval: timedelta
    parts: Callable[[object, str], Iterator[Part]]
    needed: bool = False

    def rows(self, value: object, fetched_at: datetime, *, where: str, source: str) -> pl.DataFrame:
        """Rows of `protocol_figures` from a parsed answer. Raises BadData and TryAgain."""
        frames = [
            figure_rows(
                points,
                protocol=self.protocol,
                chain=chain,
                metric=metric,
                interval=self.interval,
                fetched_at=fetched_at,
                source=source,
            )
            for chain, metric, points in self.parts(value, where)
        ]
        return pl.concat(frames)


def of_protocol(slug: str, llama_url: str) -> list[Question]:
    """TVL and loans of a protocol by chain; its volume, fees and revenue over all chains."""
    path = quote(slug, safe="")
    tvl = Question(f"{llama_url}/protocol/{path}", slug, LEVEL, _sections, needed=True)
    return [tvl, *(_flow(llama_url, "summary", path, slug, ALL, flow) for flow in FLOWS)]


def of_chain(chain: str, llama: str, llama_url: str, stablecoins_url: str) -> list[Question]:
    """TVL, stablecoins, volume, fees and revenue of all protocols of a chain together."""
    path = quote(llama, safe="")
    tvl_url = f"{llama_url}/v2/historicalChainTvl/{path}"
    coins_url = f"{stablecoins_url}/stablecoincharts/{path}"
    return [
        Question(tvl_url, ALL, LEVEL, _points(chain, "tvl_usd", "tvl"), needed=True),
        Question(coins_url, ALL, LEVEL, _points(chain, "stablecoins_usd", "totalCirculatingUSD")),
        *(_flow(llama_url, "overview", path, ALL, chain, flow) for flow in FLOWS),
    ]


def _flow(url: str, view: str, path: str, protocol: str, chain: str, flow: tuple[str, str, str]) -> Question:
    kind, data_type, metric = flow
    asked = f"excludeTotalDataChart=false&excludeTotalDataChartBreakdown=true&dataType={data_type}"

    def parts(value: object, where: str) -> Iterator[Part]:
        yield chain, metric, pairs_of(value, "totalDataChart", where=where)

    return Question(f"{url}/{view}/{kind}/{path}?{asked}", protocol, DAY, parts)


def _points(chain: str, metric: str, figure: str) -> Callable[[object, str], Iterator[Part]]:
    def parts(value: object, where: str) -> Iterator[Part]:
        yield chain, metric, rows_of_points(value, figure, where=where)

    return parts


def _sections(value: object, where: str) -> Iterator[Part]:
    yield from sections_of(value, where=where)
