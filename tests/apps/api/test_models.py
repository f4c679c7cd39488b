"""Models over HTTP: who may promote, what refuses, and what is told of it."""

import pytest

from defimon.core.settings import load_settings
from defimon.features._base import catalogue
from defimon.flows.artefacts import registry_of
from defimon.store.artefacts import Artefact, Manifest

FEATURES = tuple(feature.name for feature in catalogue())
GOOD = {"gate_skill": 0.1, "gate_dm_t": -3.0}


@pytest.fixture
def versions(data):
    """A version that passes the gate and one that does not."""
    registry = registry_of(load_settings({}, data_dir=data.folder))
    found = []
    for scores in (GOOD, {**GOOD, "gate_dm_t": -0.3}):
        about = Manifest("ridge", "log_ratio", "apy_mean", 7, FEATURES, "ab" * 32, "2026-01-31", scores, "1")
        found.append(registry.add(Artefact(about, {}, {}, {"calibration.json": b"{}"})))
    return found


@pytest.fixture
def opened(data, serve_on):
    with serve_on(data.folder) as client:
        client.headers["Authorization"] = f"Bearer {data.keys['admin']}"
        yield client


def test_a_version_is_promoted_through_the_gate_and_taken_back(opened, versions):
    good, bad = versions
    told = opened.post(f"/v1/models/{good.version}/promote").json()
    assert (told["version"], told["target"], told["horizon"]) == (good.version, "apy_mean", 7)
    assert all(check["passed"] for check in told["checks"])
    refused = opened.post(f"/v1/models/{bad.version}/promote")
    assert refused.status_code == 409
    assert refused.json()["figure"] == -0.3
    assert "walk's DM t is -0.300, needed is below -1.65" in refused.json()["detail"]
    back = opened.post("/v1/models/rollback", json={"target": "apy_mean", "reason": "a trial"})
    assert back.json() == {"target": "apy_mean", "horizon": 7, "champion": None}
    assert opened.post("/v1/models/rollback", json={}).status_code == 404
    events = opened.get("/v1/models/events").json()["events"]
    assert [event["kind"] for event in events] == ["rolled_back", "refused", "promoted"]
    assert {event["author"] for event in events} == {"key admin"}
    assert "a trial" in events[0]["reason"]
    (one,) = opened.get(f"/v1/models/events?kind=refused&version={bad.version}&limit=5").json()["events"]
    assert one["figures"]["walk's DM t"] == -0.3


def test_a_key_that_may_only_read_or_run_promotes_nothing(opened, versions, data):
    for name in ("read", "run"):
        headers = {"Authorization": f"Bearer {data.keys[name]}"}
        path = f"/v1/models/{versions[0].version}/promote"
        assert opened.post(path, headers=headers).status_code == 403
    assert opened.get("/v1/models/events").json()["events"] == []


@pytest.mark.parametrize("name", ["none", "..", "0" * 80, "%2e%2e%2fmodels"])
def test_a_version_that_is_none_is_unknown(opened, versions, name):
    answer = opened.post(f"/v1/models/{name}/promote")
    assert answer.status_code in (404, 405)


def test_a_model_that_was_changed_is_refused_without_telling_where_it_lies(opened, versions, data):
    manifest = versions[0].folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace("-3.0", "-9.0"))
    answer = opened.post(f"/v1/models/{versions[0].version}/promote")
    assert answer.status_code == 409
    assert str(data.folder) not in answer.text


def test_models_are_compared_by_name(opened, versions):
    told = opened.get("/v1/models/compare?one=walk&other=persistence").json()
    assert (told["one"], told["other"], told["forecasts"]) == ("walk", "persistence", 0)
    assert told["dm_t"] is None
    own = opened.get(f"/v1/models/compare?one={versions[0].version}").json()
    assert (own["one"], own["other"]) == (f"ridge@{versions[0].version}", "walk")
    assert opened.get("/v1/models/compare?one=challenger").status_code == 404
    assert opened.get("/v1/models/compare?one=walk&other=walk&target=../x").status_code in (404, 422)


def test_a_target_that_is_none_has_nothing_to_take_back(opened):
    assert opened.post("/v1/models/rollback", json={"target": "apy_meen"}).status_code in (404, 422)
    assert opened.post("/v1/models/rollback", json={"target": "../../x"}).status_code in (404, 422)
