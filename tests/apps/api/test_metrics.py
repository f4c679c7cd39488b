"""What Prometheus is told, and that the dashboard of Grafana asks for nothing else."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from defimon.core.settings import load_settings
from defimon.core.tables import CURSORS, JOB_RUNS, SOURCE_HEALTH
from defimon.flows._store import open_store

DASHBOARD = Path(__file__).parents[3] / "deploy" / "grafana" / "defimon.json"
NAME = re.compile(r"\b(?:defimon|process|python)_[a-z0-9_]+")
SUFFIXES = ("_bucket", "_sum", "_count")


@pytest.fixture
def collected(data, moments):
    """The store with a job that failed, a series and a host that were asked."""
    fixed = {"source": "test", "origin": "observed", "known_at": moments.day(0)}
    run = {
        "job": "yields", "ts": moments.day(0), "status": "failed", "owner": "here:1", "attempt": 2, "rows": 7,
        "started_at": moments.day(0), "lease_until": moments.day(0), "error": "it rained",
        "ended_at": moments.day(0) + timedelta(seconds=3), "next_at": moments.day(0) + timedelta(seconds=60),
    }  # fmt: skip
    health = {
        "endpoint": "defillama:yields.llama.fi", "ts": moments.day(0), "calls": 10, "failures": 4,
        "latency_s": 0.5, "state": "open",
    }  # fmt: skip
    cursor = {"series": "defillama:pools", "ts": moments.day(0), "number": 1}
    with open_store(load_settings({}, data_dir=data.folder)) as store:
        store.write("job_runs", JOB_RUNS.rows([{**fixed, **run}]))
        store.write("source_health", SOURCE_HEALTH.rows([{**fixed, **health}]))
        store.write("cursors", CURSORS.rows([{**fixed, **cursor}]))
    return data


def test_metrics_tell_of_the_store_its_jobs_series_and_services(collected, serve_on, moments):
    with serve_on(collected.folder) as client:
        client.get("/ready")
        told = client.get("/metrics").text
    then = moments.day(0).timestamp()
    values = dict(line.rsplit(" ", 1) for line in told.splitlines() if not line.startswith("#"))
    assert values["defimon_store_up"] == "1.0"
    assert float(values['defimon_series_timestamp_seconds{series="defillama:pools"}']) == then
    assert values['defimon_job_status{job="yields",status="failed"}'] == "1.0"
    assert values['defimon_job_status{job="yields",status="done"}'] == "0.0"
    assert values['defimon_job_seconds{job="yields"}'] == "3.0"
    assert float(values['defimon_job_next_timestamp_seconds{job="yields"}']) == then + 60
    assert values['defimon_source_failures{endpoint="defillama:yields.llama.fi"}'] == "4.0"
    assert values['defimon_source_resting{endpoint="defillama:yields.llama.fi"}'] == "1.0"
    assert float(values['defimon_newest_forecast_timestamp_seconds{target="apy_mean"}']) == then - 86_400


def test_a_store_that_is_away_is_told_and_metrics_go_on(tmp_path, serve_on):
    with serve_on(tmp_path / "nothing") as client:
        told = client.get("/metrics")
        assert told.status_code == 200
        assert "defimon_store_up 0.0" in told.text


def test_the_dashboard_of_grafana_asks_only_for_what_is_told(collected, serve_on):
    with serve_on(collected.folder) as client:
        client.get("/v1/pools")
        told = client.get("/metrics").text
    named = {line.split()[2] for line in told.splitlines() if line.startswith("# TYPE")}
    samples = {re.split(r"[ {]", line)[0] for line in told.splitlines() if not line.startswith("#")}
    labels = set(re.findall(r'[{,]([a-z_]+)="', told)) | {"instance"}
    dashboard = json.loads(DASHBOARD.read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    asked += [one["query"]["query"] for one in dashboard["templating"]["list"] if one["type"] == "query"]
    assert len(asked) > 20
    for words in asked:
        for name in NAME.findall(words):
            assert name in samples | named or name.removesuffix("_bucket") in named, name
        for label in re.findall(r"[{,]([a-z_]+)=~?", words):
            assert label in labels, label
        for by in re.findall(r"by \(([^)]*)\)", words):
            assert set(by.split(", ")) <= labels, by


def test_no_two_panels_of_the_dashboard_lie_on_each_other():
    taken = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + right, place["y"] + down)
            for right in range(place["w"])
            for down in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
