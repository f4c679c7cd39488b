"""A worker that is told to stop does not wait for a whole walk: the run is given back, its steps are kept."""

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from numpy.random import default_rng

from defimon.core.settings import load_settings
from defimon.core.tables import YIELDS
from defimon.flows._store import open_store, store_url
from defimon.flows.forecast_job import forecasting
from defimon.flows.run_job import STOPPED, Place, Stop, run_job

DAYS, POOLS = 220, 4
LIMIT_S = 60.0


def rates(days):
    rng = default_rng(5)
    start = datetime.now(UTC).replace(hour=1, minute=0, second=0, microsecond=0) - timedelta(days=days)
    for day in range(days):
        for pool in range(POOLS):
            moment = start + timedelta(days=day)
            yield {
                "pool_id": f"pool-{pool}", "ts": moment, "known_at": moment, "tvl_usd": 1e6, "source": "test",
                "apy": float(rng.gamma(8.0, 0.005)), "origin": "simulated",
            }  # fmt: skip


def words(process):
    """What a process was called with; nothing when it is no more."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def fitting():
    """Processes below this one that take steps of walks."""
    tasks = Path("/proc/self/task").iterdir()
    return {
        one
        for task in tasks
        for one in (task / "children").read_text().split()
        if "LokyProcess" in words(one)
    }


def test_a_walk_ends_between_two_steps_and_leaves_no_process_behind(tmp_path):
    settings = load_settings({}, data_dir=tmp_path, processes=2)
    with open_store(settings) as store:
        store.write("yields", YIELDS.rows(list(rates(DAYS))))
    place, told = Place(store_url(settings), "a worker", timedelta(minutes=5)), Stop()
    kept, ended, before = lambda: list(tmp_path.rglob("*.ridge.*.parquet")), [], fitting()

    def work():
        with place.store() as leased:
            ended.append(run_job(forecasting(settings), place, leased, told))

    worker = threading.Thread(target=work)
    worker.start()
    end = time.monotonic() + LIMIT_S
    while not kept():
        assert time.monotonic() < end, "no step was taken"
        assert worker.is_alive(), ended
        time.sleep(0.02)
    assert fitting() - before
    told.reason = STOPPED
    worker.join(LIMIT_S)
    (run,) = ended
    assert (run.status, "given back" in run.error) == ("running", True), run
    assert kept(), "what was fitted is kept for the next worker"
    with open_store(settings) as store:
        assert store.read("forecasts").is_empty()
    while fitting() - before:
        assert time.monotonic() < end, fitting() - before
        time.sleep(0.05)
