"""How fast the API answers: from memory beside a bare route, a year out of 5M rows, and under work.

`scripts/bench api [--parts cached,history,beside] [--rows N] [--seconds N] [--rounds N] [--nice N]`

- cached: `GET /v1/forecasts/{pool}` again and again over 32 connections of loopback, in turns with a bare
  FastAPI route that returns the same bytes under the same uvicorn settings; server and load have a core each;
- history: a year of one pool of the store, each pool once so that nothing comes from memory, one at a time;
- beside: the first load again, alone and while models are fitted and a back-fill writes to the same store,
  both at the niceness of the worker that `defimon serve` starts.

Behind each figure stands what the server used of its core for one request (CPU), which what else runs on the
machine hardly moves; the load of the machine stands before and after each part.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import _api_store
import httpx
from _api_servers import HERE, Running, load, postgres, put_family_first, put_first, running, serving

CONNECTIONS = 32
LEAST_SHARE, MOST_P99_MS, MOST_P95_MS, MOST_GROWTH = 0.5, 25.0, 20.0, 2.0
PARTS = ("cached", "history", "beside")
SERVER_CORE, LOAD_CORE = 0, 1
WORKER_NICENESS = 10
START_S = 8.0
"""Seconds until a process has loaded what it fits with."""

Row = tuple[str, bool | None]


def shown(what: str, value: str, holds: bool | None = None) -> Row:
    mark = "" if holds is None else ("  holds" if holds else "  DOES NOT HOLD")
    return f"  {what:<58} {value}{mark}", holds


def middle(runs: Sequence[dict[str, Any]], name: str) -> float:
    return statistics.median(run[name] for run in runs)


def faults(runs: Sequence[dict[str, Any]]) -> int:
    wrong = sum(count for run in runs for status, count in run["answers"].items() if status != "200")
    return wrong + sum(count for run in runs for count in run["faults"].values())


def times(runs: Sequence[dict[str, Any]]) -> str:
    return "  ".join(f"{name} {middle(runs, f'{name}_ms'):.1f}" for name in ("p50", "p95", "p99")) + " ms"


def cached(folder: Path, names: list[str], wanted: argparse.Namespace) -> list[Row]:
    path = f"/v1/forecasts/{names[0]}"
    body = folder / "body"
    with ExitStack() as stack:
        ours = stack.enter_context(serving(folder, SERVER_CORE))
        body.write_bytes(httpx.get(ours.address + path).content)
        words = [sys.executable, str(HERE / "_api_bare.py"), str(body)]
        bare = stack.enter_context(running(words, folder / "bare.log", SERVER_CORE))
        told: dict[str, list[dict[str, Any]]] = {"bare": [], "ours": []}
        for turn in range(wanted.rounds):
            order = [("bare", bare), ("ours", ours)]
            for name, server in order if turn % 2 else reversed(order):
                told[name].append(
                    load(server, [path], core=LOAD_CORE, connections=CONNECTIONS, seconds=wanted.seconds)
                )
    share = middle(told["ours"], "per_s") / middle(told["bare"], "per_s")
    p99 = middle(told["ours"], "p99_ms")
    rows = [shown(f"body of {body.stat().st_size} bytes, {wanted.rounds} rounds of {wanted.seconds} s", "")]
    for name in ("bare", "ours"):
        runs = told[name]
        pace, cpu, busy = (middle(runs, figure) for figure in ("per_s", "cpu_us", "busy"))
        text = f"{pace:,.0f}/s  {times(runs)}  CPU {cpu:.0f} us  (load's core {busy:.0%} busy)"
        rows.append(shown(f"GET /v1/forecasts/{{pool}}, {name}", text))
    rows.append(
        shown(f"requests/s beside bare, must be >= {LEAST_SHARE:.0%}", f"{share:.0%}", share >= LEAST_SHARE)
    )
    rows.append(shown(f"p99, must be <= {MOST_P99_MS:g} ms", f"{p99:.1f} ms", p99 <= MOST_P99_MS))
    wrong = faults([*told["ours"], *told["bare"]])
    return [*rows, shown("errors, must be 0", str(wrong), wrong == 0)]


def history(kind: str, server: Running, names: list[str], count: int) -> list[Row]:
    since = (datetime.now(UTC) - timedelta(days=365)).strftime("%Y-%m-%dT%H:%M:%SZ")
    step = max(len(names) // count, 1)
    paths = [f"/v1/pools/{name}/history?since={since}&limit=1000" for name in names[::step]][:count]
    rows = len(httpx.get(server.address + paths[0]).json()["rows"])
    found = load(server, paths[1:], core=LOAD_CORE, requests=len(paths) - 1)
    p95 = found["p95_ms"]
    text = (
        f"p50 {found['p50_ms']:.1f}  p95 {p95:.1f}  p99 {found['p99_ms']:.1f} ms  {found['cpu_us']:,.0f} us"
    )
    wrong = faults([found])
    return [
        shown(f"{kind}: {rows} days of one pool, {found['requests']} pools", text),
        shown(
            f"{kind}: p95, must be <= {MOST_P95_MS:g} ms; errors 0",
            f"{p95:.1f} ms, {wrong}",
            p95 <= MOST_P95_MS and not wrong,
        ),
    ]


@contextmanager
def working(folder: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A retrain and a back-fill beside the server, as its worker would run them."""
    command = ["nice", "-n", str(WORKER_NICENESS), sys.executable, str(HERE / "_api_work.py")]
    own = {**os.environ, "DEFIMON_DATA_DIR": str(folder), "DEFIMON_PROCESSES": "1"}
    with (folder / "work.log").open("wb") as log:
        both = [
            subprocess.Popen([*command, what], env=own, stdout=log, stderr=log)
            for what in ("retrain", "back-fill")
        ]
    try:
        yield both
    finally:
        for process in both:
            process.kill()
            process.wait()


def beside(folder: Path, names: list[str], wanted: argparse.Namespace) -> list[Row]:
    path = f"/v1/forecasts/{names[0]}"
    seconds = 2 * wanted.seconds

    def one(server: Running) -> dict[str, Any]:
        return load(server, [path], core=LOAD_CORE, connections=CONNECTIONS, seconds=seconds)

    with serving(folder, SERVER_CORE) as server:
        alone = [one(server)]
        with working(folder) as both:
            time.sleep(START_S)
            under = [one(server), one(server)]
            alive = [process.poll() for process in both]
        alone.append(one(server))
    told = (folder / "work.log").read_text().splitlines()
    growth = middle(under, "p99_ms") / middle(alone, "p99_ms")
    rows = [
        shown(
            f"p99 of cached reads, {name}, {seconds} s each",
            f"{middle(runs, 'p99_ms'):.1f} ms, {middle(runs, 'per_s'):,.0f}/s",
        )
        for name, runs in (("alone", alone), ("under work", under))
    ]
    rows += [shown("work", line) for line in told[-4:]]
    wrong = faults([*alone, *under]) + sum(status not in (None, 0) for status in alive)
    return [
        *rows,
        shown(f"growth of p99, must be <= {MOST_GROWTH:g}", f"{growth:.2f}", growth <= MOST_GROWTH),
        shown("errors, must be 0", str(wrong), wrong == 0),
    ]


def report(title: str, work: Callable[[], list[Row]]) -> bool:
    print(f"{title} (load {os.getloadavg()[0]:.1f} before)", flush=True)
    rows = work()
    for text, _ in rows:
        print(text, flush=True)
    print(f"  (load {os.getloadavg()[0]:.1f} after)", flush=True)
    return all(holds is not False for _, holds in rows)


def run(wanted: argparse.Namespace, folder: Path) -> bool:
    names = _api_store.names_of(max(wanted.rows // _api_store.DAYS, 10))
    parts, held = wanted.parts.split(","), []
    rows = _api_store.fill(f"sqlite:///{folder / 'defimon.sqlite'}", names)
    print(f"{rows:,} yields of {len(names):,} pools, {os.cpu_count()} cores", flush=True)
    count = 20 if wanted.quick else 1_000
    if "cached" in parts:
        held.append(report("cached", lambda: cached(folder, names, wanted)))
    if "history" in parts:
        with serving(folder, SERVER_CORE) as server:
            held.append(report("history", lambda: history("SQLite", server, names, count)))
        with postgres() as (url, first):
            _api_store.fill(url, names)
            with serving(folder, SERVER_CORE, DEFIMON_DATABASE_URL=url) as server:
                if wanted.nice:
                    put_family_first(first, wanted.nice)
                held.append(report("history", lambda: history("PostgreSQL", server, names, count)))
    if "beside" in parts:
        held.append(report("beside", lambda: beside(folder, names, wanted)))
    return all(held)


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the limits hold, else 1. In a quick run they are shown and not judged."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--parts", default=",".join(PARTS), help="Which, by commas.")
    words.add_argument("--rows", type=int, default=5_000_000)
    words.add_argument("--seconds", type=float, default=10.0)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument(
        "--nice",
        type=int,
        default=0,
        help="Of servers and loads; -15 (as root) where others use the machine.",
    )
    words.add_argument("--quick", action="store_true")
    wanted = words.parse_args(argv)
    if wanted.nice:
        put_first(wanted.nice)
    if wanted.quick:
        wanted.rows, wanted.seconds, wanted.rounds = 20_000, 1.0, 1
    with tempfile.TemporaryDirectory(prefix="defimon-bench-") as folder:
        held = run(wanted, Path(folder))
    return 0 if held or wanted.quick else 1


if __name__ == "__main__":
    sys.exit(main())
