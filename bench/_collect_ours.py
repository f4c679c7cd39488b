"""Collects a chain's blocks into a new SQLite store, as `defimon collect` does; tells what it took as JSON.

Run in a process of its own, so that its memory is its own: `python bench/_collect_ours.py URL CHAIN`.
"""

import asyncio
import json
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from defimon.core.settings import load_settings
from defimon.flows.collect_sources import collect_sources, series_sources
from defimon.sources._http import Http
from defimon.sources._manners import MEBIBYTE
from defimon.store.database import Store

GENESIS = datetime(2020, 1, 1, tzinfo=UTC)
KIB = 1 if sys.platform == "darwin" else 1024


async def opened_once() -> None:
    """Loads what a client needs, which no peer's time counts either."""
    async with Http():
        pass


def main() -> None:
    url, chain = sys.argv[1:]
    series_sources()
    asyncio.run(opened_once())
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings({}, rpc={chain: url}, data_dir=Path(folder))
        with Store(f"sqlite:///{Path(folder) / 'bench.db'}") as store:
            store.migrate()
            began, busy = time.perf_counter(), time.process_time()
            (result,) = collect_sources(settings, ["evm_rpc"], since=GENESIS, store=store).results
            took, worked = time.perf_counter() - began, time.process_time() - busy
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB / MEBIBYTE
            if result.error or result.gaps_open:
                raise SystemExit(f"{result.error or 'gaps were left'}")
            stored = store.read("blocks", columns=["transactions", "fees"])
    told = {
        "seconds": took,
        "cpu_s": worked,
        "mib": peak,
        "blocks": stored.height,
        "transactions": int(stored["transactions"].sum()),
        "without_fees": stored["fees"].null_count(),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
