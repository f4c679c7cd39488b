"""One's own clock a day off for a visit: what comes later is stored, and nothing is in disorder."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

sys.path.append(str(Path(__file__).parent))  # so that the played services can be imported
sys.path.append(str(Path(__file__).resolve().parents[1] / "sources"))
sys.path.append(str(Path(__file__).resolve().parents[1] / "faults"))

from node_on_loopback import PlayedNode, served
from played_llama import PlayedLlama
from simulation import world_clock

from defimon.core.settings import load_settings
from defimon.flows._store import open_store
from defimon.flows.collect_sources import collect_once
from defimon.sources._manners import Manners

QUICK = Manners(first_wait_s=0.01, longest_wait_s=0.05, gap_s=0.0, connect_s=30.0, attempts=3)
BEGIN = datetime.fromtimestamp(1_700_000_000, UTC)
SLOT = timedelta(minutes=15)
VISITS = 5
WRONG = 1
"""The visit at which the clock is off."""


@pytest.mark.parametrize("off", [timedelta(days=1), timedelta(days=-1)], ids=["ahead", "behind"])
def test_a_clock_that_was_a_day_off_costs_no_later_snapshot_and_no_block(httpserver, tmp_path, off):
    node_url, node = served(httpserver, PlayedNode(head=200, transactions=1))
    llama = PlayedLlama(httpserver)
    given = llama.settings(rpc={"astar": (node_url,)}, protocols=())
    settings = load_settings({}, data_dir=tmp_path, **given | {"coingecko_url": "http://127.0.0.1:9"})
    noon = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    told = []
    with world_clock() as clock:
        for visit in range(VISITS):
            clock.put(noon + visit * SLOT + (off if visit == WRONG else timedelta(0)))
            node.head += 10
            llama.pools[0]["tvlUsd"] += 1.0
            done = collect_once(settings, ["defillama", "evm_rpc"], since=BEGIN, manners=QUICK)
            told.append({one.series: one for one in done.results})
    assert {one.error for results in told for one in results.values()} == {""}
    with open_store(settings) as store:
        snapshots = store.read("yields").filter(pl.col("known_at") == pl.col("ts"))
        times = snapshots["ts"].dt.truncate("15m").unique().sort().to_list()
        right = [noon + visit * SLOT for visit in range(VISITS) if visit != WRONG]
        assert times == sorted([*right, noon + WRONG * SLOT + off])
        blocks = store.read("blocks")
        assert blocks["number"].sort().to_list() == list(range(node.head + 1))
        assert blocks.filter(pl.col("status") == "final")["number"].max() == node.head - 64
        positions = store.read("cursors", where={"series": ["evm_rpc:astar:blocks"]})
        assert positions["number"].to_list() == [node.head - 64]
