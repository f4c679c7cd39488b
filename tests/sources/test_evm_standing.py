"""Blocks that are stored and still stand are not read again: nodes are asked for what is new."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # so that the node can be imported

from anvil_nodes import QUICK, address, anvil, mine_busy

from defimon.core.settings import load_settings
from defimon.flows._store_thread import StoreThread
from defimon.flows.collection import collect_all
from defimon.sources._http import Http
from defimon.sources.evm_rpc import EvmRpc
from defimon.store.database import Store

GENESIS = datetime(2020, 1, 1, tzinfo=UTC)
AROUND = 12
"""Calls of a visit that are not for new blocks: heads, what is final, and a few blocks that may have gone."""


@pytest.fixture
def chain(tmp_path):
    with anvil(tmp_path) as running:
        mine_busy(running, 30, seed=11)
        running.rpc("anvil_mine", hex(70), hex(12))
        yield running


def visited(chain, store):
    """What became of the series, and how many calls that took."""

    async def main():
        async with Http(QUICK) as http, StoreThread(store) as thread:
            source = EvmRpc.opened(http, load_settings({}, rpc={"local": address(chain)}))
            (result,) = await collect_all(thread, [(source, source.series()[0])], since=GENESIS)
            return result, source.chain("local").rpc.talk.members

    return asyncio.run(main())


def test_pending_blocks_are_settled_without_being_read_again(chain, tmp_path):
    with Store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        store.migrate()
        visited(chain, store)
        chain.rpc("anvil_mine", hex(5), hex(12))
        result, calls = visited(chain, store)
        assert (result.error, result.inserted, result.corrected) == ("", 5, 5)
        assert calls <= AROUND + 5
        rows = store.read("blocks")
        assert rows["status"].to_list() == ["final"] * (rows.height - 64) + ["pending"] * 64
        result, calls = visited(chain, store)
        assert (result.inserted, result.corrected, calls <= AROUND) == (0, 0, True)


def test_above_a_fork_everything_is_read_anew_and_below_it_little(chain, tmp_path):
    with Store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        store.migrate()
        visited(chain, store)
        before = store.read("blocks")["hash"]
        chain.rpc("anvil_reorg", 3, [])
        chain.rpc("anvil_mine", hex(1), hex(12))
        result, calls = visited(chain, store)
        assert (result.error, result.inserted) == ("", 1)
        assert calls <= AROUND + 2 * 3
        after = store.read("blocks")["hash"]
        assert (after[: len(before)] != before).sum() == 3
