"""What `defimon run --panel` costs in time and memory on the recorded lending panel, beside its limits."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

MOST_SECONDS, MOST_GIB, HELP_SECONDS = 240.0, 3.0, 0.7
GIB = 1024.0**3


def memory(process: psutil.Process) -> float:
    """GiB that a process and its children hold, shared pages counted once each (PSS)."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_full_info().pss
        except psutil.Error:
            continue
    return total / GIB


def watched(command: list[str], environment: dict[str, str]) -> tuple[float, float, int]:
    """(seconds, peak GiB, exit status) of a command."""
    began, peak = time.perf_counter(), 0.0
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as child:
        process = psutil.Process(child.pid)
        while child.poll() is None:
            peak = max(peak, memory(process))
            time.sleep(0.5)
    return time.perf_counter() - began, peak, child.returncode


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    sets = os.environ.get("DEFIMON_DATA_SETS", "")
    parser.add_argument("--panel", type=Path, default=Path(sets) / "open" / "aave_v3_snapshots.parquet")
    options = parser.parse_args(argv)
    if not options.panel.exists():
        print("Needs a panel: set DEFIMON_DATA_SETS, or name one with --panel.", file=sys.stderr)
        return 2
    defimon = str(Path(sys.executable).with_name("defimon"))
    helps = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([defimon, "--help"], stdout=subprocess.DEVNULL, check=True)
        helps.append(time.perf_counter() - began)
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "DEFIMON_DATA_DIR": f"{folder}/data"}
        command = [defimon, "run", "--panel", str(options.panel), "--out", f"{folder}/out"]
        seconds, peak, status = watched(command, environment)
    cores = os.cpu_count()
    print(f"{cores} cores, load {os.getloadavg()[0]:.1f}")
    print(
        f"{'defimon run --panel':<24}{seconds:8.1f} s      limit {MOST_SECONDS:.0f} s, exit status {status}"
    )
    print(f"{'peak memory':<24}{peak:8.2f} GiB    limit {MOST_GIB:.0f} GiB")
    print(f"{'defimon --help':<24}{sorted(helps)[2]:8.2f} s      limit {HELP_SECONDS} s, median of 5")
    return int(status != 0 or seconds > MOST_SECONDS or peak > MOST_GIB or sorted(helps)[2] > HELP_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
