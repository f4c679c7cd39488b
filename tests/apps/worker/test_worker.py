"""Two workers on one store: every slot is run once, whoever is killed, stopped or cut off."""

import json
import re
import signal
from collections import Counter
from datetime import timedelta

import polars as pl
import pytest

from defimon.core.tables import JOB_RUNS

SLOTS = {"redis and postgresql": 200, "sqlite": 60}
JOBS, PACE_S = 10, 0.5


@pytest.fixture(params=["redis and postgresql", "sqlite"])
def two_workers(request, workers_on):
    """Two workers that share a Redis and a PostgreSQL, or SQLite for both."""

    def start(*, jobs, pace_s, **environment):
        if request.param == "sqlite":
            workers = workers_on(request.getfixturevalue("sqlite_url"))
        else:
            url = request.getfixturevalue("postgres_url")
            workers = workers_on(url, DEFIMON_REDIS_URL=request.getfixturevalue("redis").url)
        for _ in range(2):
            workers.start(jobs=jobs, pace_s=pace_s, **environment)
        return workers

    return start


@pytest.fixture
def two_on_sqlite(sqlite_url, workers_on):
    """Two workers of one job with one slot an hour."""

    def start(**environment):
        workers = workers_on(sqlite_url, **environment)
        for _ in range(2):
            workers.start(jobs=1, pace_s=3600)
        return workers

    return start


def done(workers):
    return workers.runs().filter(pl.col("status") == "done")


def both_took_part(workers):
    return len({process for *_, process in workers.ran()}) == 2


def lines(process):
    """Its log so far; the last line may be half written."""
    return [json.loads(line) for line in process.log.read_text().rpartition("\n")[0].splitlines()]


def events(process):
    return [line["event"] for line in lines(process)]


def test_each_slot_is_run_by_one_of_two_workers_and_once(two_workers, until, request):
    wanted = SLOTS[request.node.callspec.params["two_workers"]]
    workers = two_workers(jobs=JOBS, pace_s=PACE_S)
    until(lambda: both_took_part(workers) and done(workers).height >= wanted, nap=1.0)
    workers.kill()
    begun, ended = keys(workers.runs(), "job"), keys(done(workers), "job")
    assert len(ended) >= wanted
    assert workers.runs()["attempt"].unique().to_list() == [1]
    # Each was claimed once and ended once; what was under way when the workers were killed is only begun.
    assert workers.store.count("job_runs") == len(begun) + len(ended)
    ran = Counter((job, float(slot)) for job, slot, *_ in workers.ran())
    assert set(ran.values()) == {1}
    effects = workers.store.read("source_health")
    written = keys(effects, "endpoint")
    assert workers.store.count("source_health") == effects.height == len(written)
    assert ended <= written <= set(ran) <= begun
    assert len(begun - ended) <= 4  # two workers with two consumers each
    runs = done(workers)
    for name in runs["job"].unique():
        assert_no_slot_is_forgotten(runs.filter(pl.col("job") == name))


def keys(rows, name):
    return {(job, slot.timestamp()) for job, slot in rows.select(name, "ts").rows()}


def assert_no_slot_is_forgotten(runs):
    """What lies between two slots that ran is told as missed, slot for slot."""
    for before, slot, said in zip(runs["ts"], runs["ts"][1:], runs["warnings"][1:], strict=False):
        told = re.match(r"(\d+) slots before", said or "")
        assert (slot - before) / timedelta(seconds=PACE_S) == 1 + (int(told[1]) if told else 0)


def holder(workers, held):
    """The worker that waits in its run, and the other."""
    return sorted(workers.running, key=lambda process: held.name != f"held-by-{process.pid}")


def test_a_run_is_held_while_its_worker_lives_and_taken_over_when_it_is_killed(two_workers, until, tmp_path):
    (tmp_path / "hold").touch()
    workers = two_workers(jobs=1, pace_s=3600, DEFIMON_LEASE_S="3")
    (held,) = until(lambda: list(tmp_path.glob("held-by-*")))
    first = workers.runs()["lease_until"].item()
    until(lambda: workers.runs()["lease_until"].item() > first + timedelta(seconds=4))
    assert len(workers.ran()) == 1
    killed, other = holder(workers, held)
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    until(lambda: len(workers.ran()) == 2)
    (tmp_path / "hold").unlink()
    until(lambda: done(workers).height)
    assert [line[2:] for line in workers.ran()] == [("1", str(killed.pid)), ("2", str(other.pid))]
    workers.running.remove(killed)
    assert workers.end() == [0]
    (run,) = workers.runs().iter_rows(named=True)
    assert (run["status"], run["attempt"], run["rows"]) == ("done", 2, 1)
    assert run["next_at"] == run["ts"] + timedelta(hours=1)


def test_a_worker_that_slept_through_its_lease_writes_nothing_when_it_wakes(two_on_sqlite, until, tmp_path):
    (tmp_path / "hold").touch()
    workers = two_on_sqlite(DEFIMON_LEASE_S="3")
    (held,) = until(lambda: list(tmp_path.glob("held-by-*")))
    sleeper, other = holder(workers, held)
    sleeper.send_signal(signal.SIGSTOP)
    until(lambda: len(workers.ran()) == 2)
    (tmp_path / "hold").unlink()
    until(lambda: done(workers).height)
    sleeper.send_signal(signal.SIGCONT)
    until(lambda: "job lost" in events(sleeper))
    assert workers.end() == [0, 0]
    assert workers.ran()[1][3] == str(other.pid)
    assert workers.store.count("source_health") == 1
    assert workers.store.read("source_health")["source"].item() == workers.runs()["owner"].item()


def test_a_worker_that_is_told_to_stop_gives_its_slot_back_at_once(two_on_sqlite, until, tmp_path):
    (tmp_path / "hold").touch()
    workers = two_on_sqlite()
    (held,) = until(lambda: list(tmp_path.glob("held-by-*")))
    first, second = holder(workers, held)
    first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=60) == 0
    until(lambda: len(workers.ran()) == 2)
    second.send_signal(signal.SIGINT)
    assert second.wait(timeout=60) == 0
    assert [process for *_, process in workers.ran()] == [str(first.pid), str(second.pid)]
    for process in (first, second):
        assert "job given back" in events(process)
    (run,) = workers.runs().iter_rows(named=True)
    assert (run["status"], run["error"]) == ("running", "given back: its worker was told to stop")
    assert run["lease_until"] < workers.store.now()


def test_a_job_that_fails_rests_and_is_tried_again_and_stops_no_other(
    sqlite_url, workers_on, until, tmp_path
):
    (tmp_path / "fail").touch()
    workers = workers_on(sqlite_url)
    process = workers.start(jobs=2, pace_s=3600)
    until(lambda: workers.runs()["status"].to_list() == ["failed"] * 2)
    (tmp_path / "fail").unlink()
    for run in workers.runs().iter_rows(named=True):
        assert (run["error"], run["next_at"] - run["ended_at"]) == ("told to fail.", timedelta(seconds=30))
    assert events(process).count("job failed") == 2
    end_the_rest(workers, "job-0")
    until(lambda: done(workers).height)
    assert done(workers).select("job", "attempt").rows() == [("job-0", 2)]
    assert workers.end() == [0]


def end_the_rest(workers, job):
    run = workers.store.read("job_runs", where={"job": [job]})
    known = pl.lit(workers.store.now()).cast(run.schema["known_at"])
    workers.store.write("job_runs", JOB_RUNS.validate(run.with_columns(next_at="ended_at", known_at=known)))


STRANGE = (b"not json", b"[]", b'["id", "look_at"]', b'{"a": 1}', b"\x80\x04.", b"null")


def test_while_redis_is_away_workers_go_on_and_when_it_is_back_they_use_it(
    redis, sqlite_url, workers_on, until
):
    from redis import Redis

    workers = workers_on(sqlite_url, DEFIMON_REDIS_URL=redis.url)
    both = [workers.start(jobs=4, pace_s=2 * PACE_S) for _ in range(2)]
    until(lambda: both_took_part(workers))
    redis.stop()
    until_more(workers, 20, until)
    redis.start()
    for process in both:
        until(lambda process=process: "the queue is back" in events(process))
    said = [Counter(events(process)) for process in both]
    name = next(line["queue"] for line in lines(both[0]) if "queue" in line)
    with Redis(unix_socket_path=str(redis.path)) as client:
        client.rpush(f"huey.redis.{name}", *STRANGE)
    until_more(workers, 10, until)
    assert [process.poll() for process in both] == [None, None]
    workers.kill()
    assert set(Counter(line[:2] for line in workers.ran()).values()) == {1}
    for counts in said:
        away = counts["the queue is away; this worker goes on by itself"]
        assert (away, counts["the queue is back"]) == (1, 1)


def until_more(workers, slots, until):
    seen = len(workers.ran())
    until(lambda: len(workers.ran()) > seen + slots)


def test_a_second_signal_ends_a_worker_that_cannot_give_its_slot_back(
    sqlite_url, workers_on, until, tmp_path
):
    (tmp_path / "hold").touch()
    workers = workers_on(sqlite_url)
    process = workers.start(jobs=1, pace_s=3600)
    until(lambda: list(tmp_path.glob("held-by-*")))
    with workers.store.transaction():
        process.send_signal(signal.SIGTERM)
        until(lambda: "worker stops" in events(process))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == -signal.SIGTERM
    assert workers.runs()["status"].to_list() == ["running"]


def test_a_worker_waits_for_a_store_that_is_away_and_goes_on(
    postgres_server, postgres_url, workers_on, until
):
    name = re.search(r"/(t[0-9a-f]{32})", postgres_url)[1]
    workers = workers_on(postgres_url, DEFIMON_LEASE_S="3")
    process = workers.start(jobs=2, pace_s=PACE_S)
    until(workers.ran)
    postgres_server.psql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false;")
    postgres_server.psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}';")
    until(lambda: "the store does not answer" in events(process))
    postgres_server.psql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true;")
    until_more(workers, 4, until)
    assert process.poll() is None
    assert events(process).count("the store does not answer") <= 2
    workers.store.close()
    assert workers.end() == [0]
    assert set(Counter(line[:3] for line in workers.ran()).values()) == {1}
