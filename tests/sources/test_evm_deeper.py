"""Chains that were started anew, or forked below the blocks at hand: the whole record is repaired."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

sys.path.append(str(Path(__file__).parent))  # so that the nodes can be imported

from anvil_nodes import collected
from scripted_nodes import ScriptedNode, SmallChain, word

from defimon.flows._cursors import stored_cursor
from defimon.flows.known_content import known_content
from defimon.sources import _evm_deeper
from defimon.sources._series import Series
from defimon.store.database import Store

GENESIS = datetime(2020, 1, 1, tzinfo=UTC)
HEAD = 300
BLOCKS = Series("evm_rpc:local:blocks", "evm_rpc", GENESIS - GENESIS, "local")


@pytest.fixture
def node(httpserver, store, monkeypatch):
    monkeypatch.setattr(_evm_deeper, "STRETCH", 50)
    one = ScriptedNode(httpserver, SmallChain(HEAD, transactions=1))
    assert collected(store, one.url, since=GENESIS).inserted == HEAD + 1
    return one


def standing(store):
    rows = store.read("blocks").filter(pl.col("status") != "orphaned").sort("number")
    return rows.select("number", "hash").rows()


def told(chain, start=0):
    return [(number, chain.hash_at(number)) for number in range(start, chain.head + 1)]


@pytest.mark.parametrize("head", [1, 60, HEAD - 130, HEAD - 60, HEAD + 30])
@pytest.mark.parametrize("fork", [0, 50, 123])
def test_a_chain_that_is_another_one_from_some_block_on_is_repaired_whole(node, store, fork, head):
    before = store.read("blocks")
    chain = node.chain
    chain.forks[fork] = "anew"
    chain.head = chain.final = head
    result = collected(store, node.url)
    assert result.error == ""
    if head < fork:
        assert any("behind block" in one for one in result.warnings)
        assert store.read("blocks").equals(before)
        return
    assert standing(store) == told(chain)
    assert stored_cursor(store, BLOCKS).number == head
    assert result.gaps_open == 0
    orphaned = store.read("blocks").filter(pl.col("status") == "orphaned")
    assert orphaned["number"].to_list() == list(range(head + 1, HEAD + 1))
    known = before.filter(pl.col("number") > head)["addresses"]
    assert orphaned["addresses"].equals(known)
    again = collected(store, node.url)
    assert (again.inserted, again.corrected, again.warnings) == (0, 0, ())


def test_the_ancestor_is_found_among_what_was_final_and_told(node, store):
    node.chain.forks[123] = "anew"
    result = collected(store, node.url)
    assert any("begins at block 123" in one for one in result.warnings)
    assert result.corrected == HEAD - 122


def test_a_repaired_record_is_that_of_a_fresh_collection(node, store, tmp_path):
    node.chain.forks[0] = "anew"
    collected(store, node.url)
    with Store(f"sqlite:///{tmp_path / 'fresh.db'}") as fresh:
        fresh.migrate()
        collected(fresh, node.url, since=GENESIS)
        assert known_content(store, ["blocks"]) == known_content(fresh, ["blocks"])


def test_a_series_that_began_above_block_0_is_read_anew_from_where_it_began(store, httpserver):
    node = ScriptedNode(httpserver, SmallChain(HEAD, transactions=1))
    collected(store, node.url, since=datetime.fromtimestamp(1_700_000_000 + 12 * 100, UTC))
    node.chain.forks[0] = "anew"
    result = collected(store, node.url)
    assert any("below block 100" in one for one in result.warnings)
    assert standing(store) == told(node.chain, 99)


@pytest.mark.parametrize("gap", [range(40, 60), range(40, 50)])
def test_a_fork_whose_root_lies_below_a_gap_is_followed_and_the_gap_filled(httpserver, store, gap):
    """Also where blocks above the gap were read after the fork: they tell nothing of those below it."""
    node = ScriptedNode(httpserver, SmallChain(59, transactions=1))
    chain = node.chain

    def torn(params, answer):
        number = int(params[0], 16) if params[0].startswith("0x") else 0
        if number in gap:
            return None
        chain.forks = {0: "a"} | ({30: "anew"} if number >= gap.stop else {})
        return chain.block(number) if number else answer

    node.bends = [("eth_getBlockByNumber", torn)]
    assert collected(store, node.url, since=GENESIS).gaps_open > 0
    node.bends, chain.forks = [], {0: "a", 30: "anew"}
    assert standing(store)[:40] == [(number, word((number, "a"))) for number in range(40)]
    chain.head = chain.final = 80
    result = collected(store, node.url)
    assert (result.error, result.gaps_open) == ("", 0)
    assert standing(store) == told(chain)


def left_with_an_old_block(node, store, gap):
    """A fork from block 30 on is read but for a gap, in which the blocks from before it stay."""

    def bodies_missing(params, answer):
        number, whole = params
        return None if whole and number in map(hex, gap) else answer

    node.chain.forks[30] = "anew"
    node.bends = [("eth_getBlockByNumber", bodies_missing)]
    assert collected(store, node.url).gaps_open > 0
    node.bends = []
    before, after = SmallChain(HEAD), node.chain
    expected = [(one, (before if one in gap else after).hash_at(one)) for one in range(HEAD + 1)]
    assert standing(store) == expected


@pytest.mark.parametrize("gap", [range(250, 251), range(200, 250)])
def test_an_old_block_in_a_gap_does_not_hide_that_the_blocks_below_it_were_replaced(node, store, gap):
    """The chain went back to what it was: the block above those that are to be read again is as it was."""
    left_with_an_old_block(node, store, gap)
    del node.chain.forks[30]
    node.chain.head = node.chain.final = HEAD + 20
    result = collected(store, node.url)
    assert (result.error, result.gaps_open) == ("", 0)
    assert standing(store) == told(node.chain)


def test_a_gap_beside_a_block_of_another_fork_far_below_puts_the_position_back(
    httpserver, store, monkeypatch
):
    """Nodes of two forks told what lies between two gaps, and beside them."""
    monkeypatch.setattr(_evm_deeper, "STRETCH", 50)
    node = ScriptedNode(httpserver, SmallChain(HEAD, transactions=0))
    chain = node.chain

    def mixed(params, answer):
        number = int(params[0], 16) if params[0].startswith("0x") else 0
        chain.forks = {0: "a"} | ({} if 50 <= number <= 61 else {30: "anew"})
        return None if number in {50, 61} else chain.block(number) if number else answer

    node.bends = [("eth_getBlockByNumber", mixed)]
    assert collected(store, node.url, since=GENESIS).gaps_open == 2
    node.bends, chain.forks = [], {0: "a"}
    chain.head = chain.final = HEAD + 20
    result = collected(store, node.url)
    assert any("block 49 beside a gap is another one now" in one for one in result.warnings)
    assert (result.cursor.number, stored_cursor(store, BLOCKS).number) == (29, 29)
    result = collected(store, node.url)
    assert (result.error, result.gaps_open, result.cursor.number) == ("", 0, HEAD + 20)
    assert standing(store) == told(chain)


def test_a_gap_of_many_parts_is_filled_over_blocks_of_another_fork(node, store):
    left_with_an_old_block(node, store, range(60, 140))
    result = collected(store, node.url)
    assert (result.error, result.warnings, result.gaps_open) == ("", (), 0)
    assert standing(store) == told(node.chain)
