"""Which pools of DefiLlama are followed."""

import polars as pl

from defimon.core.errors import FixSettings
from defimon.core.settings import Settings
from defimon.sources._defillama_kinds import CHOSEN_KINDS, kind_of
from defimon.sources._names import chain_name

LEAST_APY = 0.001
"""0.1 % a year, under which the evaluation does not score a pool either. Among the thirty largest exchange
pools of 2025-10-06 four pay next to nothing: their TVL is tokens that nobody buys at their quoted price."""


def choose(pools: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """The pools to follow: rows of `pools` with `kind` added, largest TVL first.

    Only pools of the settings' protocols and chains, with at least the least TVL. Where protocols are named,
    the largest of them are taken, of whatever kind. Else lending, staking and exchanges get an equal share of
    the places each, filled by TVL, so that a few hundred exchange pools do not crowd out the lending markets;
    places that a kind cannot fill go to the largest pools left. Unless protocols are named, pools that pay
    under 0.1 % a year are left out.

    Raises FixSettings when no pool fits.
    """
    fitting = _fitting(pools.with_columns(kind_of(pl.col("protocol")).alias("kind")), settings)
    if fitting.is_empty():
        raise FixSettings(
            f"None of {pools.height:,} pools fits the settings.",
            variable="DEFIMON_DEFILLAMA_PROTOCOLS",
            remedy="Loosen DEFIMON_DEFILLAMA_PROTOCOLS, _CHAINS, _STABLECOINS or _MIN_TVL_USD.",
        )
    places = settings.defillama_pools
    if settings.defillama_protocols:
        return _largest(fitting).head(places)
    share = -(-places // len(CHOSEN_KINDS))
    ranked = _largest(fitting).with_columns((pl.int_range(pl.len()).over("kind") < share).alias("in_share"))
    first = pl.concat([ranked.filter("in_share"), ranked.filter(~pl.col("in_share"))]).head(places)
    return _largest(first.drop("in_share"))


def _fitting(pools: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    conditions = [pl.col("tvl_usd") >= settings.defillama_min_tvl_usd, pl.col("apy").is_not_null()]
    if settings.defillama_chains:
        named = pl.DataFrame({"chain": settings.defillama_chains}).select(chain_name(pl.col("chain")))
        conditions.append(pl.col("chain").is_in(named["chain"].to_list()))
    if settings.defillama_stablecoins:
        conditions.append(pl.col("stablecoin").fill_null(value=False))
    if settings.defillama_protocols:
        named_protocols = [protocol.lower() for protocol in settings.defillama_protocols]
        conditions.append(pl.col("protocol").is_in(named_protocols))
    else:
        conditions += [pl.col("kind").is_in(CHOSEN_KINDS), pl.col("apy") >= LEAST_APY]
    return pools.filter(conditions)


def _largest(pools: pl.DataFrame) -> pl.DataFrame:
    return pools.sort(["tvl_usd", "pool_id"], descending=[True, False])
