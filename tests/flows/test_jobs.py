"""Slots, turns and the run log: who runs what, however many ask."""

import asyncio
import re
import shutil
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from werkzeug import Response

from defimon.core.errors import BadData, FixSettings, TryAgain
from defimon.core.settings import load_settings
from defimon.core.tables import SOURCE_HEALTH
from defimon.flows._job_turns import (
    ATTEMPTS,
    FIRST_REST,
    LONGEST_REST,
    LastRun,
    Schedule,
    Turn,
    next_turn,
    rest_after,
)
from defimon.flows._leased_store import LOST, STOPPED, RunStopped
from defimon.flows._stopping import unless_stopped
from defimon.flows.backtest_form import form_of
from defimon.flows.backtests import Backtest, list_backtests
from defimon.flows.backtests import write as write_backtest
from defimon.flows.collect_sources import list_series
from defimon.flows.job_runs import claim, give_back, last_run, look, renew, write_done, write_failed
from defimon.flows.jobs import Job, Outcome, job_by_series, jobs_of
from defimon.flows.run_job import Place, Stop, run_job
from defimon.store.database import Store

HOUR = timedelta(hours=1)
HOURLY = Schedule(HOUR)
NEVER = Schedule(timedelta(days=9999))
LEASE = timedelta(minutes=2)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(hour, minute=0):
    return datetime(2026, 1, 1, hour, minute, tzinfo=UTC)


def left(hour, status, until, attempt=1):
    return LastRun(at(hour), attempt, status, until)


@pytest.mark.parametrize(
    ("every", "delay", "now", "slot", "after"),
    [
        (HOUR, 0, at(12, 59), at(12), at(13)),
        (HOUR, 0, at(12), at(12), at(13)),
        (HOUR, 20, at(12, 19), at(11), at(12, 20)),
        (HOUR, 20, at(12, 20), at(12), at(13, 20)),
        (timedelta(minutes=15), 0, at(12, 50), at(12, 45), at(13)),
        (timedelta(days=1), 0, at(23), at(0), at(0) + timedelta(days=1)),
    ],
)
def test_slots_are_multiples_of_the_pace_since_1970(every, delay, now, slot, after):
    schedule = Schedule(every, timedelta(minutes=delay))
    assert schedule.slot(now) == slot
    assert schedule.begins(slot) == after


@pytest.mark.parametrize(
    ("last", "turn"),
    [
        (None, Turn(NOON)),
        (left(12, "done", at(13)), None),
        (left(11, "done", at(12)), Turn(NOON)),
        (left(8, "done", at(9)), Turn(NOON, missed=3)),
        (left(12, "running", at(12, 31)), None),
        (left(11, "running", at(12, 31)), None),
        (left(12, "running", at(12, 30)), Turn(NOON, 2)),
        (left(9, "running", at(9, 2), 3), Turn(at(9), 4)),
        (left(12, "failed", at(12, 31)), None),
        (left(11, "failed", at(12, 31)), None),
        (left(12, "failed", at(12, 30), 2), Turn(NOON, 3)),
        (left(10, "failed", at(11), 2), Turn(NOON, missed=1)),
        (left(13, "done", at(14)), None),
        (left(13, "failed", at(12)), None),
    ],
)
def test_whose_turn_it_is_follows_from_the_last_run(last, turn):
    assert next_turn(HOURLY, at(12, 30), last) == turn


def test_a_job_rests_twice_as_long_after_each_failure_up_to_an_hour():
    rests = [timedelta(0)]
    while rests[-1] < LONGEST_REST:
        rests.append(rest_after(rests[-1]))
    assert rests[1:4] == [FIRST_REST, 2 * FIRST_REST, 4 * FIRST_REST]
    assert rest_after(LONGEST_REST) == LONGEST_REST
    assert rest_after(timedelta(0), asked=5) == FIRST_REST
    assert rest_after(timedelta(0), asked=7_200) == 2 * HOUR
    assert rest_after(timedelta(0), asked=1e9) == timedelta(days=1)


@pytest.fixture(scope="module")
def migrated_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("migrated") / "store.db"
    with Store(f"sqlite:///{path}") as store:
        store.migrate()
    return path


@pytest.fixture(scope="module")
def migrated_database(postgres_database):
    with postgres_database("template0") as url:
        with Store(url) as store:
            store.migrate()
        yield url


@pytest.fixture
def place(migrated_file, tmp_path):
    shutil.copy(migrated_file, tmp_path / "store.db")
    return Place(f"sqlite:///{tmp_path / 'store.db'}", "one", LEASE)


@pytest.fixture
def store(place):
    with place.store() as opened:
        yield opened


def test_a_slot_is_claimed_once_and_its_end_is_written_down(store):
    run = claim(store, "yields", NEVER, "one", LEASE)
    assert (run.attempt, run.status, run.lease_until - run.started_at) == (1, "running", LEASE)
    assert claim(store, "yields", NEVER, "two", LEASE) is None
    ended = write_done(store, run, NEVER, 7, "one pool had no name")
    assert last_run(store, "yields") == ended
    assert (ended.status, ended.rows, ended.warnings) == ("done", 7, "one pool had no name")
    assert ended.next_at == NEVER.begins(run.slot)
    assert claim(store, "yields", NEVER, "two", LEASE) is None
    assert claim(store, "prices", NEVER, "two", LEASE) is not None


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_many_that_ask_at_once_one_gets_each_slot(kind, request):
    """Eight threads, each with a connection of its own, and twenty jobs that are due."""
    if kind == "sqlite":
        place = request.getfixturevalue("place")
    else:
        place = Place(request.getfixturevalue("migrated_database"), "one", LEASE)
    jobs = [f"job-{number}" for number in range(20)]
    won = []
    start = threading.Barrier(8)

    def ask(owner):
        with place.store() as store:
            start.wait()
            won.extend(run for job in jobs if (run := claim(store, job, NEVER, owner, LEASE)))

    threads = [threading.Thread(target=ask, args=(f"worker-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(run.job for run in won) == sorted(jobs)
    with place.store() as store:
        assert store.count("job_runs") == len(jobs)
        owners = dict(store.read("job_runs").select("job", "owner").rows())
    assert owners == {run.job: run.owner for run in won}


def test_a_lease_that_ran_out_is_taken_over_and_the_first_owner_writes_no_end(store):
    first = claim(store, "yields", NEVER, "one", timedelta(0))
    second = claim(store, "yields", NEVER, "two", LEASE)
    assert (second.slot, second.attempt, second.owner) == (first.slot, 2, "two")
    assert not renew(store, first, LEASE)
    assert write_done(store, first, NEVER, 1, "") is None
    assert write_failed(store, first, "late") is None
    assert give_back(store, first, "late") is None
    assert last_run(store, "yields") == second


def test_a_renewed_lease_is_held_longer(store):
    run = claim(store, "yields", NEVER, "one", timedelta(0))
    assert renew(store, run, LEASE)
    assert claim(store, "yields", NEVER, "two", LEASE) is None
    assert last_run(store, "yields").lease_until > run.lease_until + LEASE - timedelta(seconds=1)


def test_a_slot_that_is_given_back_is_another_s_at_once(store):
    give_back(store, claim(store, "yields", NEVER, "one", LEASE), "given back")
    assert claim(store, "yields", NEVER, "two", LEASE).attempt == 2


def test_a_slot_whose_workers_keep_vanishing_is_given_up_for_a_while(store):
    for attempt in range(1, ATTEMPTS + 1):
        assert claim(store, "yields", NEVER, f"worker-{attempt}", timedelta(0)).attempt == attempt
    assert claim(store, "yields", NEVER, "last", LEASE) is None
    run = last_run(store, "yields")
    assert (run.status, run.attempt, run.rest()) == ("failed", ATTEMPTS, FIRST_REST)
    assert run.error == "given up after 5 attempts whose workers vanished, the last worker-5"


def test_slots_that_passed_without_a_run_are_told_by_the_next_one(store):
    second = Schedule(timedelta(seconds=1))
    run = claim(store, "yields", second, "one", LEASE)
    early = replace(run, slot=run.slot - timedelta(seconds=60), job="prices")
    with store.transaction():
        row = store.read("job_runs", where={"job": ["yields"]}).with_columns(
            job=pl.lit("prices"), ts=pl.lit(early.slot).cast(pl.Datetime("us", "UTC")), status=pl.lit("done")
        )
        store.write("job_runs", row)
    late = claim(store, "prices", second, "one", LEASE)
    missed = (late.slot - early.slot) // second.every - 1
    assert missed >= 59
    first = early.slot + second.every
    assert (
        late.warnings
        == f"{missed} slots before this one passed without a run, from {first:%Y-%m-%d %H:%M:%S} on"
    )
    assert write_done(store, late, second, 0, "more").warnings == f"{late.warnings}\nmore"


def test_a_look_claims_nothing_and_tells_how_long_there_is_nothing_to_see(store):
    assert look(store, "yields", NEVER)[0].attempt == 1
    assert store.count("job_runs") == 0
    run = claim(store, "yields", NEVER, "one", LEASE)
    assert look(store, "yields", NEVER) == (None, timedelta(0))
    write_done(store, run, NEVER, 0, "")
    turn, idle = look(store, "yields", NEVER)
    assert turn is None
    assert abs(store.now() + idle - NEVER.begins(run.slot)) < timedelta(seconds=5)


def health(held):
    row = {
        "endpoint": held.run.job,
        "ts": held.run.slot,
        "calls": 1,
        "failures": 0,
        "known_at": held.store.now(),
        "source": "test",
        "origin": "simulated",
    }
    held.store.write("source_health", SOURCE_HEALTH.rows([row]))


def test_what_a_job_says_becomes_its_row(place, store):
    def work(held):
        health(held)
        return Outcome(3, ("one", "two"))

    run = run_job(Job("yields", NEVER, work), place, store, Stop())
    assert (run.status, run.rows, run.warnings, run.error) == ("done", 3, "one\ntwo", "")
    assert last_run(store, "yields") == run
    assert store.count("source_health") == 1
    assert run_job(Job("yields", NEVER, work), place, store, Stop()) is None


@pytest.mark.parametrize(
    ("fault", "rest"),
    [
        (TryAgain("the service is away."), FIRST_REST),
        (TryAgain("slow down.", after_seconds=600), timedelta(minutes=10)),
        (BadData("rows are broken."), FIRST_REST),
        (FixSettings("no key.", variable="DEFIMON_X"), FIRST_REST),
    ],
)
def test_a_fault_of_a_job_is_its_row_and_when_to_try_again(place, store, fault, rest):
    def work(held):
        raise fault

    run = run_job(Job("yields", NEVER, work), place, store, Stop())
    assert (run.status, run.error, run.rest()) == ("failed", str(fault), rest)
    assert run_job(Job("yields", NEVER, work), place, store, Stop()) is None


def test_a_mistake_in_a_job_is_noted_and_raised(place, store):
    def work(held):
        return {}["no such key"]

    with pytest.raises(KeyError):
        run_job(Job("yields", NEVER, work), place, store, Stop())
    assert last_run(store, "yields").error == "a mistake in the code: KeyError('no such key')"


def test_a_run_that_is_told_to_stop_writes_no_further_batch_and_is_given_back(place, store):
    worker = Stop()

    def work(held):
        health(held)
        worker.reason = STOPPED
        health(replace(held, run=replace(held.run, job="another")))

    run = run_job(Job("yields", NEVER, work), place, store, worker)
    assert (run.status, run.error) == ("running", "given back: its worker was told to stop")
    assert store.count("source_health") == 1
    assert claim(store, "yields", NEVER, "two", LEASE).attempt == 2


def test_a_run_that_another_took_over_can_write_nothing_more(place, store):
    def work(held):
        with place.store() as other:
            give_back(other, held.run, "its worker slept")
            claim(other, "yields", NEVER, "two", LEASE)
        with pytest.raises(RunStopped, match=LOST):
            health(held)
        with held.store.transaction():
            health(held)

    assert run_job(Job("yields", NEVER, work), place, store, Stop()) is None
    assert store.count("source_health") == 0
    assert last_run(store, "yields").owner == "two"


def test_a_run_that_was_given_back_may_be_written_by_its_next_owner(place, store):
    give_back(store, claim(store, "yields", NEVER, "one", LEASE), "given back")
    run = run_job(Job("yields", NEVER, lambda held: Outcome(health(held) or 1)), place, store, Stop())
    assert (run.status, run.attempt, store.count("source_health")) == ("done", 2, 1)


def names(**settings):
    return [job.name for job in jobs_of(load_settings({}, **settings))]


def test_a_chain_has_a_job_of_its_own_and_chains_are_aggregated():
    found = names(rpc={"astar": "http://127.0.0.1:1", "polygon": "http://127.0.0.1:2"})
    assert {"aggregates", "chain:astar", "chain:polygon"} <= set(found)
    assert "aggregates" not in names()


def test_forecasts_are_made_told_their_truth_and_challenged_without_any_source():
    assert {"forecasts", "retrain", "truth"} <= set(names())
    (job,) = jobs_of(load_settings({}, retrain_every_s=86_400), ["retrain"])
    assert job.schedule.every == timedelta(days=1)


def test_a_store_that_is_too_young_to_forecast_is_no_fault(place, store, tmp_path):
    settings = load_settings({}, data_dir=tmp_path)
    runs = [
        run_job(job, place, store, Stop()) for job in jobs_of(settings, ["forecasts", "retrain", "truth"])
    ]
    assert [run.status for run in runs] == ["done"] * 3
    assert runs[0].warnings.startswith("no forecasts yet: The store holds no yields.")
    assert runs[2].warnings == ""


def test_paces_are_those_of_the_settings():
    settings = load_settings({}, rpc={"astar": "http://127.0.0.1:1"}, chains_every_s=7)
    (job,) = jobs_of(settings, ["chain"])
    assert (job.name, job.schedule) == ("chain:astar", Schedule(timedelta(seconds=7)))


def test_a_job_is_chosen_by_its_name_or_the_beginning_of_it():
    settings = load_settings({}, rpc={"astar": "http://127.0.0.1:1", "polygon": "http://127.0.0.1:2"})
    assert [job.name for job in jobs_of(settings, ["chain"])] == ["chain:astar", "chain:polygon"]
    assert [job.name for job in jobs_of(settings, ["chain:polygon"])] == ["chain:polygon"]
    with pytest.raises(FixSettings, match=r"'cha' is no job\. Known: aggregates, .*chain:astar"):
        jobs_of(settings, ["cha"])


@pytest.fixture
def hung_service(httpserver):
    """A service that takes a call and does not answer before the test is over."""
    asked, over = threading.Event(), threading.Event()

    def answer(request):
        asked.set()
        over.wait(timeout=30)
        return Response("[]")

    httpserver.expect_request(re.compile(".*")).respond_with_handler(answer)
    yield httpserver.url_for("").rstrip("/"), asked
    over.set()


def test_a_collection_that_waits_for_a_service_ends_when_it_is_told_to_stop(place, store, hung_service):
    url, asked = hung_service
    settings = load_settings({}, coingecko_url=url, coins="ethereum")
    (job,) = [job for job in jobs_of(settings, ["prices"]) if job.name == "prices"]
    worker = Stop()

    def tell():
        assert asked.wait(timeout=30)
        worker.reason = STOPPED

    told = threading.Thread(target=tell)
    told.start()
    run = run_job(job, place, store, worker)
    told.join()
    assert (run.status, run.error) == ("running", "given back: its worker was told to stop")


def test_a_job_of_which_every_series_failed_has_failed(place, store, httpserver):
    httpserver.expect_request(re.compile(".*")).respond_with_data("no such coin", status=404)
    settings = load_settings({}, coingecko_url=httpserver.url_for("").rstrip("/"), coins="ethereum")
    (job,) = [job for job in jobs_of(settings, ["prices"]) if job.name == "prices"]
    run = run_job(job, place, store, Stop())
    assert run.status == "failed"
    assert run.error.startswith("coingecko:")


def test_upkeep_and_aggregates_run_on_an_empty_store(place, store):
    settings = load_settings({}, rpc={"astar": "http://127.0.0.1:1"})
    for job in jobs_of(settings, ["upkeep", "aggregates"]):
        run = run_job(job, place, store, Stop())
        assert (run.status, run.rows) == ("done", 0)


def test_upkeep_takes_out_backtests_that_ended_long_ago(place, store):
    [job] = jobs_of(load_settings({}, backtests_keep_days=30), ["upkeep"])
    ids = {}
    for days in (29, 31):
        moment = store.now() - timedelta(days=days)
        ids[days] = f"{moment:%Y%m%dT%H%M%S%f}Z-0123456789ab"
        ended = Backtest(ids[days], moment, "me", form_of().text, "hash", "done", ended_at=moment)
        write_backtest(store, ended, moment)
    run = run_job(job, place, store, Stop())
    assert run.status == "done"
    assert "1 backtests taken out" in run.warnings
    assert [one.backtest_id for one in list_backtests(store, "me")] == [ids[29]]


def test_what_is_done_is_answered_and_what_is_stopped_is_cleaned_up_once():
    cleaned = []

    async def work(seconds):
        try:
            await asyncio.sleep(seconds)
        finally:
            await asyncio.sleep(0.15)
            cleaned.append(seconds)
        return seconds

    assert asyncio.run(unless_stopped(work(0), lambda: False)) == 0
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(unless_stopped(work(60), iter([False, True, True]).__next__))
    assert cleaned == [0, 60]


def test_series_of_one_name_and_different_paces_are_different_jobs():
    settings = load_settings({}, coins="ethereum", prices_every_s=600)
    found = {job.name: job.schedule.every for job in jobs_of(settings, ["prices"])}
    assert found["prices"] == timedelta(minutes=10)
    assert len(found) == len(set(found.values()))
    assert all(name.removeprefix("prices:") in {"prices", "1h", "1d"} for name in found)


def test_each_series_has_a_job_that_there_is():
    settings = load_settings({}, coins="ethereum", repositories="a/b", rpc={"astar": "http://127.0.0.1:1"})
    of = job_by_series(list_series(settings))
    assert set(of.values()) <= {job.name for job in jobs_of(settings)}
    assert of["evm_rpc:astar:blocks"] == "chain:astar"


def test_files_that_come_while_the_worker_runs_are_collected(place, store, tmp_path):
    folder = tmp_path / "dumps"
    folder.mkdir()
    (job,) = jobs_of(load_settings({}, files=folder), ["files"])
    (folder / "panel.csv").write_text("pool_id,ts,apy\na,2026-01-01,0.04\na,2026-01-02,0.05\n")
    run = run_job(job, place, store, Stop())
    assert (run.status, store.count("yields")) == ("done", 2)
    assert run.rows >= 2


def test_what_one_run_finds_out_of_a_service_the_next_one_knows(place, store, httpserver):
    httpserver.expect_request(re.compile(".*")).respond_with_data("", 429, {"Retry-After": "600"})
    settings = load_settings({}, coingecko_url=httpserver.url_for("").rstrip("/"), coins="ethereum")
    jobs = jobs_of(settings, ["prices"])
    assert len(jobs) == 2
    for job in jobs:
        run = run_job(job, place, store, Stop())
        assert (run.status, run.rest() > timedelta(minutes=9)) == ("failed", True)
    assert len(httpserver.log) == 1
