"""What many tests of flows ask for: a small panel that models can learn from, a store, a followed pool."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

sys.path.append(str(Path(__file__).parent))  # so that the followed pool can be imported

from followed_pool import traded_pool

from defimon.core.settings import load_settings
from defimon.core.tables import PANEL
from defimon.flows._store import open_store


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


@pytest.fixture
def store(settings):
    with open_store(settings) as opened:
        yield opened


@pytest.fixture
def chain(store):
    """A followed pool in the store, with swaps that nobody has taken in yet."""
    return traded_pool(store)


@pytest.fixture(scope="session")
def settings_of(tmp_path_factory):
    """Settings with a data folder of their own, so that no kept work is shared."""
    return lambda name: load_settings({}, data_dir=tmp_path_factory.mktemp(name), processes=1)
