"""Two processes of the API and two workers on one PostgreSQL and one Redis, as many machines run them."""

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
from redis_server import wait_until

import defimon
from defimon.store.database import Store

CODE = "from defimon.apps.cli.main import main; main()"
SAMPLE = Path(defimon.__file__).parent / "sample" / "panel.parquet"
LIMIT_S = 240


class Machine:
    """A folder and an environment of its own; what it runs ends with it."""

    def __init__(self, folder, name, shared):
        self.folder = folder / name
        self.folder.mkdir()
        self.environment = {
            **os.environ, **shared, "DEFIMON_DATA_DIR": str(self.folder), "DEFIMON_LOG_JSON": "true",
        }  # fmt: skip
        self.log = self.folder / "log"
        self.process = None

    def start(self, *words):
        with self.log.open("ab") as lines:
            command = [sys.executable, "-c", CODE, *words]
            self.process = subprocess.Popen(command, stderr=lines, stdout=lines, env=self.environment)

    def run(self, *words):
        command = [sys.executable, "-c", CODE, *words]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def told(self, pattern):
        def look():
            assert self.process.poll() is None, self.log.read_text()
            return re.search(pattern, self.log.read_text())

        return wait_until(look)[1]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(LIMIT_S) == 0, self.log.read_text()

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@contextmanager
def machines(folder, shared, *names):
    with ExitStack() as stack:
        made = [Machine(folder, name, shared) for name in names]
        for machine in made:
            stack.callback(machine.kill)
        yield made


def test_four_processes_share_one_store_one_queue_keys_rates_and_answers(postgres_database, redis, tmp_path):
    files = tmp_path / "files"
    files.mkdir()
    shutil.copy(SAMPLE, files / "panel.parquet")
    with postgres_database("template0") as url:
        shared = {
            "DEFIMON_DATABASE_URL": url, "DEFIMON_REDIS_URL": redis.url, "DEFIMON_FILES": str(files),
            "DEFIMON_API_OPEN": "never", "DEFIMON_API_REFRESH_S": "0.2", "DEFIMON_API_RATE": "400/hour",
        }  # fmt: skip
        with Store(url) as store:
            store.migrate()
        with machines(tmp_path, shared, "api-1", "api-2", "worker-1", "worker-2") as (one, two, *workers):
            for worker in workers:
                worker.start("worker", "--only", "files")
            for machine in (one, two):
                machine.start("serve", "--no-worker", "--port", "0")
            key = re.search(r"dfm_\w+", one.run("keys", "create", "somebody"))[0]
            clients = [
                httpx.Client(
                    base_url=machine.told(r'"address": ?"([^"]+)"'), timeout=60,
                    headers={"Authorization": f"Bearer {key}"},
                )
                for machine in (one, two)
            ]  # fmt: skip
            for client in clients:
                wait_until(lambda client=client: client.get("/v1/pools?limit=1").json()["total"] == 18)
            told = [client.get("/v1/pools?sort=apy").json() for client in clients]
            assert told[0] == told[1]
            assert len({pool["pool_id"] for pool in told[0]["pools"]}) == 18
            jobs = clients[1].get("/v1/status").json()["jobs"]
            assert [(job["job"], job["attempt"]) for job in jobs] == [("files", 1)]
            assert re.search(
                r'defimon_job_status{job="files",status="(done|running)"} 1.0',
                clients[0].get("/metrics").text,
            )
            before = int(clients[0].get("/v1/pools").headers["ratelimit-remaining"])
            wait_until(lambda: int(clients[1].get("/v1/pools").headers["ratelimit-remaining"]) <= before)
            assert "somebody" in two.run("keys", "list")
            two.run("keys", "revoke", key.split("_")[1])
            for client in clients:
                wait_until(lambda client=client: client.get("/v1/pools").status_code == 401)
                client.close()
            for machine in (one, two, *workers):
                machine.stop()
                assert url not in machine.log.read_text()
