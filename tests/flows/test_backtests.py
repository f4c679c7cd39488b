"""Backtests that wait in the store: who runs which, and what becomes of those whose worker is gone."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from defimon.core.errors import BadData, FixSettings
from defimon.core.settings import load_settings
from defimon.core.tables import TABLES
from defimon.flows import backtest_rows
from defimon.flows._store import open_store, store_url
from defimon.flows.backtest import run_backtest
from defimon.flows.backtest_form import Form, form_of
from defimon.flows.backtest_results import MOST_POINTS, read_document, read_trades
from defimon.flows.backtest_retention import drop_old_backtests
from defimon.flows.backtest_rows import read_rows
from defimon.flows.backtest_run import reckon
from defimon.flows.backtest_work import BacktestQueue, run_backtest_of
from defimon.flows.backtests import (
    ATTEMPTS,
    MOST_WAITING,
    TooMany,
    cancel_backtest,
    claim,
    find_backtest,
    list_backtests,
    next_of,
    submit,
    waiting_backtests,
)
from defimon.flows.load import daily
from defimon.flows.not_known import NotKnown
from defimon.flows.run_job import STOPPED, Place, Stop
from defimon.flows.stored import stored_panel

DAYS = 60
LAST = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEASE = timedelta(seconds=60)
GONE = timedelta(0)


def table(name, rows):
    return TABLES[name].rows([{"source": "test", "origin": "observed", **row} for row in rows])


def fill(store, days=DAYS):
    """Four dollar pools, each a random walk of its own."""
    rng = np.random.default_rng(5)
    pools = [
        {"pool_id": f"p{n}", "protocol": "aave-v3", "chain": chain, "symbol": "USDC", "stablecoin": True}
        for n, chain in enumerate(("ethereum", "ethereum", "base", "base"))
    ]
    first = LAST - timedelta(days=days)
    store.write("pools", table("pools", [{**pool, "ts": first, "known_at": first} for pool in pools]))
    for pool in pools:
        level = 0.05 * np.exp(rng.normal(0, 0.5, days))
        rows = [
            {
                "pool_id": pool["pool_id"], "ts": LAST - timedelta(days=back), "tvl_usd": 1e7,
                "known_at": LAST - timedelta(days=back), "apy": float(level[back]),
            }
            for back in range(days)
        ]  # fmt: skip
        store.write("yields", table("yields", rows))


@pytest.fixture
def settings(tmp_path):
    return load_settings({}, data_dir=tmp_path, processes=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def of_both(request, settings):
    """Settings of a store of each kind, with its tables."""
    if request.param == "sqlite":
        open_store(settings).close()
        yield settings
        return
    with request.getfixturevalue("postgres_database")("template0") as address:
        own = load_settings({}, data_dir=settings.data_dir, database_url=address, processes=1)
        open_store(own).close()
        yield own


def place_of(settings, name="one", lease=LEASE):
    return Place(store_url(settings), name, lease)


def work(settings, worker=None):
    """One turn of a worker."""
    place = place_of(settings)
    with place.store() as leased:
        BacktestQueue(settings).run(place, leased, worker or Stop())


def test_a_form_that_is_told_by_a_preset_is_the_same_as_one_that_is_told_in_full():
    named = form_of("classic")
    full = form_of("", {"bps": 10.0, "gas_usd": 0.0, "days": 90})
    assert named == full
    assert named.hash == full.hash
    assert Form.parse(named.text) == named
    told = form_of("", {"start": date(2026, 1, 1), "pools": ["a"], "forecasts": "walk_forward"})
    assert Form.parse(told.text) == told
    assert told.models == ("persistence", "ridge", "xgboost", "ensemble")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"strategies": ["higest_apy"]}, "strategies"),
        ({"strategies": ["forecast"]}, "forecasts"),
        ({"forecasts": "guessed"}, "forecasts"),
        ({"forecasts": "walk_forward", "models": ["oracle"]}, "models"),
        ({"universe": "none"}, "universe"),
        ({"start": date(2026, 1, 2), "end": date(2026, 1, 2)}, "start"),
        ({"capital_usd": 0.0}, "capital"),
        ({"rebalance_days": 0}, "rebalance_days"),
        ({"most_distress": 2.0}, "most_distress"),
    ],
)
def test_a_form_that_does_not_fit_is_refused_with_field_and_remedy(given, field):
    with pytest.raises(FixSettings) as refused:
        form_of("", given)
    assert refused.value.variable == field
    assert refused.value.remedy


def test_what_a_worker_reckons_is_what_the_engine_says_on_the_stores_own_panel(settings, store):
    fill(store)
    form = form_of("", {"strategies": ["highest_apy", "equal_weight"], "gas_usd": 0.5})
    asked = submit(store, "me", form)
    assert (asked.state, asked.progress) == ("queued", 0.0)
    work(settings)
    done = find_backtest(store, asked.backtest_id, "me")
    assert (done.state, done.progress, done.doing, done.error) == ("done", 1.0, None, None)
    told = read_document(store, done.result_id)
    own = run_backtest(daily(stored_panel(store)), form.setup(settings.seed))
    for row, expected in zip(told["summary"], own.summary.to_dicts(), strict=True):
        assert {name: row[name] for name in expected} == pytest.approx(expected, nan_ok=True)
        costs = row["fees_usd"] + row["gas_usd"] + row["swap_usd"]
        assert costs == pytest.approx(row["costs_usd"], abs=1e-6)
    assert [row["simplest"] for row in told["summary"]] == [True, False, False]
    rows, total = read_trades(store, done.result_id, limit=1_000)
    assert (rows, total) == (own.trades.to_dicts(), own.trades.height)
    assert told["origin"] == "derived"


def test_a_few_pools_are_read_at_a_time_and_only_what_the_form_may_look_at(settings, store, monkeypatch):
    fill(store)
    monkeypatch.setattr(backtest_rows, "AT_A_TIME", 3)
    whole, shares = daily(stored_panel(store)), []
    read = read_rows(store, form_of("", {"universe": "all"}), settings, shares.append)
    assert read.equals(whole)
    assert shares == [0.75, 1.0]
    near = read_rows(store, form_of("", {"chains": ["base"]}), settings, shares.append)
    assert near.equals(whole.filter(pl.col("chain") == "base"))
    learnt = form_of("", {"chains": ["base"], "pools": ["p2"], "forecasts": "walk_forward"})
    assert read_rows(store, learnt, settings, shares.append).equals(whole)
    begun = form_of("", {"start": LAST.date() - timedelta(days=5), "universe": "all"})
    assert read_rows(store, begun, settings, shares.append).height == whole.height  # sixty days before it too
    monkeypatch.setattr(backtest_rows, "BEFORE", timedelta(days=2))
    assert read_rows(store, begun, settings, shares.append)["day"].n_unique() == 8
    lately = form_of("", {"days": 9, "universe": "all"})
    assert read_rows(store, lately, settings, shares.append)["day"].n_unique() == 12


@pytest.mark.parametrize(
    ("given", "field"),
    [({}, "start"), ({"days": 90}, "pools"), ({"forecasts": "walk_forward"}, "forecasts")],
)
def test_what_reads_too_much_fails_and_says_what_to_narrow(settings, store, given, field):
    fill(store)
    asked = submit(store, "me", form_of("", {"strategies": ["highest_apy"], **given}))
    work(settings.model_copy(update={"backtest_rows": 100}))
    failed = find_backtest(store, asked.backtest_id, "me")
    assert (failed.state, failed.field) == ("failed", field)
    assert "100 days of pools" in failed.error
    assert failed.remedy


def test_backtests_that_ended_long_ago_go_with_their_results(of_both):
    with open_store(of_both) as store:
        fill(store)
        old, young = (
            submit(store, "me", form_of("", {"strategies": ["highest_apy"], "bps": float(bps)}))
            for bps in (1, 2)
        )
        twin = submit(store, "you", form_of("", {"strategies": ["highest_apy"], "bps": 1.0}))
        for _ in range(3):
            work(of_both)
        waits = submit(store, "me", form_of("", {"bps": 9.0}))
        result = find_backtest(store, young.backtest_id, "me").result_id
        later = store.now() + timedelta(days=91)
        assert drop_old_backtests(store, of_both) == 0
        cancel_backtest(store, young.backtest_id, "me", remove=True)
        assert drop_old_backtests(store, of_both) == 0
        assert drop_old_backtests(store, of_both, store.now() + timedelta(days=2)) == 1
        with pytest.raises(BadData):
            read_document(store, result)
        assert read_document(store, find_backtest(store, old.backtest_id, "me").result_id)
        assert drop_old_backtests(store, of_both, later) == 2
        assert drop_old_backtests(store, of_both, later) == 0
        with pytest.raises(NotKnown):
            find_backtest(store, twin.backtest_id, "you")
        assert store.count("backtest_results") == 0
        assert find_backtest(store, waits.backtest_id, "me").state == "queued"


def test_the_same_form_on_the_same_data_is_reckoned_once(settings, store):
    fill(store)
    form = form_of("", {"strategies": ["highest_apy"]})
    first = submit(store, "me", form)
    assert submit(store, "me", form) == first
    work(settings)
    kept = store.count("backtest_results")
    second = submit(store, "you", form)
    work(settings)
    one, other = (
        find_backtest(store, first.backtest_id, "me"), find_backtest(store, second.backtest_id, "you"),
    )  # fmt: skip
    assert one.result_id == other.result_id
    assert store.count("backtest_results") == kept
    row = {"pool_id": "p0", "ts": LAST + timedelta(days=1), "known_at": LAST + timedelta(days=1), "apy": 0.3}
    store.write("yields", table("yields", [row]))
    third = submit(store, "me", form)
    work(settings)
    assert find_backtest(store, third.backtest_id, "me").result_id not in (None, one.result_id)


def test_a_backtest_names_the_pools_chains_and_days_that_it_is_about(settings, store):
    fill(store)
    given = {"chains": ["base"], "start": date(2026, 1, 20), "end": date(2026, 2, 10)}
    asked = submit(store, "me", form_of("", {**given, "strategies": ["highest_apy"]}))
    work(settings)
    told = read_document(store, find_backtest(store, asked.backtest_id, "me").result_id)
    assert (told["pools"], told["days"]) == (2, ["2026-01-20", "2026-02-10"])
    asked = submit(store, "me", form_of("", {"pools": ["p1"], "strategies": ["highest_apy"]}))
    work(settings)
    told = read_document(store, find_backtest(store, asked.backtest_id, "me").result_id)
    assert told["pools"] == 1


def test_a_backtest_that_cannot_be_reckoned_says_why_and_what_to_do(settings, store):
    fill(store)
    outside = {"start": date(2020, 1, 1), "end": date(2020, 2, 1)}
    for given, field in ((outside, None), ({"forecasts": "stored"}, None), ({"pool": "p9"}, "pool")):
        asked = submit(store, "me", form_of("", {"strategies": ["highest_apy"], **given}))
        work(settings)
        failed = find_backtest(store, asked.backtest_id, "me")
        assert failed.state == "failed"
        assert failed.error
        assert failed.remedy
        if field:
            assert failed.field == field


def test_stored_forecasts_are_followed_from_the_day_on_which_they_were_said(settings, store):
    fill(store)
    late = LAST - timedelta(days=5)
    rows = [
        {
            "pool_id": f"p{n}", "ts": LAST - timedelta(days=back), "known_at": late, "target": "apy_mean",
            "horizon": 7, "model": "ridge", "yhat": 0.01 * (n + 1), "refit_at": LAST - timedelta(days=50),
        }
        for n in range(4)
        for back in range(5, 40)
    ]  # fmt: skip
    store.write("forecasts", table("forecasts", rows))
    truth = {"y": 0.02, "said_at": late, "known_at": LAST + timedelta(days=4)}
    store.write("forecasts", table("forecasts", [{**row, **truth} for row in rows]))
    asked = submit(store, "me", form_of("", {"strategies": ["forecast"], "forecasts": "stored"}))
    work(settings)
    told = read_document(store, find_backtest(store, asked.backtest_id, "me").result_id)
    assert told["days"][0] == late.date().isoformat()


def test_of_many_workers_that_ask_at_once_one_gets_it(of_both):
    settings, gate = of_both, threading.Barrier(4)
    with open_store(settings) as store:
        submit(store, "me", form_of())

    def ask(name):
        with place_of(settings).store() as own:
            own.now()
            gate.wait()
            return claim(own, name, LEASE, 9)

    with ThreadPoolExecutor(4) as pool:
        got = [one for one in pool.map(ask, "abcd") if one is not None]
    assert len(got) == 1


def test_whoever_has_fewest_under_way_is_next_and_no_more_run_than_may(store):
    first = submit(store, "busy", form_of())
    submit(store, "busy", form_of("", {"bps": 1.0}))
    other = submit(store, "calm", form_of())
    assert claim(store, "w", LEASE, 2).backtest_id == first.backtest_id
    assert next_of(waiting_backtests(store), store.now(), 1) is None
    assert claim(store, "w", LEASE, 2).backtest_id == other.backtest_id
    assert claim(store, "w", LEASE, 2) is None


def test_a_backtest_whose_worker_died_is_taken_over_and_at_last_given_up(settings, store):
    fill(store)
    asked = submit(store, "me", form_of("", {"strategies": ["highest_apy"]}))
    dead = claim(store, "dead", GONE, 2)
    again = claim(store, "other", GONE, 2)
    assert (dead.attempt, again.attempt) == (1, 2)
    place = place_of(settings, "dead")
    with place.store() as leased:
        assert run_backtest_of(dead, place, leased, Stop(), settings) is None
    assert find_backtest(store, asked.backtest_id, "me").worker == "other"
    for _ in range(ATTEMPTS):
        claim(store, "other", GONE, 2)
    failed = find_backtest(store, asked.backtest_id, "me")
    assert failed.state == "failed"
    assert "workers vanished" in failed.error
    assert failed.remedy


def test_a_worker_that_stops_gives_its_backtest_back_for_another(settings, store):
    fill(store)
    asked = submit(store, "me", form_of("", {"strategies": ["highest_apy"]}))
    work(settings, Stop(STOPPED))
    back = find_backtest(store, asked.backtest_id, "me")
    assert (back.state, back.attempt) == ("queued", 0)
    work(settings)
    assert find_backtest(store, asked.backtest_id, "me").state == "done"


def test_a_cancelled_backtest_ends_and_stays_cancelled(settings, store):
    fill(store)
    asked = submit(store, "me", form_of("", {"strategies": ["highest_apy"]}))
    begun = claim(store, "w", LEASE, 2)
    assert cancel_backtest(store, asked.backtest_id, "me").state == "cancelled"
    place = place_of(settings, "w")
    with place.store() as leased:
        assert run_backtest_of(begun, place, leased, Stop(), settings) is None
    assert find_backtest(store, asked.backtest_id, "me").state == "cancelled"
    assert cancel_backtest(store, asked.backtest_id, "me", remove=True).removed
    assert list_backtests(store, "me") == []
    with pytest.raises(NotKnown):
        find_backtest(store, asked.backtest_id, "me")


def test_an_owner_sees_own_backtests_and_has_so_many_waiting_at_most(store):
    for n in range(MOST_WAITING):
        submit(store, "me", form_of("", {"bps": float(n)}))
    with pytest.raises(TooMany, match="wait or run"):
        submit(store, "me", form_of("", {"bps": 99.0}))
    theirs = submit(store, "you", form_of())
    assert len(list_backtests(store, "me")) == MOST_WAITING
    assert len(list_backtests(store, None, every=True)) == MOST_WAITING + 1
    with pytest.raises(NotKnown):
        find_backtest(store, theirs.backtest_id, "me")
    with pytest.raises(NotKnown):
        cancel_backtest(store, theirs.backtest_id, "me")


def test_a_long_curve_is_thinned_without_hiding_its_deepest_fall(settings, store):
    fill(store, days=1_300)
    asked = submit(store, "me", form_of("", {"strategies": ["highest_apy"], "bps": 50.0}))
    work(settings)
    told = read_document(store, find_backtest(store, asked.backtest_id, "me").result_id)
    curves = told["curves"]
    assert len(curves["days"]) == MOST_POINTS
    assert (curves["days"][0], curves["days"][-1]) == tuple(told["days"])
    for curve, row in zip(curves["strategies"], told["summary"], strict=True):
        assert len(curve["value_usd"]) == len(curve["drawdown"]) == MOST_POINTS
        assert max(curve["drawdown"]) == pytest.approx(row["max_drawdown"], abs=1e-7)
        assert curve["value_usd"][-1] == pytest.approx(row["final_value_usd"], abs=1e-3)


def test_a_worker_that_found_nothing_looks_again_when_something_was_asked_for(settings, store):
    queue = BacktestQueue(settings)
    assert queue.look(store)[0] is None
    assert queue.lull.holds(store)
    submit(store, "me", form_of())
    assert queue.look(store)[0].attempt == 1
    claim(store, "w", GONE, 9)
    assert queue.look(store)[0].attempt == 2
    assert queue.look(store)[0].attempt == 2


def test_forecasts_are_made_anew_by_a_walk_forward_over_the_stores_history(settings, store):
    fill(store, days=230)
    given = {"strategies": ["forecast"], "forecasts": "walk_forward", "models": ["rolling_mean"]}
    asked = submit(store, "me", form_of("", given))
    seen = []
    begun = claim(store, "w", LEASE, 2)
    result_id = reckon(begun, store, settings, lambda doing, share: seen.append((doing, share)))
    told = read_document(store, result_id)
    assert told["days"][0] > (LAST - timedelta(days=230 - 120)).date().isoformat()
    assert {row["strategy"] for row in told["summary"]} == {"hold", "forecast"}
    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert any(doing.startswith("forecasts: ") for doing, _ in seen)
    again = reckon(find_backtest(store, asked.backtest_id, "me"), store, settings, lambda *_: None)
    assert again == result_id


def test_a_backtest_that_is_cancelled_while_it_runs_ends_before_its_time(settings, store):
    fill(store, days=400)
    given = {"strategies": ["forecast"], "forecasts": "walk_forward"}
    asked = submit(store, "me", form_of("", {**given, "models": ["rolling_mean", "random_forest"]}))
    begun, ended = claim(store, "w", LEASE, 2), []

    def run():
        place = place_of(settings, "w")
        with place.store() as leased:
            ended.append(run_backtest_of(begun, place, leased, Stop(), settings))

    thread = threading.Thread(target=run)
    thread.start()
    while not find_backtest(store, asked.backtest_id, "me").progress:
        assert thread.is_alive()
        time.sleep(0.05)
    cancel_backtest(store, asked.backtest_id, "me")
    thread.join(120)
    assert ended == [None]
    assert find_backtest(store, asked.backtest_id, "me").state == "cancelled"
    assert store.count("backtest_results") == 0


@contextmanager
def worker_process(settings):
    """`defimon worker` with nothing but backtests, ended at last as it stands."""
    code = "from defimon.apps.cli.main import main; main()"
    environment = {
        **os.environ,
        "DEFIMON_DATA_DIR": str(settings.data_dir),
        "DEFIMON_PROCESSES": "1",
        "DEFIMON_LEASE_S": "4",
    }
    words = [sys.executable, "-c", code, "worker", "--only", "backtests"]
    process = subprocess.Popen(words, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(store, asked, fits, seconds=240):
    end = time.monotonic() + seconds
    while not fits(found := find_backtest(store, asked.backtest_id, "me")):
        assert time.monotonic() < end, found
        time.sleep(0.1)
    return found


def test_a_worker_that_is_killed_leaves_its_backtest_to_the_next(settings, store):
    fill(store, days=400)
    given = {"strategies": ["forecast"], "forecasts": "walk_forward"}
    asked = submit(store, "me", form_of("", {**given, "models": ["rolling_mean", "random_forest"]}))
    with worker_process(settings):
        until(store, asked, lambda one: one.state == "running" and one.progress)
    with worker_process(settings):
        assert until(store, asked, lambda one: one.attempt == 2).state == "running"
        cancel_backtest(store, asked.backtest_id, "me")
        quick = submit(store, "me", form_of("", {"strategies": ["highest_apy"]}))
        assert until(store, quick, lambda one: not one.open).state == "done"
    assert find_backtest(store, asked.backtest_id, "me").state == "cancelled"
