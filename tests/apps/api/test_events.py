"""Server-sent events: what is told, to whom, and what of it after a while away."""

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from defimon.apps.api import envelope
from defimon.apps.api.news import MOST_STREAMS
from defimon.core.settings import load_settings
from defimon.core.tables import TABLES
from defimon.core.units import utc_now
from defimon.flows._store import open_store
from defimon.flows.alert_job import Watch
from defimon.flows.alert_rules import AlertRule, save_rule
from defimon.flows.backtest_form import form_of
from defimon.flows.backtests import cancel_backtest, submit
from defimon.flows.keys import revoke_key

LIMIT_S = 60
PROMOTED = {"target": "apy_mean", "horizon": 7, "kind": "promoted"}


def header(data, name):
    return {"Authorization": f"Bearer {data.keys[name]}"}


def row(table, **values):
    fixed = {"source": "test", "origin": "observed", "known_at": utc_now()}
    return TABLES[table].rows([{**fixed, **values}])


def blocks(lines):
    """Events of a stream as (name, data, id)."""
    told = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            told[name] = value
        elif "data" in told:
            yield told["event"], json.loads(told["data"]), told["id"]
            told = {}


class Ear:
    """A listener in a thread, which ends by itself after `limit_s`."""

    def __init__(self, client, headers, limit_s):
        self.heard, self.status = [], None
        self.ready, self.ended = threading.Event(), threading.Event()
        self._client, self._headers, self._limit_s = client, headers, limit_s
        threading.Thread(target=self._listen, daemon=True).start()
        assert self.ready.wait(LIMIT_S)

    def _listen(self):
        asked = {"headers": self._headers, "params": {"limit_s": self._limit_s}}
        with self._client.stream("GET", "/v1/events", **asked) as answer:
            self.status, lines = answer.status_code, answer.iter_lines()
            if answer.status_code == 200:
                assert next(lines) == "retry: 3000"
            self.ready.set()
            for event in blocks(lines):
                self.heard.append(event)
        self.ended.set()

    def wait(self, fits):
        end = time.monotonic() + LIMIT_S
        while not (found := [one for one in self.heard if fits(one)]):
            assert time.monotonic() < end, self.heard
            time.sleep(0.02)
        return found[0]

    def names(self):
        return {name for name, _, _ in self.heard}


@contextmanager
def ears_on(*clients):
    """Makes listeners; at the end the servers are told to stop, which ends them."""
    made = []

    def hear(client, headers=None, limit_s=600):
        made.append(Ear(client, headers, limit_s))
        return made[-1]

    yield hear
    for client in clients:
        state = client.app.state
        state.news._watching.get_loop().call_soon_threadsafe(state.service.told_to_stop.set)
    for ear in made:
        assert ear.ended.wait(LIMIT_S)


@pytest.fixture
def store(data):
    with open_store(load_settings({}, data_dir=data.folder)) as opened:
        yield opened


def test_a_backtest_is_told_to_its_owner_and_to_admins_alone(data, store, serve_on):
    with serve_on(data.folder) as client, ears_on(client) as hear:
        own, other, admin = (hear(client, header(data, name)) for name in ("run", "other", "admin"))
        nobody = hear(client)
        asked = submit(store, "run", form_of())
        for ear in (own, admin):
            _, told, _ = ear.wait(lambda one: one[0] == "backtest")
            assert (told["backtest_id"], told["state"]) == (asked.backtest_id, "queued")
        cancel_backtest(store, asked.backtest_id, "run")
        own.wait(lambda one: one[1].get("state") == "cancelled")
        run = {"job": "yields", "ts": utc_now(), "status": "done", "owner": "w", "attempt": 1}
        times = dict.fromkeys(("started_at", "lease_until", "ended_at"), utc_now())
        store.write("job_runs", row("job_runs", **run, **times))
        for ear in (other, nobody):
            assert ear.wait(lambda one: one[0] == "job")[1]["status"] == "done"
            assert "backtest" not in ear.names()


def test_alerts_models_and_data_are_told_as_they_come(data, store, serve_on):
    save_rule(store, AlertRule("run", "low", "apy_below", {"limit": 0.02}), ())
    settings = load_settings({}, data_dir=data.folder)
    with serve_on(data.folder, api_refresh_s=0.2) as client, ears_on(client) as hear:
        own, nobody = hear(client, header(data, "run")), hear(client)
        store.write("yields", row("yields", pool_id="lido:stETH", ts=utc_now(), apy=0.001))
        Watch(settings).look(store)
        _, alert, _ = own.wait(lambda one: one[0] == "alert" and one[1]["subject"] == "lido:stETH")
        assert (alert["kind"], alert["state"]) == ("apy_below", "open")
        store.write("model_events", row("model_events", **PROMOTED, ts=utc_now()))
        for ear in (own, nobody):
            assert ear.wait(lambda one: one[0] == "model")[1]["kind"] == "promoted"
            news = ear.wait(lambda one: one[0] == "data" and one[1]["pools_changed"])[1]
            assert (news["pools"], news["pools_changed"]) == (6, 1)
        assert "alert" not in nobody.names()


def test_alerts_of_a_rule_are_told_to_others_as_long_as_it_is_shared(data, store, serve_on):
    settings, other = load_settings({}, data_dir=data.folder), header(data, "other")
    rule = save_rule(store, AlertRule("run", "low", "apy_below", {"limit": 0.02}, shared=True), ())

    def pay(apy):
        store.write("yields", row("yields", pool_id="lido:stETH", ts=utc_now(), apy=apy))
        Watch(settings).look(store)

    with serve_on(data.folder) as client, ears_on(client) as hear:
        own, theirs = hear(client, header(data, "run")), hear(client, other)
        pay(0.001)
        for ear in (own, theirs):
            told = ear.wait(lambda one: one[0] == "alert" and one[1]["subject"] == "lido:stETH")
        save_rule(store, replace(rule, shared=False), ())
        pay(0.9)
        own.wait(lambda one: one[1].get("state") == "cleared")
        store.write("model_events", row("model_events", **PROMOTED, ts=utc_now()))
        theirs.wait(lambda one: one[0] == "model")
        assert "cleared" not in {one[1].get("state") for one in theirs.heard}
        again = hear(client, {**other, "Last-Event-ID": str(int(told[2]) - 60_000_000)})
        again.wait(lambda one: one[0] == "model")
        assert "alert" not in again.names()


def test_whoever_was_away_is_told_what_was_missed_by_any_process(data, store, serve_on):
    own = header(data, "run")
    with serve_on(data.folder) as client, serve_on(data.folder) as beside, ears_on(client, beside) as hear:
        first = hear(client, own, 3)
        submit(store, "run", form_of("", {"bps": 1.0}))
        *_, number = first.wait(lambda one: one[0] == "backtest")
        assert first.ended.wait(LIMIT_S)
        later = submit(store, "run", form_of("", {"bps": 2.0}))
        for process in (client, beside):
            again = hear(process, {**own, "Last-Event-ID": number})
            again.wait(lambda one: one[1].get("backtest_id") == later.backtest_id)
            ids = [int(one[2]) for one in again.heard]
            assert ids == sorted(set(ids))
        new = hear(beside, own)
        last = submit(store, "run", form_of("", {"bps": 3.0}))
        told = new.wait(lambda one: one[0] == "backtest")[1]
        assert told["backtest_id"] == last.backtest_id


def test_a_stream_is_neither_compressed_nor_kept_nor_ended_by_the_time_limit(data, serve_on):
    with serve_on(data.folder, api_time_s=2) as client:
        while client.get("/ready").status_code != 200:
            time.sleep(0.1)
        answer = client.get("/v1/events", params={"limit_s": 3})
        assert answer.text.startswith("retry: 3000\n\n")
        assert answer.headers["Content-Type"].encode() == envelope.STREAM
        assert answer.headers["Cache-Control"] == "no-store"
        assert not {"Content-Encoding", "ETag"} & set(answer.headers)


def test_silence_is_filled_with_comments(data, serve_on, monkeypatch):
    monkeypatch.setattr("defimon.apps.api.routes.events.HEARTBEAT_S", 0.05)
    with serve_on(data.folder) as client:
        text = client.get("/v1/events", params={"limit_s": 0.5}).text
    assert ": still here\n\n" in text


def test_a_caller_has_so_many_streams_at_most(data, serve_on):
    with serve_on(data.folder) as client:
        ears = [Ear(client, None, 4) for _ in range(MOST_STREAMS)]
        assert {ear.status for ear in ears} == {200}
        refused = client.get("/v1/events")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert Ear(client, header(data, "read"), 0).status == 200
        for ear in ears:
            assert ear.ended.wait(LIMIT_S)
        assert client.get("/v1/events", params={"limit_s": 0}).status_code == 200


def test_a_stream_ends_when_its_key_is_revoked(data, store, serve_on, monkeypatch):
    monkeypatch.setattr("defimon.apps.api.routes.events.HEARTBEAT_S", 0.1)
    with serve_on(data.folder) as client:
        ear = Ear(client, header(data, "other"), 600)
        revoke_key(store, data.keys["other"].split("_")[1])
        assert ear.ended.wait(LIMIT_S)


def test_streams_end_when_the_server_is_told_to_stop(data, serve_on):
    with serve_on(data.folder) as client:
        with ears_on(client) as hear:
            ear = hear(client)
            assert not ear.ended.is_set()
        assert ear.ended.is_set()


def test_last_event_ids_that_are_none_are_refused(client):
    answer = client.get("/v1/events", headers={"Last-Event-ID": "x"}, params={"limit_s": 0})
    assert answer.status_code == 422
    answer = client.get("/v1/events", headers={"Last-Event-ID": "1"}, params={"limit_s": 0})
    assert answer.status_code == 200
