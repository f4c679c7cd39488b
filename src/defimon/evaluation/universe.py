"""Which pools are judged, fixed on the first forecast day from what was known before it."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from defimon.core.errors import BadData

RECENT_DAYS = 30


@dataclass(frozen=True, slots=True)
class UniverseRules:
    """Thresholds of the universe; the defaults are the lending protocol of docs/evaluation.md."""

    min_days: int = 120
    min_mean_apy: float = 0.001
    min_median_tvl_usd: float = 0.0
    min_recent_days: int = 20
    """Observations needed in the last 30 days, the forecast day included."""


LENDING = UniverseRules()
EXCHANGE = UniverseRules(min_days=180, min_median_tvl_usd=100_000.0, min_recent_days=0)


def universe(daily: pl.DataFrame, start: date, rules: UniverseRules) -> list[str]:
    """Sorted ids of pools that qualify on rows strictly before `start`.

    Raises BadData, with what each rule left, when none does.
    """
    past = daily.lazy().filter(pl.col("day") < start).group_by("pool_id")
    facts = past.agg(
        pl.len().alias("days"), pl.col("apy").mean().alias("mean"), pl.col("tvl_usd").median().alias("tvl")
    ).collect()
    enough_days = pl.col("days") >= rules.min_days
    enough_apy = pl.col("mean") > rules.min_mean_apy
    enough_tvl = pl.col("pool_id").is_not_null()
    if rules.min_median_tvl_usd > 0:
        enough_tvl = (pl.col("tvl") >= rules.min_median_tvl_usd).fill_null(value=False)
    chosen = facts.filter(enough_days & enough_apy & enough_tvl)
    if chosen.is_empty():
        left = facts.select(
            enough_days.sum().alias("d"), enough_apy.sum().alias("a"), enough_tvl.sum().alias("t")
        )
        raise BadData(
            f"No pool qualifies on {start}: of {facts.height} pools {left['d'][0]} have {rules.min_days} "
            f"days, {left['a'][0]} a mean over {rules.min_mean_apy:.3%}, {left['t'][0]} enough TVL.",
            remedy="Start later, or lower --min-days, --min-mean-apy or --min-tvl.",
        )
    return sorted(chosen["pool_id"].to_list())


def eligible(daily: pl.DataFrame, rules: UniverseRules) -> pl.DataFrame:
    """Rows `pool_id, day` for which a forecast may be made: observed, open for deposits, lately observed."""
    recent = pl.col("day").count().rolling(index_column="day", period=f"{RECENT_DAYS}d").over("pool_id")
    live = pl.col("status").is_null() | (pl.col("status") == "active")
    return (
        daily.lazy()
        .with_columns(recent.alias("recent"))
        .filter(live & (pl.col("recent") >= rules.min_recent_days))
        .select("pool_id", "day")
        .collect()
    )
