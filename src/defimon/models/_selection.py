"""Which features a model looks at unless it is told: few that matter forecast better than all that exist."""

from collections.abc import Sequence

import numpy as np

from defimon.models._base import Lesson

CORE = (
    "apy_ago_1",
    "apy_ago_2",
    "apy_ago_3",
    "apy_ago_7",
    "apy_average_3",
    "apy_average_7",
    "apy_average_14",
    "apy_average_30",
    "apy_median_7",
    "apy_median_14",
    "apy_median_30",
    "apy_median_60",
    "apy_lowest_7",
    "apy_lowest_30",
    "apy_highest_7",
    "apy_highest_30",
    "apy_ewma_4",
    "apy_ewma_10",
    "log_apy",
    "change_size_7",
    "change_size_30",
    "reversion_7",
    "reversion_30",
    "outcome_mean_30",
    "all_median_30",
    "class_median_30",
    "token_median_30",
    "token_ago_3",
    "token_gap",
    "token_gap_change_30",
)
"""What every panel has. Chosen on forecasts that end before the windows on which models are compared."""

LENDING = (
    "realised_1",
    "realised_2",
    "realised_3",
    "realised_7",
    "realised_14",
    "realised_median_7",
    "realised_median_30",
    "utilisation",
    "utilisation_median_7",
    "utilisation_median_30",
    "utilisation_highest_30",
    "log_borrow_apy",
    "borrow_median_30",
)
"""What a panel of lending markets adds."""

LIQUIDITY = (
    "log_tvl",
    "tvl_ago_1",
    "tvl_ago_3",
    "tvl_ago_7",
    "tvl_median_7",
    "tvl_median_30",
    "tvl_change_deviation_14",
    "income_median_7",
    "income_median_14",
    "income_median_30",
    "income_mean_7",
    "income_mean_30",
    "base_income_median_7",
    "base_ago_1",
    "base_ago_3",
    "base_median_3",
    "base_median_7",
    "base_median_14",
    "base_median_30",
    "base_mean_7",
    "base_mean_30",
    "base_ewma_4",
    "reward_ago_1",
    "reward_median_7",
    "reward_median_30",
    "reward_mean_7",
    "log_base_apy",
    "log_reward_apy",
    "base_share",
    "apy_ago_5",
    "apy_ago_14",
    "apy_ago_28",
    "apy_mean_3",
    "apy_mean_7",
    "apy_mean_14",
    "apy_mean_30",
    "apy_ewma_1_5",
    "apy_lowest_14",
    "apy_highest_14",
    "change_deviation_30",
    "change_median_30",
    "outcome_size_30",
    "all_ago_1",
    "all_ago_3",
    "chain_ago_1",
    "chain_median_30",
    "apy_rank_30",
    "days_since_jump_25",
    "weekday",
    "is_stable",
    "is_ether",
)
"""What a panel with TVL and reward rates adds: its yields move with deposits and with incentives."""

EVENT = (
    "days_since_jump_5",
    "days_since_jump_25",
    "before_jump_5",
    "before_jump_25",
    "jumps_5_30",
    "jumps_25_30",
    "outcome_size_30",
    "outcome_size_60",
    "change_median_30",
    "apy_rank_30",
    "apy_rank_90",
    "steepness",
    "steepness_median_30",
    "realised_deviation_14",
    "utilisation_ago_1",
    "utilisation_ago_7",
    "weekday",
)
"""What a classifier of falls looks at besides: how often and when a pool last jumped."""

CLASSIC = (
    "apy",
    "tvl_usd",
    "volume_24h_usd",
    "volatility_24h",
    "apy_7d_mean",
    "apy_30d_mean",
    "apy_7d_deviation",
    "tvl_7d_trend",
    "volume_to_tvl",
    "apy_momentum",
    "hour",
    "weekday",
)
"""What yields are usually forecast from, as levels; with a column for each protocol these are the classic
sixteen. The variant `level` looks at them: levels cannot be learnt from ratios."""

PROTOCOL = "protocol_"

FEWEST_CORE = 10
"""A table with fewer of the core features is not a yield panel: it is looked at in full."""


def looked_at(lesson: Lesson, features: Sequence[str] | None, variant: str) -> tuple[str, ...]:
    """`features` if given; else those of the groups above that fit the lesson; all if it has few of them."""
    if features is not None:
        return tuple(features)
    have = set(lesson.rows.names)
    if len(have & set(CORE)) < FEWEST_CORE:
        return lesson.rows.names
    if lesson.kind == "rate" and variant == "level":
        protocols = [name for name in lesson.rows.names if name.startswith(PROTOCOL)]
        return tuple(name for name in (*CLASSIC, *protocols) if name in have)
    wanted = [*CORE, *LENDING]
    if "log_tvl" in have and bool(np.isfinite(lesson.rows.column("log_tvl")).any()):
        wanted += LIQUIDITY
    if lesson.kind == "event":
        wanted += EVENT
    return tuple(name for name in dict.fromkeys(wanted) if name in have)
