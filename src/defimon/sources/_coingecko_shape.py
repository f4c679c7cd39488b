"""CoinGecko's answers as rows of `market_prices`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

import polars as pl

from defimon.core.errors import BadData, TryAgain
from defimon.core.tables import MARKET_PRICES
from defimon.core.units import EPOCH
from defimon.sources._masking import scrubbed
from defimon.sources._set_apart import set_apart
from defimon.sources._times import LATEST_SECONDS

NO_HISTORY = 10012
"""error_code for a time before what the plan tells: 365 days without a key and with a demo key."""
TOO_MANY = 429
LAG = timedelta(minutes=30)
"""A chart comes from a cache of half an hour (docs.coingecko.com, market_chart/range)."""


def refuse_report(value: object, where: str, url: str, headers: Mapping[str, str]) -> None:
    """Raises TryAgain for an answer with status 200 that is an error: `{"status": {"error_code": ...}}`.

    Secrets of `url` and `headers`, which were asked with, are taken out of what it says.
    """
    code, said = reported(value)
    if code or said:
        said = scrubbed(said, url, headers)
        wait = 60.0 if code == TOO_MANY else None
        raise TryAgain(f"{where}: the service says {said[:100]!r} (error {code}).", after_seconds=wait)


def reported(value: object) -> tuple[int, str]:
    """Code and words of an error that an answer reports; 0 and nothing where it reports none."""
    inner = value.get("error", value) if isinstance(value, Mapping) else value
    if isinstance(inner, str) and isinstance(value, Mapping):
        return 0, inner
    status = inner.get("status") if isinstance(inner, Mapping) else None
    if isinstance(status, Mapping) and isinstance(status.get("error_code"), int):
        return status["error_code"], str(status.get("error_message", ""))
    return 0, ""


@dataclass(frozen=True, slots=True)
class PricesNow:
    """Rows of `market_prices`, and of `quarantine` for coins whose row cannot be used, with why."""

    rows: pl.DataFrame
    apart: pl.DataFrame
    faults: tuple[str, ...]


def prices_now(value: object, fetched_at: datetime, *, where: str, source: str) -> PricesNow:
    """A `/coins/markets` answer: each price when the service last updated it.

    A coin without a price has no row; one of another shape is set apart, whole. Raises BadData where no coin
    has the documented shape.
    """
    if not isinstance(value, list):
        raise BadData(f"{where}: the answer is {value!r:.60}, expected a list of coins.")
    told = {"known_at": fetched_at, "source": source, "origin": "observed"}
    rows, apart, faults = [], [], []
    for place, coin in enumerate(value, start=1):
        try:
            row = _price_now(coin, fetched_at, f"{where}: row {place}")
        except BadData as fault:
            faults.append(fault)
            named = isinstance(coin, Mapping) and isinstance(coin.get("id"), str)
            apart.append((str(coin["id"]) if named else f"row {place}", coin))
            continue
        if row is not None:
            rows.append({**row, **told})
    if faults and len(faults) == len(value):
        raise faults[0]
    said = tuple(fault.message for fault in faults)
    apart_rows = set_apart("market_prices", apart, fetched_at, source)
    return PricesNow(MARKET_PRICES.rows(rows), apart_rows, said)


def _price_now(coin: object, fetched_at: datetime, spot: str) -> dict[str, Any] | None:
    if not isinstance(coin, Mapping) or not isinstance(coin.get("id"), str):
        raise BadData(f"{spot} is {coin!r:.60}, expected an object with id.")
    if "current_price" not in coin:
        raise BadData(f"{spot}, field current_price: absent, expected a number or null.")
    row = {
        "asset_id": coin["id"],
        "ts": min(_updated(coin, spot) or fetched_at, fetched_at),
        "close_usd": _number(coin, "current_price", spot),
        "volume_usd": _number(coin, "total_volume", spot),
        "market_cap_usd": _known(_number(coin, "market_cap", spot)),
        "circulating_supply": _known(_number(coin, "circulating_supply", spot)),
        "total_supply": _number(coin, "total_supply", spot),
    }
    return None if row["close_usd"] is None else row


def prices_then(value: object, coin: str, fetched_at: datetime, *, where: str, source: str) -> pl.DataFrame:
    """Rows of a `/coins/{id}/market_chart/range` answer, by time; they count as known half an hour later.

    Raises BadData for another shape.
    """
    columns = {
        "close_usd": _points(value, "prices", where),
        "market_cap_usd": _points(value, "market_caps", where),
        "volume_usd": _points(value, "total_volumes", where),
    }
    rows = []
    for stamp, price in columns["close_usd"].items():
        if price is None:
            continue
        ts = datetime.fromtimestamp(stamp / 1_000, UTC)
        rows.append(
            {
                "asset_id": coin,
                "ts": ts,
                "close_usd": price,
                "market_cap_usd": _known(columns["market_cap_usd"].get(stamp)),
                "volume_usd": columns["volume_usd"].get(stamp),
                "known_at": min(fetched_at, ts + LAG),
                "source": source,
                "origin": "observed",
            }
        )
    return MARKET_PRICES.rows(rows).sort("ts")


def _points(value: object, name: str, where: str) -> dict[int, float | None]:
    """Figures by milliseconds since 1970; the last one counts where a stamp comes twice."""
    found = value.get(name) if isinstance(value, Mapping) else None
    if not isinstance(found, list):
        raise BadData(f"{where}: field {name} is {found!r:.60}, expected a list.")
    points: dict[int, float | None] = {}
    for place, pair in enumerate(found, start=1):
        spot = f"{where}: row {place} of {name}"
        if not (isinstance(pair, list) and len(pair) == 2 and _is_stamp(pair[0])):
            raise BadData(f"{spot} is {pair!r:.60}, expected milliseconds and a figure.")
        points[int(pair[0])] = _number({name: pair[1]}, name, spot)
    return points


def _known(figure: float | None) -> float | None:
    """A market value or supply of zero means that the service does not know the supply."""
    return figure or None


def _updated(coin: Mapping[str, Any], where: str) -> datetime | None:
    text = coin.get("last_updated")
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise BadData(f"{where}, field last_updated: found {text!r:.60}, expected a time.") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment < EPOCH:
        raise BadData(f"{where}, field last_updated: found {text!r:.60}, expected a time since 1970.")
    return moment


def _is_stamp(value: Any) -> bool:
    return _is_number(value) and 0 <= value < LATEST_SECONDS * 1_000


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(row: Mapping[str, Any], name: str, where: str) -> float | None:
    value = row.get(name)
    if value is None:
        return None
    if not _is_number(value):
        raise BadData(f"{where}, field {name}: found {value!r:.60}, expected a number or null.")
    try:
        found = float(value)
    except OverflowError:  # a whole number of more digits than any figure has
        found = inf
    if not 0 <= found < inf:
        raise BadData(f"{where}, field {name}: found {value!r:.60}, expected no less than 0.")
    return found
