from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from numpy.random import default_rng

from defimon.core.tables import PANEL
from defimon.flows.load import daily
from defimon.sources.aave_snapshots import AaveSnapshots
from defimon.sources.defillama_history import DefiLlamaHistory

FIRST = date(2025, 1, 1)
SYMBOLS = ("USDC", "USDC.e", "WETH", "wstETH", "cbBTC", "LINK", "WETH", "USDC")


def pool(pool_id, apy, *, days=None, first=FIRST, **columns):
    """Daily rows of one pool; `days` are the observed days, counted from `first`."""
    days = range(len(apy)) if days is None else days
    stamps = [first + timedelta(days=int(n)) for n in days]
    rows = {"pool_id": [pool_id] * len(apy), "day": stamps, "apy": [float(rate) for rate in apy]}
    rows["ts"] = [datetime(day.year, day.month, day.day, 23, tzinfo=UTC) for day in stamps]
    dtypes = {**PANEL.schema, "day": pl.Date()}
    rows |= {
        name: value if isinstance(value, list) else [value] * len(apy) for name, value in columns.items()
    }
    return pl.DataFrame(rows, schema={name: dtypes.get(name, pl.Float64()) for name in rows})


def restless_pool(number, days, draw, *, seen=0.93):
    """A pool that wanders, jumps and is not observed on some days, with every column filled."""
    apy = 0.05 * draw.lognormal(0, 0.1, days).cumprod() * draw.choice([1, 1, 1, 1.5, 0.0], days)
    index = 1 + draw.uniform(0, 2e-4, days).cumsum()
    tvl = 1e6 * draw.lognormal(0, 0.05, days).cumprod()
    chosen = draw.random(days) < seen
    chosen[-1] = True
    return pool(
        f"pool-{number}",
        apy[chosen],
        days=chosen.nonzero()[0],
        apy_base=list(apy[chosen] * 0.7),
        apy_reward=list(apy[chosen] * 0.3),
        tvl_usd=list(tvl[chosen]),
        volume_24h_usd=list(tvl[chosen] / 9),
        borrow_apy=list(apy[chosen] * 1.4 + 0.01),
        utilisation=list(draw.uniform(0, 1, chosen.sum())),
        index=list(index[chosen]),
        status=list(draw.choice(["active", "active", "active", "frozen"], chosen.sum())),
        protocol="aave-v3",
        chain=f"chain-{number % 2}",
        symbol=SYMBOLS[number % len(SYMBOLS)],
        stablecoin=SYMBOLS[number % len(SYMBOLS)].startswith("USDC"),
        supply_cap=list(draw.choice([0.0, 1e6], chosen.sum())),
        borrow_cap=1e5,
        reserve_factor=list(draw.choice([0.1, 0.2], chosen.sum())),
        apy_24h_deviation=0.001,
    )


def restless_panel(pools, days, seed):
    draw = default_rng(seed)
    return pl.concat([restless_pool(number, days, draw) for number in range(pools)])


@pytest.fixture(scope="session")
def restless():
    return restless_panel(8, 150, seed=3)


@pytest.fixture(scope="session")
def one_pool():
    return pool


@pytest.fixture(scope="session")
def make_restless():
    return restless_panel


@pytest.fixture(scope="session")
def aave_daily(data_sets):
    return daily(AaveSnapshots().read(data_sets / "open" / "aave_v3_snapshots.parquet"))


@pytest.fixture(scope="session")
def llama_daily(data_sets):
    return daily(DefiLlamaHistory().read(data_sets / "open" / "defillama_pool_history.parquet"))
