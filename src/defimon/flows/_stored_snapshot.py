"""What the store knows of a chain's newest blocks, its coin and its contracts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from defimon.core.chains import Chain
from defimon.flows.window_figures import CoinNow, Fees, WindowFigures, middle, transfer_coins, window_figures
from defimon.store.database import Store

STORED_BLOCKS = 600
"""Newest stored blocks that are looked at: an hour of a chain with a block every six seconds."""

TOLD = ("circulating_supply", "total_supply", "close_usd", "market_cap_usd")
DAY = timedelta(days=1)
"""How far before the newest price a supply may lie that is told with it: hourly prices come without one."""


@dataclass(frozen=True, slots=True)
class StoredFigures:
    """Figures of the newest stored blocks, and the highest of them that is final."""

    window: WindowFigures
    fees: Fees
    final: int | None


def stored_blocks(store: Store, chain: Chain) -> StoredFigures | None:
    """Figures of the newest consecutive blocks of the chain, by the source that knows the newest."""
    found = [
        rows for source in _sources(store, chain.name) if (rows := _newest(store, chain.name, source)).height
    ]
    if not found:
        return None
    blocks = max(found, key=lambda rows: rows["ts"][-1])
    final = blocks.filter(pl.col("status") == "final")["number"].max()
    window = window_figures(blocks)
    return StoredFigures(window, _fees(blocks, window, chain.decimals), final)  # type: ignore[arg-type]


def coin_stored(store: Store, chain: Chain) -> CoinNow | None:
    """The coin's newest supply and price by CoinGecko; None where none was ever stored."""
    if not chain.coingecko:
        return None
    newest = store.last("market_prices", where={"asset_id": chain.coingecko})
    if newest.is_empty():
        return None
    last = newest["ts"].to_list()[0]
    rows = store.read("market_prices", where={"asset_id": [chain.coingecko]}, since=last - DAY).sort("ts")
    circulating, total, price, cap = (next(iter(rows[name].drop_nulls().reverse()), None) for name in TOLD)
    return CoinNow(circulating, total, price, cap, newest["source"][0], last)


def contract_names(store: Store, chain: str) -> Mapping[str, str]:
    """Names of contracts that explorers described, by address."""
    rows = store.read("contracts", where={"chain": [chain]}, columns=["address", "name", "symbol"])
    told = rows.select("address", name=pl.coalesce("symbol", "name")).drop_nulls()
    return dict(told.iter_rows())


def _sources(store: Store, chain: str) -> list[str]:
    """Sources that follow the chain's blocks."""
    names = [name.split(":") for name in store.names("cursors")]
    return [parts[0] for parts in names if parts[1:] == [chain, "blocks"]]


def _newest(store: Store, chain: str, source: str) -> pl.DataFrame:
    where = {"chain": [chain], "source": [source]}
    extent = store.extent("blocks", "number", where=where)
    if extent is None:
        return pl.DataFrame()
    top = extent[1] + 1
    rows = store.read("blocks", where=where, between={"number": (max(0, top - STORED_BLOCKS), top)})
    rows = rows.filter(pl.col("status") != "orphaned").sort("number")
    breaks = (rows["number"].diff() != 1).arg_true()
    return rows.slice(breaks[-1]) if len(breaks) else rows


def _fees(blocks: pl.DataFrame, window: WindowFigures, decimals: int) -> Fees:
    base = blocks["base_fee"].drop_nulls().to_list()
    tips = [middle(blocks[f"tip_p{share}"].drop_nulls().to_list()) for share in ("10", "50", "90")]
    now = base[-1] if base else None
    return Fees(
        blocks=blocks.height,
        base_fee=now,
        base_fee_next=None,
        base_fee_lowest=min(base, default=None),
        base_fee_highest=max(base, default=None),
        tip_p10=tips[0],
        tip_p50=tips[1],
        tip_p90=tips[2],
        utilisation=window.utilisation,
        transfer_coins=transfer_coins(now, tips[1], decimals),
    )
