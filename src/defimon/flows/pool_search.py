"""Pools of a catalogue by what is asked of them, in order, a page at a time; by what they can be chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from defimon.flows.catalogue import COLUMNS, Catalogue

Sort = Literal[
    "tvl_usd", "apy", "forecast", "forecast_low", "forecast_high", "forecast_change", "volume_24h_usd",
    "utilisation", "ts", "symbol", "pool_id",
]  # fmt: skip
"""`forecast_change` is the forecast less the APY, `symbol` goes by small letters; the others are columns."""

SEARCHED = ("pool_id", "protocol", "chain", "symbol", "meta", "address")

COUNTED = ("protocol", "chain", "kind")
"""Attributes by whose values people choose pools."""

Place = tuple[float | str | None, str]
"""Where a page ends: its last pool's figure (a name for `symbol`; None where it is not known) and id."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which pools: `text` stands in one of SEARCHED, each of its words somewhere; texts are compared whatever
    their case; figures are fractions a year and USD. What is None or empty keeps every pool.
    """

    text: str = ""
    protocols: Sequence[str] = ()
    chains: Sequence[str] = ()
    symbols: Sequence[str] = ()
    kinds: Sequence[str] = ()
    stablecoin: bool | None = None
    listed: bool | None = None
    min_tvl_usd: float | None = None
    min_apy: float | None = None
    max_apy: float | None = None
    with_forecast: bool | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a page, how many there are in all, and the place after which the next page begins, if any."""

    rows: list[dict[str, Any]]
    total: int
    after: Place | None


def search_pools(
    catalogue: Catalogue,
    wanted: Wanted,
    *,
    sort: Sort = "tvl_usd",
    descending: bool = True,
    after: Place | None = None,
    skip: int = 0,
    limit: int = 100,
    fields: Sequence[str] = COLUMNS,
) -> Page:
    """Pools in the order of a figure, ties by pool_id; a pool without the figure comes last.

    A page begins after a value and a pool, so that no pool is shown twice or left out when others come in
    between; `skip` leaves so many more out, for a look at a place further on. Rows have `fields`.
    """
    backwards = sort == "pool_id" and descending
    found = catalogue.pools.filter(_kept(wanted)).with_columns(_key(sort).alias("key"))
    ordered = found.sort("key", "pool_id", descending=[descending, backwards], nulls_last=True)
    rest = (
        ordered
        if after is None
        else ordered.filter(_beyond(after, descending=descending, backwards=backwards))
    )
    rows = rest.slice(skip, limit)
    last = rows.select("key", "pool_id").row(-1) if rest.height > skip + limit else None
    return Page(rows.select(fields).to_dicts(), found.height, last)


def count_values(catalogue: Catalogue) -> dict[str, dict[str, int]]:
    """How many pools have each value of COUNTED, most first."""
    counted = {}
    for name in COUNTED:
        counts = catalogue.pools.drop_nulls(name).group_by(name).len("pools")
        counted[name] = dict(counts.sort("pools", name, descending=[True, False]).iter_rows())
    return counted


def _key(sort: Sort) -> pl.Expr:
    match sort:
        case "pool_id":
            return pl.lit(0.0)
        case "symbol":
            return _lower("symbol")
        case "ts":
            return pl.col("ts").to_physical().cast(pl.Float64)
        case "forecast_change":
            return (pl.col("forecast") - pl.col("apy")).fill_nan(None)
        case _:
            return pl.col(sort).fill_nan(None)


def _beyond(after: Place, *, descending: bool, backwards: bool) -> pl.Expr:
    value, pool_id = after
    key = pl.col("key")
    later = pl.col("pool_id") < pool_id if backwards else pl.col("pool_id") > pool_id
    if value is None:
        return key.is_null() & later
    further = key < value if descending else key > value
    return key.is_null() | further | ((key == value) & later)


def _kept(wanted: Wanted) -> pl.Expr:
    # A literal alone has no length, at which filters of long frames fail; every pool has an id.
    kept = [pl.col("pool_id").is_not_null()]
    kept += [_says(word) for word in wanted.text.casefold().split()]
    for name, values in (
        ("protocol", wanted.protocols),
        ("chain", wanted.chains),
        ("symbol", wanted.symbols),
        ("kind", wanted.kinds),
    ):
        if values:
            kept.append(_lower(name).is_in([value.casefold() for value in values]))
    for name, flag in (("stablecoin", wanted.stablecoin), ("listed", wanted.listed)):
        if flag is not None:
            kept.append(pl.col(name) == flag)
    if wanted.with_forecast is not None:
        kept.append(pl.col("forecast").is_not_null() == wanted.with_forecast)
    if wanted.min_tvl_usd is not None:
        kept.append(pl.col("tvl_usd") >= wanted.min_tvl_usd)
    if wanted.min_apy is not None:
        kept.append(pl.col("apy") >= wanted.min_apy)
    if wanted.max_apy is not None:
        kept.append(pl.col("apy") <= wanted.max_apy)
    return pl.all_horizontal(kept).fill_null(value=False)


def _says(word: str) -> pl.Expr:
    return pl.any_horizontal(
        _lower(name).str.contains(word, literal=True).fill_null(value=False) for name in SEARCHED
    )


def _lower(name: str) -> pl.Expr:
    return pl.col(name).str.to_lowercase()
