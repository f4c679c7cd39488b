from datetime import date, timedelta

import polars as pl
import pytest

from defimon.core.errors import BadData
from defimon.evaluation.universe import UniverseRules, universe

FIRST = date(2025, 1, 1)


def test_the_refusal_counts_pools_and_not_rules():
    rows = [
        {"pool_id": pool, "day": FIRST + timedelta(days=day), "apy": 0.05, "tvl_usd": None}
        for pool in ("a", "b", "c")
        for day in range(10)
    ]
    daily = pl.DataFrame(rows, schema_overrides={"tvl_usd": pl.Float64})
    with pytest.raises(BadData, match=r"of 3 pools 0 have 120 days, 3 a mean over 0\.100%, 3 enough TVL"):
        universe(daily, FIRST + timedelta(days=10), UniverseRules())
