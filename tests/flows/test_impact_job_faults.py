"""What goes wrong while swaps are taken into the statistics of impact, and what must not suffer from it."""

import json
from contextlib import contextmanager
from datetime import timedelta

import pytest
from followed_pool import START, Chain, statistics

from defimon.flows._pool_swaps import SWAP_V2, SYNC_V2, Unreadable, read_logs
from defimon.flows._store import store_url
from defimon.flows.impact_job import Observed, observe_swaps, observing
from defimon.flows.observed_trades import Taken, observe_files
from defimon.flows.run_job import Place, Stop, run_job
from defimon.store.database import Store

NO_PRICE = "0x" + "".join(f"{word:064x}" for word in (10**15, (1 << 256) - 10**6, 0, 10**18, 0))


@pytest.mark.parametrize("data", ["0x", "0x" + "0" * 200, "no hexadecimal " * 30, NO_PRICE])
def test_a_log_that_cannot_be_read_is_counted_once_and_those_after_it_are_taken_in(chain, data):
    observe_swaps(chain.store)
    chain.number += 1
    chain.raw_log(0, data)
    chain.swap((0, 10**15))
    assert observe_swaps(chain.store) == Observed(1, unreadable=1)
    chain.swap((0, 10**15))
    assert observe_swaps(chain.store) == Observed(1)
    assert statistics(chain).count == 2


def test_after_a_sync_that_cannot_be_read_a_swap_waits_for_the_next_one():
    def row(number, kind, *words):
        data = "".join(f"{one:064x}" for one in words)
        return {"number": number, "ts": START, "topics": kind, "data": data}

    rows = [row(1, SYNC_V2, 5, 5), row(2, SYNC_V2), row(2, SWAP_V2, 1, 0, 0, 1), row(3, SYNC_V2, 7, 7)]
    first, second, third = read_logs(rows)
    assert (first.number, second, third.number) == (1, Unreadable(2), 3)


@pytest.mark.parametrize("document", ["{}", "no JSON"])
def test_a_pool_whose_rows_cannot_be_understood_stops_no_other(chain, settings, document):
    broken = Chain(chain.store)
    broken.address = "0x" + "0" * 40
    broken.row("pool_states", pool_id=broken.address, document=document)
    broken.swap((0, 10**15))
    observe_swaps(chain.store)
    chain.swap((0, 10**15))
    place = Place(store_url(settings), "w", timedelta(seconds=60))
    with place.store() as leased:
        run = run_job(observing(settings), place, leased, Stop())
    assert (run.status, run.rows) == ("done", 1)
    assert f"local:{broken.address}" in run.warnings


def test_one_run_takes_all_that_a_busy_pool_has(chain, settings, monkeypatch):
    observe_swaps(chain.store)
    monkeypatch.setattr("defimon.flows.impact_job.MOST_LOGS", 3)
    for _ in range(4):
        chain.swap((0, 10**15), (0, 10**14))
    place = Place(store_url(settings), "w", timedelta(seconds=60))
    with place.store() as leased:
        run = run_job(observing(settings), place, leased, Stop())
    assert (run.status, run.rows) == ("done", 8)
    assert statistics(chain).count == 8


def test_a_run_that_is_told_to_stop_keeps_what_it_has_and_is_given_back(chain, settings, monkeypatch):
    observe_swaps(chain.store)
    monkeypatch.setattr("defimon.flows.impact_job.MOST_LOGS", 3)
    for _ in range(4):
        chain.swap((0, 10**15), (0, 10**14))
    steps = iter((False, True))
    assert observe_swaps(chain.store, stopped=lambda: next(steps)) == Observed(4, more=True)
    place = Place(store_url(settings), "w", timedelta(seconds=60))
    with place.store() as leased:
        run = run_job(observing(settings), place, leased, Stop("its worker was told to stop"))
    assert run.status == "running"
    assert "given back" in run.error
    assert observe_swaps(chain.store) == Observed(4)


class Interrupted(Store):
    """A store whose next transaction begins after somebody else's work."""

    work = None

    @contextmanager
    def transaction(self):
        work, self.work = self.work, None
        if work is not None:
            work()
        with super().transaction():
            yield


def recorded_trades(path, chain, count):
    sell, buy = chain.pool.tokens
    side = {"venue": f"uniswap-v3:local:{chain.address}", "sell": sell, "buy": buy}
    shares = {"impact": 0.001, "shortfall": 0.01, "yardstick": 0.01, "low": 0.0, "median": 0.01, "high": 0.02}
    times = (START + timedelta(days=1, seconds=second) for second in range(count))
    path.write_text("".join(json.dumps({**side, **shares, "ts": ts.isoformat()}) + "\n" for ts in times))
    return path


def test_trades_that_come_while_swaps_are_forecast_are_kept_and_stay_known(chain, settings, tmp_path):
    observe_swaps(chain.store)
    path = recorded_trades(tmp_path / "trades.jsonl", chain, 5)
    chain.swap((0, 10**15))
    with Interrupted(store_url(settings)) as store:
        store.work = lambda: observe_files(chain.store, [path])
        assert observe_swaps(store) == Observed(1)
    assert statistics(chain).count == 6
    assert observe_files(chain.store, [path]) == Taken(0, 5)
