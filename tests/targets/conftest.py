from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from defimon.core.tables import PANEL
from defimon.flows.load import daily
from defimon.sources.aave_snapshots import AaveSnapshots
from defimon.sources.defillama_history import DefiLlamaHistory

FIRST = date(2025, 1, 1)


def pool(apy, *, pool_id="a", days=None, **columns):
    """Daily rows of one pool; `days` are the observed days, counted from 2025-01-01."""
    days = range(len(apy)) if days is None else days
    stamps = [FIRST + timedelta(days=int(n)) for n in days]
    rows = {"pool_id": [pool_id] * len(apy), "day": stamps, "apy": [float(rate) for rate in apy]}
    rows["ts"] = [datetime(day.year, day.month, day.day, 23, tzinfo=UTC) for day in stamps]
    dtypes = {**PANEL.schema, "day": pl.Date()}
    return pl.DataFrame(rows | columns, schema={name: dtypes[name] for name in rows | columns})


@pytest.fixture(scope="session")
def one_pool():
    return pool


@pytest.fixture(scope="session")
def aave_daily(data_sets):
    return daily(AaveSnapshots().read(data_sets / "open" / "aave_v3_snapshots.parquet"))


@pytest.fixture(scope="session")
def llama_daily(data_sets):
    return daily(DefiLlamaHistory().read(data_sets / "open" / "defillama_pool_history.parquet"))
