"""Trades that somebody recorded beside their forecasts, taken from files into the statistics of impact."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

from defimon.core.errors import BadData
from defimon.core.units import utc_now
from defimon.execution.impact import Band
from defimon.execution.statistics import ImpactStatistics
from defimon.flows.impact import last_observed, read_statistics, write_statistics
from defimon.store.database import Store

SOURCE = "files"
TEXTS = ("venue", "sell", "buy")
SHARES = ("impact", "shortfall", "yardstick", "low", "median", "high")
FIELDS = (*TEXTS, "ts", *SHARES)
SHOWN = 60


@dataclass(frozen=True, slots=True)
class RecordedTrade:
    """One trade: what it came to, and the forecast of its shortfall. All shares, not percent."""

    venue: str
    sell: str
    buy: str
    ts: datetime
    impact: float
    shortfall: float
    forecast: Band

    @property
    def side(self) -> tuple[str, str, str]:
        return self.venue, self.sell, self.buy


@dataclass(frozen=True, slots=True)
class Taken:
    """Trades that were taken in, and such as are not later than what the statistics hold already."""

    taken: int
    known: int


def observe_files(store: Store, paths: Sequence[Path]) -> Taken:
    """Take the trades of the files into the statistics, all of them or none; the same files again change
    nothing.

    Raises BadData that names file, line and field, also where trades of one venue, pair and direction are
    not in order of time, and where those of a file are not all later than those of the files before it.
    Trades of one time are taken in as they stand in the file.
    """
    trades = list(_read_all(paths))
    with store.transaction():
        so_far: dict[tuple[str, str, str], ImpactStatistics] = {}
        last: dict[tuple[str, str, str], datetime | None] = {}
        steps = []
        for trade in trades:
            if trade.side not in so_far:
                so_far[trade.side] = read_statistics(store, *trade.side)
                last[trade.side] = last_observed(store, so_far[trade.side])
            known = last[trade.side]
            if known is None or trade.ts > known:
                after = so_far[trade.side].take(trade.impact, trade.shortfall, trade.forecast)
                so_far[trade.side] = after
                steps.append((trade.ts, after))
        write_statistics(store, steps, source=SOURCE, origin="derived")
    return Taken(len(steps), len(trades) - len(steps))


def _read_all(paths: Sequence[Path]) -> Iterator[RecordedTrade]:
    newest: dict[tuple[str, str, str], datetime] = {}
    for path in paths:
        own = list(read_trades(path))
        for trade in own:
            if trade.side in newest and trade.ts <= newest[trade.side]:
                raise BadData(
                    f"{path} has a trade of {trade.ts.isoformat()} on {trade.venue[:SHOWN]}, and the files "
                    f"before it one of {newest[trade.side].isoformat()}.",
                    remedy="Give files in order of time, each once; they must not overlap.",
                )
        newest |= {trade.side: trade.ts for trade in own}
        yield from own


def read_trades(path: Path) -> Iterator[RecordedTrade]:
    """Trades of a table (`.csv`, with a head) or of JSON lines, each with FIELDS. Raises BadData."""
    newest: dict[tuple[str, str, str], datetime] = {}
    now = utc_now()
    for number, values in _lines(path):
        where = f"{path}, line {number}"
        trade = _trade(values, where)
        if trade.ts > now:
            raise _wrong(where, "ts", values["ts"], "It must not lie in the future.")
        if trade.ts < newest.get(trade.side, trade.ts):
            raise _wrong(where, "ts", values["ts"], "Trades of a venue and pair must be in order of time.")
        newest[trade.side] = trade.ts
        yield trade


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix.casefold() == ".csv":
                table = csv.DictReader(file, strict=True)
                for row in table:
                    yield table.line_num, row
                return
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, _object(line, f"{path}, line {number}")
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadData(f"{path} cannot be read ({error}).", remedy="Give CSV or JSON lines, UTF-8.") from None


def _object(line: str, where: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise BadData(f"{where} is no JSON.", remedy="Give one JSON object a line.") from None


def _trade(values: Any, where: str) -> RecordedTrade:
    if not isinstance(values, dict):
        raise BadData(f"{where} is no object.", remedy=f"Give one with {', '.join(FIELDS)}.")
    for name in FIELDS:
        if values.get(name) in (None, ""):
            raise BadData(f"{where}: {name} is missing.", remedy=f"Needed: {', '.join(FIELDS)}.")
    for name in values:
        if name not in FIELDS:
            raise BadData(
                f"{where} has a field {str(name)[:SHOWN]!r}.", remedy=f"Known: {', '.join(FIELDS)}."
            )
    for name in TEXTS:
        if not isinstance(values[name], str) or not values[name].isprintable():
            raise _wrong(where, name, values[name], "It must be a text without control characters.")
    if values["sell"] == values["buy"]:
        raise _wrong(where, "buy", values["buy"], "It must be another token than sell.")
    shares = {name: _share(values[name], where, name) for name in SHARES}
    low, median, high = (shares[name] for name in ("low", "median", "high"))
    if not low <= median <= high:
        name = "low" if low > median else "high"
        raise _wrong(where, name, values[name], "low, median and high must not fall.")
    band = Band(shares["yardstick"], median, low, median, high)
    ts = _moment(values["ts"], where)
    venue, sell, buy = (values[name] for name in TEXTS)
    return RecordedTrade(venue, sell, buy, ts, shares["impact"], shares["shortfall"], band)


def _share(value: Any, where: str, name: str) -> float:
    try:
        share = float(value) if isinstance(value, int | float | str) else float("nan")
    except (ValueError, OverflowError):
        share = float("nan")
    if isinstance(value, bool) or not isfinite(share) or not -LARGEST <= share <= 1.0:
        raise _wrong(where, name, value, f"It must be a share, from -{LARGEST:g} to 1 (30 bps are 0.003).")
    return share


LARGEST = 100.0
"""A share lost is at most 1; one that is gained may be larger, but not without end."""


def _moment(value: Any, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass  # as one without its offset
    raise _wrong(where, "ts", value, "It must be a time such as 2026-03-01T12:00:00Z.")


def _wrong(where: str, name: str, value: Any, remedy: str) -> BadData:
    return BadData(f"{where}: {name} is {str(value)[:SHOWN]!r}.", remedy=remedy)
