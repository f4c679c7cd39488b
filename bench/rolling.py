"""Two processes of the API behind nginx, restarted one at a time under load: requests that fail, must be 0.

`scripts/bench rolling [--rounds N] [--connections N] [--pace N] [--quick]`

nginx runs `deploy/nginx/defimon.conf` with other ports. Over kept connections come, by turns, answers from
memory, answers from the store and `POST /predict`, each connection at its pace. A process is told to stop
(SIGTERM), drains, ends, and is started again; then the other one is. An answer that is not 200, a connection
that is cut, and an answer that never comes are failures.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import _api_store
import httpx
from _api_servers import Running, free_port, load, serving

from defimon.flows.keys import create_key
from defimon.store.database import Store

SITE = Path(__file__).parents[1] / "deploy" / "nginx" / "defimon.conf"
DRAIN_S = 2.0
MARGIN_S = 3.0
SAID = re.compile(r"\*\d+ (.*?)(?: while |,|$)")

FRAME = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@contextmanager
def nginx(folder: Path, ports: Sequence[int]) -> Iterator[Running]:
    """nginx before servers on those ports."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise SystemExit("There is no nginx; Debian's package nginx-light will do.")
    port = free_port()
    site = SITE.read_text().replace("8001", str(ports[0])).replace("8002", str(ports[1]))
    (folder / "site.conf").write_text(site.replace("8080", f"127.0.0.1:{port}"))
    frame = folder / "nginx.conf"
    frame.write_text(FRAME.format(folder=folder) + ("user root;\n" if os.geteuid() == 0 else ""))
    version = subprocess.run([program, "-v"], capture_output=True, text=True, check=False).stderr.strip()
    print(version.removeprefix("nginx version: "))
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(frame)])
    try:
        yield Running(process, f"http://127.0.0.1:{port}", folder / "error.log")
    finally:
        process.terminate()
        process.wait()


class Pair:
    """The two servers, each on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = [free_port(), free_port()]
        self.stacks = [ExitStack(), ExitStack()]
        self.servers: list[Running] = []
        for number in range(2):
            self.servers.append(self.start(number))

    def start(self, number: int) -> Running:
        own = {"DEFIMON_API_OPEN": "never", "DEFIMON_API_DRAIN_S": str(DRAIN_S)}
        return self.stacks[number].enter_context(serving(self.folder, port=self.ports[number], **own))

    def restart(self, number: int) -> float:
        """Seconds for which there was but one."""
        began = time.monotonic()
        status = self.servers[number].stop()
        if status:
            raise SystemExit(f"stopped with {status}:\n{self.servers[number].log.read_text()[-2_000:]}")
        self.servers[number] = self.start(number)
        return time.monotonic() - began

    def close(self) -> None:
        for stack in self.stacks:
            stack.close()


def mixture(names: Sequence[str], key: str) -> dict[str, Any]:
    """What is asked: an answer from memory, forty from the store, and twenty by POST."""
    paths = [f"/v1/forecasts/{names[0]}", *(f"/v1/pools/{name}/history?limit=100" for name in names[:40])]
    posts = [("/predict", json.dumps({"strategies": [name], "horizon_days": 7})) for name in names[:20]]
    return {"paths": paths, "posts": posts, "headers": {"Authorization": f"Bearer {key}"}}


def run(wanted: argparse.Namespace, folder: Path) -> dict[str, Any]:
    names = _api_store.names_of(200)
    url = f"sqlite:///{folder / 'defimon.sqlite'}"
    _api_store.fill(url, names)
    with Store(url) as store:
        _, key = create_key(store, "bench", "read")
    told: dict[str, Any] = {}
    pair = Pair(folder)
    try:
        with nginx(folder, pair.ports) as front:
            while httpx.get(f"{front.address}/ready").status_code != 200:
                time.sleep(0.1)
            # It ends when the last process is back: until then it is told to go on.
            stop = folder / "stop"
            asked = mixture(names, key) | {"pace": wanted.pace, "connections": wanted.connections}
            thread = threading.Thread(
                target=lambda: told.update(load(front, core=None, until=str(stop), **asked))
            )
            thread.start()
            time.sleep(MARGIN_S)
            took = [pair.restart(number) for _ in range(wanted.rounds) for number in range(2)]
            time.sleep(MARGIN_S)
            stop.touch()
            thread.join()
            complaints = front.log.read_text().splitlines()
    finally:
        pair.close()
    return {**told, "took": took, "complaints": complaints}


def main(argv: Sequence[str] | None = None) -> int:
    """0 when no request failed, else 1."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--rounds", type=int, default=5, help="Restarts of each process.")
    words.add_argument("--connections", type=int, default=32)
    words.add_argument("--pace", type=float, default=10.0, help="Requests a second on each connection.")
    words.add_argument("--quick", action="store_true")
    wanted = words.parse_args(argv)
    if wanted.quick:
        wanted.rounds, wanted.connections = 1, 8
    with tempfile.TemporaryDirectory(prefix="defimon-bench-") as folder:
        Path(folder).chmod(0o755)
        found = run(wanted, Path(folder))
    answers, faults = found["answers"], found["faults"]
    wrong = sum(count for status, count in answers.items() if status != "200") + sum(faults.values())
    print(f"{len(found['took'])} restarts of {min(found['took']):.0f} to {max(found['took']):.0f} s")
    print(f"{found['requests']:,} requests, {found['per_s']:,.0f}/s, p99 {found['p99_ms']:.0f} ms", end=", ")
    print(f"load {os.getloadavg()[0]:.1f}; answers {answers}, faults {faults}")
    kinds = Counter(said[1] for line in found["complaints"] if (said := SAID.search(line)))
    for kind, count in kinds.most_common():
        print(f"nginx says {count} times: {kind}")
    print(f"failed requests, must be 0: {wrong}{'' if wrong == 0 else '  DOES NOT HOLD'}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
