"""`defimon serve` as a process: it starts on an empty folder, answers, and stops in order."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from alembic import command
from alembic.config import Config

from defimon.store import migration
from defimon.store.address import Address
from defimon.store.database import Store
from defimon.store.migration import NotMigrated

CODE = "from defimon.apps.cli.main import main; main()"
LIMIT_S = 120


@contextmanager
def served(folder, *words, **more):
    """The process and its address, once it says it; ended at last."""
    log = folder / "serve.log"
    environment = {**os.environ, "DEFIMON_DATA_DIR": str(folder), "DEFIMON_LOG_JSON": "true", **more}
    with log.open("w") as lines:
        process = subprocess.Popen(
            [sys.executable, "-c", CODE, "serve", "--port", "0", *words],
            stderr=lines, stdout=lines, env=environment,
        )  # fmt: skip
    try:
        address = told(log, r'"address": ?"([^"]+)"', process)
        with httpx.Client(base_url=address, timeout=60) as client:
            yield process, client, log
    finally:
        process.kill()
        process.wait()


def told(log, pattern, process):
    """What the log says, once it does."""
    end = time.monotonic() + LIMIT_S
    while not (found := re.search(pattern, log.read_text())):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.1)
    return found[1]


def ready(client):
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        try:
            if client.get("/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail("never ready")


def older(path, revision):
    """A store as that revision left it."""
    script = Config()
    script.set_main_option("script_location", str(Path(migration.__file__).with_name("migrations")))
    engine = migration._engine(Address.parse(f"sqlite:///{path}"))
    with engine.begin() as connection:
        script.attributes["connection"] = connection
        command.upgrade(script, revision)
    engine.dispose()


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_command_makes_a_store_answers_and_stops(tmp_path, number):
    with served(tmp_path, "--no-worker") as (process, client, log):
        ready(client)
        assert client.get("/v1/pools").json()["total"] == 0
        process.send_signal(number)
        assert process.wait(LIMIT_S) == 0, log.read_text()
        assert "stopped serving" in log.read_text()


def test_the_worker_stops_with_the_server_and_also_when_that_is_killed(tmp_path):
    names = ("DEFILLAMA", "LLAMA", "STABLECOINS", "COINGECKO", "GITHUB")
    quiet = {f"DEFIMON_{name}_URL": "http://127.0.0.1:1" for name in names}
    for number in (signal.SIGTERM, signal.SIGKILL):
        with served(tmp_path, **quiet) as (process, client, log):
            ready(client)
            worker = int(told(log, r'"worker": ?"[^":]*:(\d+):', process))
            assert alive(worker)
            process.send_signal(number)
            process.wait(LIMIT_S)
            end = time.monotonic() + LIMIT_S
            while alive(worker):
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.1)


def test_a_store_that_is_older_is_refused_until_it_is_asked_for(tmp_path):
    older(tmp_path / "defimon.sqlite", "0004")
    environment = {**os.environ, "DEFIMON_DATA_DIR": str(tmp_path)}
    refused = subprocess.run(
        [sys.executable, "-c", CODE, "serve", "--port", "0", "--no-worker"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 2
    assert "older than this code" in refused.stderr
    assert "--migrate" in refused.stderr
    with served(tmp_path, "--no-worker", "--migrate") as (_process, client, _log):
        ready(client)


def test_a_port_that_is_taken_is_told(tmp_path):
    with served(tmp_path, "--no-worker") as (_process, client, _log):
        ready(client)
        again = subprocess.run(
            [sys.executable, "-c", CODE, "serve", "--port", str(client.base_url.port), "--no-worker"],
            env={**os.environ, "DEFIMON_DATA_DIR": str(tmp_path)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert again.returncode == 2
        assert "cannot be used" in again.stderr


@pytest.mark.parametrize("words", [("worker", "--once"), ("keys", "list"), ("serve", "--no-worker")])
def test_no_process_of_the_service_migrates_an_empty_server_unasked(postgres_database, tmp_path, words):
    with postgres_database("template0") as url:
        environment = {**os.environ, "DEFIMON_DATA_DIR": str(tmp_path), "DEFIMON_DATABASE_URL": url}
        refused = subprocess.run(
            [sys.executable, "-c", CODE, *words], env=environment, capture_output=True, text=True, check=False
        )
        assert (refused.returncode, "--migrate" in refused.stderr) == (2, True), refused.stderr
        assert url not in refused.stderr
        with pytest.raises(NotMigrated):
            Store(url).now()


def test_a_server_that_was_told_to_stop_says_so_answers_for_a_while_and_ends(tmp_path):
    with served(tmp_path, "--no-worker", DEFIMON_API_DRAIN_S="5") as (process, client, log):
        ready(client)
        assert "connection" not in client.get("/v1/pools").headers
        process.send_signal(signal.SIGTERM)
        end = time.monotonic() + LIMIT_S
        while (answer := client.get("/ready")).status_code == 200:
            assert time.monotonic() < end
        assert (answer.status_code, answer.json()["detail"]) == (503, "The server stops.")
        told = client.get("/v1/pools")
        assert (told.status_code, told.headers["connection"]) == (200, "close")
        assert process.wait(LIMIT_S) == 0, log.read_text()


def test_a_line_tells_each_request_and_its_id_and_hides_secrets(tmp_path):
    key = f"dfm_{'0' * 12}_{'a' * 64}"
    with served(tmp_path, "--no-worker") as (process, client, log):
        ready(client)
        client.get("/v1/pools/none", headers={"X-Request-ID": "mine-1"})
        last = client.get(f"/v1/pools/{key}%0Anext", headers={"Authorization": f"Bearer {key}"})
        told(log, f"({last.headers['x-request-id']})", process)
        lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    requests = {line["request_id"]: line for line in lines if line["event"] == "request"}
    assert (requests["mine-1"]["status"], requests["mine-1"]["path"]) == (404, "/v1/pools/none")
    assert any(line["path"] == "/v1/pools/dfm_***\nnext" for line in requests.values())
    assert key not in log.read_text()
    assert not any(line["path"] == "/ready" for line in requests.values())
