"""Small daily panels, made by hand."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from defimon.core.tables import PANEL
from defimon.core.units import start_of

FIRST = date(2026, 1, 1)


def make_daily(pools, **columns):
    """Daily panel from `pools`: pool_id to one APY a day (None: not observed), and columns of that shape."""
    rows = []
    for pool, rates in pools.items():
        for day, apy in enumerate(rates):
            if apy is None:
                continue
            row = {"pool_id": pool, "ts": start_of(FIRST + timedelta(days=day)) + timedelta(hours=12)}
            row |= {"apy": apy, "stablecoin": True, "chain": "ethereum", "symbol": pool.upper()}
            row |= {name: values[pool][day] for name, values in columns.items() if pool in values}
            rows.append(row)
    panel = PANEL.rows(rows)
    return panel.with_columns(pl.col("ts").dt.date().alias("day")).sort("pool_id", "day")


@pytest.fixture
def daily_of():
    return make_daily


@pytest.fixture
def first_day():
    return FIRST


@pytest.fixture
def random_daily():
    """Panel of `pools` pools over `days` days with gaps, an index, TVL and statuses, from a seed."""

    def build(seed, days=60, pools=6):
        rng = np.random.default_rng(seed)
        names = [f"p{i}" for i in range(pools)]
        rates, index, tvl, status = {}, {}, {}, {}
        for name in names:
            level = np.abs(0.05 * np.exp(np.cumsum(rng.normal(0, 0.2, days))))
            rates[name] = [None if rng.random() < 0.1 else float(rate) for rate in level]
            index[name] = np.cumprod(1 + level / 365).tolist()
            tvl[name] = (1e5 * np.exp(np.cumsum(rng.normal(0, 0.1, days)))).tolist()
            status[name] = rng.choice(["active"] * 8 + ["frozen", "paused"], days).tolist()
        with_index = {name: index[name] for name in names[: pools // 2]}
        return make_daily(rates, index=with_index, tvl_usd=tvl, status=status)

    return build
