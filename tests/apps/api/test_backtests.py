"""Backtests over the API: asked for by one process, run by a worker, seen by their owner alone."""

import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest

from defimon.core.settings import load_settings
from defimon.flows._store import store_url
from defimon.flows.backtest_work import BacktestQueue
from defimon.flows.backtests import MOST_WAITING
from defimon.flows.run_job import STOPPED, Place, Stop

FORM = {"strategies": ["highest_apy", "equal_weight"], "bps": 5, "gas_usd": 0.1}
LIMIT_S = 60


@contextmanager
def worker(folder):
    """One that does nothing but backtests, in a thread."""
    settings = load_settings({}, data_dir=folder, processes=1)
    place, stop, ended = Place(store_url(settings), "w", timedelta(seconds=60)), Stop(), threading.Event()

    def turns():
        with place.store() as store:
            while not ended.wait(0.05):
                BacktestQueue(settings).run(place, store, stop)

    thread = threading.Thread(target=turns)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        stop.reason = STOPPED
        thread.join()


def header(data, name):
    return {"Authorization": f"Bearer {data.keys[name]}"}


def ended(client, location, own):
    for _ in range(LIMIT_S * 20):
        told = client.get(location, headers=own).json()
        if told["state"] not in ("queued", "running"):
            return told
        threading.Event().wait(0.05)
    pytest.fail(f"never ended: {told}")


def test_a_backtest_is_asked_for_run_and_read_a_page_at_a_time(data, serve_on):
    own = header(data, "run")
    with serve_on(data.folder) as client, worker(data.folder):
        asked = client.post("/v1/backtests", json=FORM, headers=own)
        assert asked.status_code == 202
        location = asked.headers["Location"]
        assert location == f"/v1/backtests/{asked.json()['backtest_id']}"
        assert asked.json()["form"]["rebalance_days"] == 7
        done = ended(client, location, own)
        assert (done["state"], done["progress"], done["error"]) == ("done", 1.0, None)
        result = client.get(f"{location}/result", headers=own).json()
        assert [row["strategy"] for row in result["summary"]] == ["hold", "highest_apy", "equal_weight"]
        assert result["summary"][0]["simplest"]
        assert len(result["curves"]["days"]) == 40
        seen, cursor = [], None
        while True:
            asked_for = {"limit": 3, **({"cursor": cursor} if cursor else {})}
            page = client.get(f"{location}/trades", params=asked_for, headers=own).json()
            seen += page["rows"]
            if (cursor := page["next"]) is None:
                break
        assert len(seen) == page["total"] == result["trades"]
        only = client.get(f"{location}/trades", params={"strategy": "hold"}, headers=own).json()
        assert {row["strategy"] for row in only["rows"]} == {"hold"}
        listed = client.get("/v1/backtests", params={"state": "done"}, headers=own).json()
        assert [one["backtest_id"] for one in listed["backtests"]] == [done["backtest_id"]]


def test_what_does_not_fit_is_refused_with_its_field_and_how_to_mend_it(client, as_key):
    own = as_key("run")
    wrong = {
        "capital_usd": -1, "bps": 10_000, "rebalance_days": 0, "start": "yesterday", "days": 0,
        "universe": "moon", "most_distress": 2, "pools": ["x"] * 501, "top_n": 1_000,
    }  # fmt: skip
    for field, value in wrong.items():
        answer = client.post("/v1/backtests", json={field: value}, headers=own)
        assert answer.status_code == 422, field
        assert answer.json()["field"].startswith(f"body.{field}")
        assert answer.json()["remedy"]
    told = client.post("/v1/backtests", json={"strategies": ["higest_apy"]}, headers=own).json()
    assert (told["status"], told["field"]) == (422, "strategies")
    assert "highest_apy" in told["remedy"]
    told = client.post("/v1/backtests", json={"start": "2026-02-01", "end": "2026-01-01"}, headers=own).json()
    assert (told["status"], told["field"]) == (422, "start")
    told = client.post("/v1/backtests", json={"pools": ["lido:steth"]}, headers=own).json()
    assert (told["status"], told["unknown"]) == (404, {"lido:steth": ["lido:stETH"]})


def test_anothers_backtest_is_as_unknown_as_none_but_to_an_admin(data, serve_on):
    own, other, admin = (header(data, name) for name in ("run", "other", "admin"))
    with serve_on(data.folder) as client:
        location = client.post("/v1/backtests", json=FORM, headers=own).headers["Location"]
        for path in ("", "/result", "/trades"):
            assert client.get(f"{location}{path}", headers=other).status_code == 404
            assert client.get(f"{location}{path}").status_code == 404
        assert client.delete(location, headers=other).status_code == 404
        assert client.post(f"{location}/cancel", headers=other).status_code == 404
        assert client.get("/v1/backtests", headers=other).json()["total"] == 0
        assert client.get("/v1/backtests").json()["total"] == 0
        assert client.get("/v1/backtests", headers=admin).json()["total"] == 1
        waiting = client.get(f"{location}/result", headers=own)
        assert (waiting.status_code, waiting.headers["Retry-After"]) == (202, "2")
        assert waiting.json()["state"] == "queued"
        assert client.post(f"{location}/cancel", headers=admin).json()["state"] == "cancelled"
        assert client.get(location, headers=own).json()["state"] == "cancelled"
        assert client.get(f"{location}/result", headers=own).status_code == 409
        assert client.delete(location, headers=own).status_code == 204
        assert client.get(location, headers=own).status_code == 404


def test_a_key_has_so_many_waiting_at_most_and_the_same_one_counts_once(data, serve_on):
    own = header(data, "run")
    with serve_on(data.folder) as client:
        forms = [{"strategies": ["highest_apy"], "bps": n} for n in range(MOST_WAITING)]
        first = [client.post("/v1/backtests", json=form, headers=own) for form in forms]
        assert {answer.status_code for answer in first} == {202}
        again = client.post("/v1/backtests", json=forms[0], headers=own)
        assert again.json()["backtest_id"] == first[0].json()["backtest_id"]
        refused = client.post("/v1/backtests", json={"bps": 99}, headers=own)
        assert refused.status_code == 429
        assert refused.headers["Retry-After"]
        assert client.post("/v1/backtests", json=FORM, headers=header(data, "other")).status_code == 202
        page = client.get("/v1/backtests", params={"limit": 4}, headers=own).json()
        rest = client.get("/v1/backtests", params={"cursor": page["next"]}, headers=own).json()
        ids = [one["backtest_id"] for one in page["backtests"] + rest["backtests"]]
        assert ids == sorted((answer.json()["backtest_id"] for answer in first), reverse=True)


def test_answers_are_not_kept_for_others(data, serve_on):
    with serve_on(data.folder) as client:
        told = client.get("/v1/backtests", headers=header(data, "run"))
        assert told.headers["Cache-Control"] == "private, no-cache"
