"""`defimon worker` from the command line: once, and until it is told to stop."""

import json
import os
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from defimon.apps.cli.main import build
from defimon.core.errors import FixSettings

PANEL = "pool_id,ts,apy\na,2026-01-01,0.04\na,2026-01-02,0.05\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    path = tmp_path / "dumps"
    path.mkdir()
    (path / "panel.csv").write_text(PANEL)
    monkeypatch.setenv("DEFIMON_FILES", str(path))
    monkeypatch.setenv("DEFIMON_DATA_DIR", str(tmp_path / "data"))
    return path


def once(*words):
    return CliRunner().invoke(
        build(), ["worker", "--once", "--only", "files", *words], catch_exceptions=False
    )


def test_once_runs_what_is_due_and_tells_what_became_of_it(folder):
    result = once()
    assert result.exit_code == 0
    assert "files" in result.output
    assert "done" in result.output
    assert "not due" in once().output


def test_once_says_by_its_exit_status_that_a_job_failed(folder):
    (folder / "panel.csv").write_text("pool_id,ts,apy\na,yesterday,0.04\n")
    result = once()
    assert result.exit_code == 1
    assert "failed" in result.output
    assert "yesterday" in result.output


def test_a_job_that_is_none_is_refused_with_those_that_are(folder):
    with pytest.raises(FixSettings, match=r"'yield' is no job\. Known: .*files, ") as caught:
        CliRunner().invoke(build(), ["worker", "--once", "--only", "yield"], catch_exceptions=False)
    assert caught.value.variable == "--only"


@pytest.mark.parametrize("address", ["no-address", "http://127.0.0.1"])
def test_an_address_that_is_no_redis_is_refused_without_repeating_it(folder, monkeypatch, address):
    monkeypatch.setenv("DEFIMON_REDIS_URL", address)
    with pytest.raises(FixSettings, match="DEFIMON_REDIS_URL is no address of a Redis") as caught:
        CliRunner().invoke(build(), ["worker", "--only", "files"], catch_exceptions=False)
    assert address not in str(caught.value)


def test_a_worker_tells_what_it_does_and_ends_well_when_it_is_told_to(folder, tmp_path):
    code = "from defimon.apps.cli.main import main; main()"
    words = [sys.executable, "-c", code, "worker", "--only", "files"]
    with subprocess.Popen(
        words, stderr=subprocess.PIPE, text=True, env=os.environ | {"DEFIMON_LOG_JSON": "1"}
    ) as process:
        said = []
        for line in process.stderr:
            said.append(line)
            if "job done" in line:
                process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
    events = {line["event"]: line for line in map(json.loads, said)}
    assert list(events) == ["worker starts", "job begun", "job done", "worker stops", "worker stopped"]
    assert events["worker starts"]["jobs"] == ["files"]
    assert events["job done"]["rows"] >= 2
    assert (tmp_path / "data" / "queue.sqlite").exists()
