"""Pools of a catalogue by what is asked of them, in order, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from defimon.flows.catalogue import Catalogue

SORTS = ("tvl_usd", "apy", "forecast", "forecast_low", "volume_24h_usd", "pool_id")
Sort = Literal["tvl_usd", "apy", "forecast", "forecast_low", "volume_24h_usd", "pool_id"]

SEARCHED = ("pool_id", "protocol", "chain", "symbol", "meta", "address")


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


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a page, how many there are in all, and the place after which the next page begins, if any."""

    rows: list[dict[str, Any]]
    total: int
    after: tuple[float | None, str] | None


def search_pools(
    catalogue: Catalogue,
    wanted: Wanted,
    *,
    sort: Sort = "tvl_usd",
    descending: bool = True,
    after: tuple[float | None, str] | None = None,
    limit: int = 100,
) -> Page:
    """Pools in the order of a column, ties by pool_id; a pool without the figure comes last.

    A page begins after a value and a pool and not at a number, so that no pool is shown twice or left out
    when others come in between.
    """
    found = catalogue.pools.filter(_kept(wanted))
    key = pl.lit(0.0) if sort == "pool_id" else pl.col(sort) * (-1.0 if descending else 1.0)
    backwards = sort == "pool_id" and descending
    keyed = found.with_columns(key.fill_null(float("inf")).alias("key"))
    ordered = keyed.sort(["key", "pool_id"], descending=[False, backwards])
    rest = ordered if after is None else ordered.filter(_beyond(after, backwards=backwards))
    rows = rest.head(limit)
    last = None
    if rest.height > limit:
        place = rows.row(-1, named=True)
        last = (None if place["key"] == float("inf") else place["key"], place["pool_id"])
    return Page(rows.drop("key").to_dicts(), found.height, last)


def _beyond(after: tuple[float | None, str], *, backwards: bool) -> pl.Expr:
    value = float("inf") if after[0] is None else after[0]
    later = pl.col("pool_id") < after[1] if backwards else pl.col("pool_id") > after[1]
    return (pl.col("key") > value) | ((pl.col("key") == value) & later)


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
