"""A small panel with structure that models can learn, for tests of flows."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from defimon.core.settings import load_settings
from defimon.core.tables import PANEL


def simulated_panel(pools=6, days=230, seed=3):
    """Rates that swing around a mean of their own and come back, with a day missing here and there."""
    rng = np.random.default_rng(seed)
    start = datetime(2025, 6, 1, 1, tzinfo=UTC)
    rows = []
    for pool in range(pools):
        mean, level = 0.02 + 0.02 * pool, 0.0
        for day in range(days):
            level = 0.75 * level + rng.normal(scale=0.25)
            if rng.random() < 0.01:
                continue
            rate = mean * float(np.exp(level))
            rows.append(
                {
                    "pool_id": f"pool-{pool}",
                    "ts": start + timedelta(days=day),
                    "apy": rate,
                    "tvl_usd": 1e6 * (pool + 1),
                    "borrow_apy": rate * 1.4,
                    "protocol": "aave-v3",
                    "chain": "ethereum" if pool % 2 else "base",
                    "symbol": "USDC" if pool < 4 else "WETH",
                    "stablecoin": pool < 4,
                    "status": "active",
                    "source": "test",
                    "origin": "simulated",
                }
            )
    return PANEL.validate(pl.DataFrame(rows, infer_schema_length=None))


@pytest.fixture(scope="session")
def small_panel():
    return simulated_panel()


@pytest.fixture
def settings(tmp_path):
    return load_settings({}, data_dir=tmp_path / "data", processes=1)


@pytest.fixture(scope="session")
def settings_of(tmp_path_factory):
    """Settings with a data folder of their own, so that no kept work is shared."""
    return lambda name: load_settings({}, data_dir=tmp_path_factory.mktemp(name), processes=1)
