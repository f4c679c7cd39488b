"""Rules of alerts and what they found, over the API."""

from datetime import timedelta

import pytest

from defimon.core.settings import load_settings
from defimon.core.tables import TABLES
from defimon.core.units import utc_now
from defimon.flows._store import open_store, store_url
from defimon.flows.alert_job import Watch
from defimon.flows.alert_messages import MessageQueue
from defimon.flows.run_job import Place, Stop

pytest.importorskip("apprise", reason="apprise is not installed")
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

RULE = {"name": "low", "kind": "apy_below", "settings": {"limit": 0.02}}


def header(data, name):
    return {"Authorization": f"Bearer {data.keys[name]}"}


def pay(folder, apy, pool="lido:stETH"):
    """A figure of just now, and a look at it."""
    settings = load_settings({}, data_dir=folder)
    now = utc_now()
    row = {"pool_id": pool, "ts": now, "known_at": now, "apy": apy, "source": "test", "origin": "observed"}
    with open_store(settings) as store:
        store.write("yields", TABLES["yields"].rows([row]))
        Watch(settings).look(store)


def test_a_rule_is_saved_shown_changed_and_removed(data, serve_on):
    own = header(data, "run")
    with serve_on(data.folder) as client:
        saved = client.post("/v1/alerts/rules", json=RULE, headers=own)
        assert saved.status_code == 201
        location = saved.headers["Location"]
        assert client.get(location, headers=own).json() == saved.json()
        changed = {**RULE, "settings": {"limit": 0.5}, "shared": True, "scope": {"names": ["lido:stETH"]}}
        told = client.put(location, json=changed, headers=own).json()
        assert told["settings"] == {"limit": 0.5, "rest_hours": 0.0}
        assert told["rule_id"] == saved.json()["rule_id"]
        assert [one["name"] for one in client.get("/v1/alerts/rules", headers=own).json()["rules"]] == ["low"]
        assert client.delete(location, headers=own).status_code == 204
        assert client.get(location, headers=own).status_code == 404


def test_what_does_not_fit_is_refused_with_its_field(client, as_key):
    own = as_key("run")
    wrong = {
        "settings.limit": {"settings": {}},
        "settings.colour": {"settings": {"limit": 1, "colour": 2}},
        "channels": {"channels": ["nowhere"]},
        "body.kind": {"kind": "apy_belw"},
        "body.name": {"name": ""},
        "scope.names": {"kind": "depeg", "settings": {"share": 0.1}},
    }
    for field, given in wrong.items():
        answer = client.post("/v1/alerts/rules", json={**RULE, **given}, headers=own).json()
        assert (answer["status"], answer["field"]) == (422, field)
        assert answer["remedy"]


def test_anothers_rule_is_as_unknown_as_none_and_its_alerts_are_seen_when_shared(data, serve_on):
    own, other, admin = (header(data, name) for name in ("run", "other", "admin"))
    with serve_on(data.folder) as client:
        location = client.post("/v1/alerts/rules", json=RULE, headers=own).headers["Location"]
        shared = {**RULE, "name": "open", "shared": True, "settings": {"limit": 0.03}}
        open_id = client.post("/v1/alerts/rules", json=shared, headers=own).json()["rule_id"]
        for headers in (other, {}):
            assert client.get(location, headers=headers).status_code == 404
            assert client.get("/v1/alerts/rules", headers=headers).json()["rules"] == []
        assert client.put(location, json=RULE, headers=other).status_code == 404
        assert client.delete(location, headers=other).status_code == 404
        assert client.post(f"{location}/test", headers=other).status_code == 404
        pay(data.folder, 0.01)
        pages = [client.get("/v1/alerts", headers=headers).json() for headers in (own, other, {}, admin)]
        mine, theirs, nobodys, all_ = pages
        assert {one["rule_id"] for one in theirs["alerts"]} == {open_id}
        assert theirs == nobodys
        assert mine["total"] == all_["total"] > theirs["total"] > 0
        assert client.put(location, json={**RULE, "enabled": False}, headers=admin).json()["owner"] == "run"
        mine = client.get("/v1/alerts", params={"rule_id": location.split("/")[-1]}, headers=own).json()
        assert {one["state"] for one in mine["alerts"]} == {"cleared"}


def test_what_a_rule_looks_at_no_more_is_over_and_may_be_told_anew(data, serve_on):
    own = header(data, "run")
    pools = ["lido:stETH", "0xbebc44"]

    def standing():
        told = client.get("/v1/alerts", headers=own).json()["alerts"]
        return sorted((one["subject"], one["state"]) for one in told)

    with serve_on(data.folder) as client:
        rule = {**RULE, "scope": {"names": pools}}
        location = client.post("/v1/alerts/rules", json=rule, headers=own).headers["Location"]
        for pool in pools:
            pay(data.folder, 0.01, pool)
        assert standing() == [("0xbebc44", "open"), ("lido:stETH", "open")]
        client.put(location, json={**rule, "scope": {"names": pools[1:]}}, headers=own)
        assert standing() == [("0xbebc44", "open"), ("lido:stETH", "cleared")]
        pay(data.folder, 0.05)
        client.put(location, json=rule, headers=own)
        pay(data.folder, 0.01)
        assert standing() == [("0xbebc44", "open"), ("lido:stETH", "cleared"), ("lido:stETH", "open")]


def foresee(folder, yhat, pool="0xbebc44"):
    """A forecast of just now: one of two days ago is told of no more."""
    now = utc_now()
    row = {
        "pool_id": pool, "ts": now, "known_at": now, "target": "apy_mean", "horizon": 7, "model": "ensemble",
        "yhat": yhat, "source": "test", "origin": "derived",
    }  # fmt: skip
    with open_store(load_settings({}, data_dir=folder)) as store:
        store.write("forecasts", TABLES["forecasts"].rows([row]))


def test_alerts_about_another_horizon_are_over(data, serve_on):
    own = header(data, "run")
    foresee(data.folder, 0.0132)
    with serve_on(data.folder) as client:
        rule = {**RULE, "kind": "forecast_below", "settings": {"limit": 0.02, "horizon": 7}}
        location = client.post("/v1/alerts/rules", json=rule, headers=own).headers["Location"]
        pay(data.folder, 0.01)
        states = []
        for settings in ({"limit": 0.03, "horizon": 7}, {"limit": 0.03, "horizon": 30}):
            client.put(location, json={**rule, "settings": settings}, headers=own)
            told = client.get("/v1/alerts", headers=own).json()["alerts"]
            states.append([(one["subject"], one["state"]) for one in told])
        assert states == [[("0xbebc44", "open")], [("0xbebc44", "cleared")]]


def test_others_see_the_alerts_of_a_rule_as_long_as_it_is_shared(data, serve_on):
    own, other, admin = (header(data, name) for name in ("run", "other", "admin"))

    def seen():
        pages = [client.get("/v1/alerts", headers=headers).json() for headers in (own, admin, other, {})]
        return [page["total"] for page in pages]

    with serve_on(data.folder) as client:
        location = client.post("/v1/alerts/rules", json=RULE, headers=own).headers["Location"]
        pay(data.folder, 0.01)
        found = seen()[0]
        assert seen() == [found, found, 0, 0]
        client.put(location, json={**RULE, "shared": True}, headers=own)
        assert seen() == [found] * 4
        assert client.get("/v1/alerts/messages", headers=other).json()["total"] == 0
        client.put(location, json=RULE, headers=own)
        assert seen() == [found, found, 0, 0]
        client.put(location, json={**RULE, "shared": True}, headers=own)
        client.delete(location, headers=own)
        assert seen() == [found, found, 0, 0]


def test_alerts_are_found_by_filters_and_read_a_page_at_a_time(data, serve_on):
    own = header(data, "run")
    with serve_on(data.folder) as client:
        client.post("/v1/alerts/rules", json={**RULE, "settings": {"limit": 0.5}}, headers=own)
        pay(data.folder, 0.01)
        whole = client.get("/v1/alerts", headers=own).json()
        assert whole["total"] == 6
        seen, cursor = [], None
        while True:
            asked = {"limit": 2, **({"cursor": cursor} if cursor else {})}
            page = client.get("/v1/alerts", params=asked, headers=own).json()
            seen += page["alerts"]
            if (cursor := page["next"]) is None:
                break
        assert seen == whole["alerts"]
        pay(data.folder, 0.9)
        over = client.get("/v1/alerts", params={"state": "cleared"}, headers=own).json()
        assert [one["subject"] for one in over["alerts"]] == ["lido:stETH"]
        one = client.get(
            "/v1/alerts", params={"subject": "lido:stETH", "kind": "apy_below"}, headers=own
        ).json()
        assert one["total"] == 1
        later = {"since": (utc_now() + timedelta(days=1)).isoformat()}
        assert client.get("/v1/alerts", params=later, headers=own).json()["total"] == 0
        assert client.get("/v1/alerts", params={"cursor": "nonsense"}, headers=own).status_code == 404


def test_a_test_message_arrives_and_its_address_is_told_nowhere(data, serve_on, httpserver):
    httpserver.expect_request("/secret-path").respond_with_data("ok")
    channels = {"ops": f"json://me:hushhush@localhost:{httpserver.port}/secret-path"}
    own = header(data, "run")
    with serve_on(data.folder, alert_channels=channels) as client:
        assert client.get("/v1/alerts/channels", headers=own).json() == {"channels": ["ops"]}
        rule = {**RULE, "channels": ["ops"]}
        location = client.post("/v1/alerts/rules", json=rule, headers=own).headers["Location"]
        written = client.post(f"{location}/test", headers=own)
        assert written.status_code == 202
        assert client.post(f"{location}/test", headers=own).status_code == 429
        settings = client.settings
        place = Place(store_url(settings), "w", timedelta(seconds=60))
        with place.store() as leased:
            MessageQueue(settings).run(place, leased, Stop())
        (message,) = client.get("/v1/alerts/messages", headers=own).json()["messages"]
        assert (message["state"], message["channel"], message["error"]) == ("sent", "ops", None)
        assert client.get("/v1/alerts/messages", headers=header(data, "other")).json()["total"] == 0
        shown = "".join(
            client.get(path, headers=own).text for path in ("/v1/settings", "/v1/alerts/messages")
        )
        assert "hushhush" not in shown
        assert "secret-path" not in shown
        bare = client.post("/v1/alerts/rules", json=RULE, headers=own).headers["Location"]
        assert client.post(f"{bare}/test", headers=own).json()["field"] == "channels"


def test_kinds_tell_what_each_is_set_to(client):
    found = {one["name"]: one for one in client.get("/v1/alerts/kinds").json()["kinds"]}
    assert found["tvl_fall"]["settings"][1]["default"] == 24.0
    assert found["depeg"]["about"] == "assets"
