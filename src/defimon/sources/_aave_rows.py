"""Reserves as rows of the yield panel and of market prices."""

import re
from collections.abc import Sequence
from typing import Any

import polars as pl

from defimon.core.tables import MARKET_PRICES, PANEL
from defimon.core.units import DAYS_PER_YEAR
from defimon.sources._aave_calls import RAY
from defimon.sources._aave_market import Reserve
from defimon.sources._base import Source, as_panel
from defimon.sources._evm_moments import DAY, time_of
from defimon.sources._evm_places import Place
from defimon.sources._evm_words import Header
from defimon.sources._final_moments import known_at
from defimon.sources._stablecoins import is_stablecoin

SECONDS_A_YEAR = int(DAYS_PER_YEAR * DAY.total_seconds())

# Markets whose reserves go by chain and asset alone, as in recorded snapshots: each chain's first market.
# Source: npm @bgd-labs/aave-address-book 4.44.22, AaveV3<Chain>.POOL_ADDRESSES_PROVIDER.
_SHARED = "0xa97684ead0e402dc232d5a977953df7ecbab3cdb"
MAIN_MARKETS = {
    "ethereum": "0x2f39d218133afab8f2b819b1066c7e434ad94e9e",
    "polygon": _SHARED,
    "arbitrum": _SHARED,
    "optimism": _SHARED,
    "avalanche": _SHARED,
    "base": "0xe20fcbdbffc4dd138ce8b2e6fbb6cb49777ad64d",
    "gnosis": "0x36616cf17557639614c1cddb356b1b83fc0b2132",
    "bnb": "0xff75b6da14ffbbfd355daf7a2731456b3562ba6d",
}


def pool_id_of(place: Place, asset: str) -> str:
    """A market's reserve by name: a chain may have several markets, and an asset a reserve in each."""
    return f"aave-v3:{asset_id_of(place, asset)}"


def pools_of(place: Place) -> str:
    """Pattern of the names of a market's reserves."""
    return f"{re.escape(pool_id_of(place, ''))}0x[0-9a-f]{{40}}"


def asset_id_of(place: Place, asset: str) -> str:
    """An asset by the market whose oracle prices it: two of one chain may say different things of it."""
    if MAIN_MARKETS.get(place.chain) == place.address:
        return f"{place.chain}:{asset}"
    return f"{place.chain}:{place.address}:{asset}"


def panel_of(
    reserves: Sequence[Reserve], place: Place, block: Header, source: type[Source], origin: str
) -> pl.DataFrame:
    """One row a reserve. Rates are not compounded, as the contracts state them; TVL is all deposits."""
    rows = [_row(one, place, block) for one in reserves]
    if not rows:
        return PANEL.empty()
    given = {name: PANEL.schema[name] for name in rows[0]}
    frame = pl.DataFrame(rows, schema=given).with_columns(
        ts=pl.lit(time_of(block), dtype=PANEL.schema["ts"]),
        known_at=pl.lit(known_at(time_of(block)), dtype=PANEL.schema["known_at"]),
        stablecoin=is_stablecoin(pl.col("symbol")),
        protocol=pl.lit("aave-v3"),
        chain=pl.lit(place.chain),
        origin=pl.lit(origin),
    )
    return as_panel(frame, source, where=source.title)


def prices_of(
    reserves: Sequence[Reserve], place: Place, block: Header, source: str, origin: str
) -> pl.DataFrame:
    """What the market's oracle says each asset is worth, as rows of `market_prices`."""
    known = known_at(time_of(block))
    return MARKET_PRICES.rows(
        {
            "asset_id": asset_id_of(place, one.asset),
            "ts": time_of(block),
            "close_usd": one.price,
            "known_at": known,
            "source": source,
            "origin": origin,
        }
        for one in reserves
        if one.price is not None
    )


def _row(one: Reserve, place: Place, block: Header) -> dict[str, Any]:
    data, terms = one.data, one.data.configuration
    base = data.liquidity_rate / RAY
    deposits_usd = _usd(one)
    reward = _reward_rate(one, deposits_usd, block.seconds)
    lent = one.debt + one.stable_debt
    return {
        "pool_id": pool_id_of(place, one.asset),
        "symbol": one.symbol,
        "apy": base + (reward or 0.0),
        "apy_base": base,
        "apy_reward": reward,
        "borrow_apy": data.borrow_rate / RAY,
        "tvl_usd": deposits_usd,
        "utilisation": lent / (lent + one.available) if lent + one.available else None,
        "index": one.index / RAY,
        "status": _status(one),
        "supply_cap": float(terms.supply_cap),
        "borrow_cap": float(terms.borrow_cap),
        "reserve_factor": terms.reserve_factor,
    }


def _usd(one: Reserve) -> float | None:
    return None if one.price is None else one.supplied / 10**one.data.configuration.decimals * one.price


def _status(one: Reserve) -> str:
    """A reserve that is not active takes neither deposits nor withdrawals, like a paused one."""
    terms = one.data.configuration
    if terms.paused or not terms.active:
        return "paused"
    return "frozen" if terms.frozen else "active"


def _reward_rate(one: Reserve, deposits_usd: float | None, now: int) -> float | None:
    """Dollars of rewards a year for each dollar deposited; null where none run or their worth is unknown."""
    running = [reward for reward in one.rewards if reward.end > now and reward.per_second]
    if not running or not deposits_usd or any(reward.price is None for reward in running):
        return None
    paid = sum(
        reward.per_second * SECONDS_A_YEAR / 10**reward.decimals * (reward.price or 0.0) for reward in running
    )
    return float(paid / deposits_usd)
