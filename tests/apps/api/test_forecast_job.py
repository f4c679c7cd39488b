"""How a forecast gets to a caller: the worker's job stores it, the API answers with it."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from defimon.core.settings import load_settings
from defimon.core.tables import FORECASTS, POOLS, YIELDS
from defimon.flows._store import open_store
from defimon.flows.forecast_job import store_forecasts

POOL_COUNT, DAYS = 5, 220


def swinging():
    """Rates that swing around a mean of their own and come back, so that there is something to learn."""
    rng = np.random.default_rng(3)
    start, level = datetime(2025, 6, 1, 1, tzinfo=UTC), np.zeros(POOL_COUNT)
    for day in range(DAYS):
        level = 0.75 * level + rng.normal(scale=0.25, size=POOL_COUNT)
        moment = start + timedelta(days=day)
        for pool in range(POOL_COUNT):
            yield {
                "pool_id": f"pool-{pool}", "ts": moment, "known_at": moment, "tvl_usd": 1e6, "source": "test",
                "apy": 0.02 * (pool + 1) * float(np.exp(level[pool])), "origin": "simulated",
            }  # fmt: skip


def test_what_the_job_stores_is_what_the_api_answers(tmp_path, serve_on):
    settings = load_settings({}, data_dir=tmp_path, processes=1)
    rows = list(swinging())
    named = [{**row, "protocol": "aave-v3"} for row in rows[:POOL_COUNT]]
    with open_store(settings) as store:
        store.write("yields", YIELDS.rows(rows))
        pools = [{name: row[name] for name in POOLS.names if name in row} for row in named]
        store.write("pools", POOLS.rows(pools))
        assert store_forecasts(store, settings, models=("persistence", "ridge")) == 3 * POOL_COUNT
        said = store.read(FORECASTS.name, where={"target": ["apy_mean"]})
    with serve_on(tmp_path) as client:
        board = client.get("/v1/leaderboard?target=apy_mean").json()["standings"]
        assert [one["model"] for one in board] == ["persistence", "served", "ridge"]
        told = client.post("/predict", json={"strategies": ["aave", "pool-1"]}).json()["predictions"]
    one = said.filter(said["pool_id"] == "pool-1").row(0, named=True)
    assert told["pool-1"]["apy"] == pytest.approx(one["yhat"])
    assert told["pool-1"]["interval"] == pytest.approx([one["q05"], one["q95"]])
    assert told["pool-1"]["volatility"] > 0
    assert told["pool-1"]["reason"] == one["reason"]
    assert told["aave"]["origin"] == "simulated"
    assert told["aave"]["apy"] == pytest.approx(said["yhat"].mean())
