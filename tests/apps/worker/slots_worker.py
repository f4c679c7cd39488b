"""A worker whose jobs write down each slot that they run: python slots_worker.py FOLDER JOBS PACE_S.

It takes its store, queue and lease from the environment. Each run adds a line `job slot attempt pid` to the
file `ran` of FOLDER, and writes a row of `source_health` for its slot. While there is a file `hold`,
runs wait; a waiting run says so by a file `held-by-PID`.
"""

import os
import sys
import time
from datetime import timedelta
from pathlib import Path

from defimon.apps.worker.work import work
from defimon.core.errors import TryAgain
from defimon.core.logs import configure_logs
from defimon.core.settings import load_settings
from defimon.core.tables import SOURCE_HEALTH
from defimon.flows.jobs import Job, Outcome, Schedule

FOLDER = Path(sys.argv[1])
NAP_S = 0.02


def write_down(held):
    run = held.run
    with (FOLDER / "ran").open("a") as ran:
        ran.write(f"{run.job} {run.slot.timestamp()} {run.attempt} {os.getpid()}\n")
    while (FOLDER / "hold").exists() and not held.stop:
        (FOLDER / f"held-by-{os.getpid()}").touch()
        time.sleep(NAP_S)
    if (FOLDER / "fail").exists():
        raise TryAgain("told to fail.")
    row = {
        "endpoint": run.job,
        "ts": run.slot,
        "calls": 1,
        "failures": 0,
        "known_at": held.store.now(),
        "source": run.owner,
        "origin": "simulated",
    }
    return Outcome(held.store.write("source_health", SOURCE_HEALTH.rows([row])).inserted)


if __name__ == "__main__":
    settings = load_settings()
    configure_logs(settings)
    schedule = Schedule(timedelta(seconds=float(sys.argv[3])))
    jobs = [Job(f"job-{number}", schedule, write_down) for number in range(int(sys.argv[2]))]
    work(settings, jobs, at_once=2, tick_s=0.2)
