"""Faults of jobs and backtests, as readers see them."""

from datetime import timedelta

import pytest

from defimon.core.settings import load_settings
from defimon.core.tables import BACKTESTS, JOB_RUNS
from defimon.core.units import utc_now
from defimon.flows._store import open_store
from defimon.flows.backtest_form import form_of
from defimon.flows.backtests import submit

OWNER, PLACE = "host-7:4711", "/srv/secret/place"


@pytest.fixture
def failed(data):
    """The store with a job and a backtest that failed at a file, and a job that a mistake ended."""
    now = utc_now()
    run = {
        "ts": now, "status": "failed", "owner": OWNER, "attempt": 1, "started_at": now, "lease_until": now,
        "ended_at": now, "next_at": now + timedelta(days=1), "known_at": now, "source": "worker",
        "origin": "observed",
    }  # fmt: skip
    runs = [
        {**run, "job": "retrain", "error": f"{PLACE}/m.json is gone", "warnings": f"v1: {PLACE}/v1 is odd"},
        {**run, "job": "truth", "error": f"a mistake in the code: KeyError('{PLACE}')"},
        {**run, "job": "drift", "error": f"given up after 3 attempts, the last {OWNER}"},
    ]
    with open_store(load_settings({}, data_dir=data.folder)) as store:
        store.write("job_runs", JOB_RUNS.rows(runs))
        asked = submit(store, "run", form_of("", {"strategies": ["hold"]}))
        row = store.read(BACKTESTS.name).row(0, named=True)
        error = f"{PLACE}/trials.jsonl: line 2 is not a trial."
        store.write(
            BACKTESTS.name, BACKTESTS.rows([{**row, "state": "failed", "error": error, "known_at": now}])
        )
    data.backtest_id = asked.backtest_id
    return data


def test_a_job_tells_readers_why_it_failed_and_nothing_of_its_machine(failed, serve_on):
    with serve_on(failed.folder) as client:
        answer = client.get("/v1/status", headers={"Authorization": f"Bearer {failed.keys['admin']}"})
        jobs = {one["job"]: one for one in answer.json()["jobs"]}
        assert jobs["retrain"]["error"] == "…/m.json is gone"
        assert jobs["retrain"]["warnings"] == "v1: …/v1 is odd"
        assert jobs["truth"]["error"] == "a mistake in the code: KeyError; the worker's log tells more"
        assert jobs["drift"]["error"] == "given up after 3 attempts, the last a worker"
        assert OWNER not in answer.text
        assert PLACE not in answer.text


def test_a_backtest_tells_its_owner_why_it_failed_without_the_servers_folders(failed, serve_on):
    own = {"Authorization": f"Bearer {failed.keys['run']}"}
    with serve_on(failed.folder) as client:
        path = f"/v1/backtests/{failed.backtest_id}"
        assert client.get(path, headers=own).json()["error"] == "…/trials.jsonl: line 2 is not a trial."
        result = client.get(f"{path}/result", headers=own)
        assert (result.status_code, PLACE in result.text) == (409, False)
        listed = client.get("/v1/backtests", headers=own).text
        assert PLACE not in listed


def test_events_tell_no_more_than_answers(failed, serve_on):
    own = {"Authorization": f"Bearer {failed.keys['run']}", "Last-Event-ID": "0"}
    with serve_on(failed.folder) as client:
        text = client.get("/v1/events?limit_s=3", headers=own).text
        assert "…/m.json is gone" in text
        assert "…/trials.jsonl" in text
        assert PLACE not in text
        assert OWNER not in text
