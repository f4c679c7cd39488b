"""Histories of figures as DefiLlama answers them: TVL, stablecoins, volumes, fees."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from defimon.core.errors import BadData, TryAgain
from defimon.core.tables import PROTOCOL_FIGURES
from defimon.sources._names import CHAIN_ALIASES
from defimon.sources._times import moment_from_seconds

DAY = timedelta(days=1)
LEVEL = timedelta(seconds=1)
"""Interval of a level, such as a TVL: a figure of a moment."""

LAG = timedelta(hours=1)
"""Adaptors run hourly: a figure counts as known an hour after its interval ended, or when it was fetched."""

ALL = "all"

SECTIONS = {"": "tvl_usd", "borrowed": "borrowed_usd"}
"""Parts of a protocol's TVL that are read. Staked governance tokens, pool2 and vesting are left out: the
service counts them only where it is asked to."""

Point = tuple[datetime, float | None]


def pairs_of(value: object, name: str, *, where: str) -> list[Point]:
    """Points of a field `[[seconds, figure], ...]` of an answer. Raises BadData, or TryAgain with the
    service's words when it reports a failure.
    """
    found = _field(value, name, where)
    points = []
    for place, pair in enumerate(found, start=1):
        if not (isinstance(pair, list) and len(pair) == 2):
            raise BadData(f"{where}: row {place} of {name} is {pair!r:.60}, expected a stamp and a figure.")
        points.append(_point(pair[0], pair[1], f"{where}: row {place} of {name}"))
    return points


def rows_of_points(value: object, figure: str, *, where: str) -> list[Point]:
    """Points of a list `[{"date": seconds, figure: number}, ...]`; a `figure` that is an object is the
    sum of what it holds, such as a stablecoin's pegs.
    """
    if not isinstance(value, list):
        refuse_report(value, where)
        raise BadData(f"{where}: the answer is {value!r:.60}, expected a list.")
    points = []
    for place, row in enumerate(value, start=1):
        spot = f"{where}: row {place}"
        if not isinstance(row, Mapping) or "date" not in row or figure not in row:
            raise BadData(f"{spot} is {row!r:.60}, expected an object with date and {figure}.")
        points.append(_point(row["date"], _summed(row[figure], spot), spot))
    return points


def sections_of(value: object, *, where: str) -> Iterator[tuple[str, str, list[Point]]]:
    """Chain, metric and points of a protocol's answer: TVL and loans, by chain and over all.

    A section is `Ethereum`, or `Ethereum-borrowed`, or `borrowed` over all chains.
    """
    yield ALL, SECTIONS[""], rows_of_points(_field(value, "tvl", where), "totalLiquidityUSD", where=where)
    sections = value.get("chainTvls") if isinstance(value, Mapping) else None
    if not isinstance(sections, Mapping):
        raise BadData(f"{where}: field chainTvls is {sections!r:.60}, expected an object.")
    for name, section in sections.items():
        chain, _, part = name.partition("-")
        if name in SECTIONS:
            chain, part = ALL, name
        elif name[:1].islower():  # staking, pool2, ...
            continue
        if part in SECTIONS:
            tvl = _field(section, "tvl", f"{where}: chainTvls.{name}")
            points = rows_of_points(tvl, "totalLiquidityUSD", where=f"{where}: chainTvls.{name}")
            yield chain_of(chain), SECTIONS[part], points


def chain_of(name: str) -> str:
    """Chain name in lower case, in one spelling."""
    low = name.strip().lower()
    return CHAIN_ALIASES.get(low, low)


def figure_rows(
    points: Iterable[Point],
    *,
    protocol: str,
    chain: str,
    metric: str,
    interval: timedelta,
    fetched_at: datetime,
    source: str,
) -> pl.DataFrame:
    """Rows of `protocol_figures`. Null is no figure; an interval that is not over is left out.

    The stamp of a level is its moment, that of a day's sum is the day's beginning. Of two points with one
    stamp the last counts.
    """
    known: dict[datetime, float] = {}
    for stamp, figure in points:
        end = stamp if interval == LEVEL else stamp + interval
        if figure is not None and end <= fetched_at:
            known[end] = figure
    return PROTOCOL_FIGURES.rows(
        {
            "protocol": protocol,
            "chain": chain,
            "metric": metric,
            "interval_s": int(interval.total_seconds()),
            "ts": end,
            "value": figure,
            "known_at": min(fetched_at, end + LAG),
            "source": source,
            "origin": "observed",
        }
        for end, figure in known.items()
    )


def refuse_report(value: object, where: str) -> None:
    """Raises TryAgain when an answer with status 200 is an object that reports a failure."""
    if isinstance(value, Mapping):
        said = value.get("message", value.get("error"))
        if isinstance(said, str):
            raise TryAgain(f"{where}: the service says {said[:60]!r}.")


def _field(value: object, name: str, where: str) -> list[Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(found, list):
        refuse_report(value, where)
        raise BadData(f"{where}: field {name} is {found!r:.60}, expected a list.")
    return found


def _summed(figure: object, where: str) -> object:
    if not isinstance(figure, Mapping):
        return figure
    parts = [_number(part, where) for part in figure.values()]
    told = [part for part in parts if part is not None]
    return sum(told) if told else None


def _point(stamp: object, figure: object, where: str) -> Point:
    seconds = _number(float(stamp) if isinstance(stamp, str) and stamp.isdecimal() else stamp, where)
    moment = None if seconds is None else moment_from_seconds(seconds)
    if moment is None:
        raise BadData(f"{where}: stamp {stamp!r:.60}, expected seconds since 1970.")
    return moment, _number(figure, where)


def _number(value: object, where: str) -> float | None:
    if value is None:
        return None
    with suppress(OverflowError):  # a whole number of more digits than any figure has
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    raise BadData(f"{where}: found {value!r:.60}, expected a number or null.")
