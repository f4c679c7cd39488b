"""Workers as processes, and stores that two workers share."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from redis_server import wait_until

from defimon.store.database import Store

SCRIPT = Path(__file__).with_name("slots_worker.py")


class Workers:
    """Workers on one store: started, watched, ended."""

    def __init__(self, folder, url, **environment):
        self.folder = folder
        self.url = url
        self.environment = {
            "DEFIMON_DATABASE_URL": url,
            "DEFIMON_DATA_DIR": str(folder),
            "DEFIMON_LOG_LEVEL": "INFO",
            "DEFIMON_LOG_JSON": "true",
            **environment,
        }
        self.running = []
        self.store = Store(url)

    def start(self, *, jobs, pace_s, **environment):
        """A process whose log lines go to the file `log-N`."""
        log = self.folder / f"log-{len(self.running)}"
        with log.open("w") as lines:
            process = subprocess.Popen(
                [sys.executable, str(SCRIPT), str(self.folder), str(jobs), str(pace_s)],
                env={**os.environ, **self.environment, **environment},
                stderr=lines,
            )
        self.running.append(process)
        process.log = log
        return process

    def ran(self):
        """Lines of the file `ran`: job, slot, attempt, process."""
        path = self.folder / "ran"
        return [tuple(line.split()) for line in path.read_text().splitlines()] if path.exists() else []

    def runs(self):
        """Newest rows of the run log."""
        return self.store.read("job_runs")

    def end(self):
        """Ask every worker to stop; their exit statuses."""
        for process in self.running:
            process.send_signal(signal.SIGTERM)
        return [process.wait(timeout=60) for process in self.running]

    def kill(self):
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait()


@pytest.fixture
def workers_on(tmp_path):
    made = []

    def make(url, **environment):
        made.append(Workers(tmp_path, url, **environment))
        return made[-1]

    yield make
    for workers in made:
        workers.kill()
        workers.store.close()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("migrated") / "store.db"
    with Store(f"sqlite:///{path}") as made:
        made.migrate()
    return path


@pytest.fixture
def sqlite_url(tmp_path, migrated_file):
    shutil.copy(migrated_file, tmp_path / "store.db")
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def postgres_url(postgres_database):
    with postgres_database("template0") as address:
        with Store(address) as made:
            made.migrate()
        yield address


@pytest.fixture
def until():
    return wait_until
