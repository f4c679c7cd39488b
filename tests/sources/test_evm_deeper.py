"""Chains that were started anew, or forked below the blocks at hand: the whole record is repaired."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

sys.path.append(str(Path(__file__).parent))  # so that the nodes can be imported

from anvil_nodes import GENESIS, collected
from scripted_nodes import FOLLOWED, HEAD, ScriptedNode, SmallChain, standing, told, word

from defimon.flows._cursors import stored_cursor
from defimon.flows.known_content import known_content
from defimon.store.database import Store


@pytest.mark.parametrize("head", [1, 60, HEAD - 130, HEAD - 60, HEAD + 30])
@pytest.mark.parametrize("fork", [0, 50, 123])
def test_a_chain_that_is_another_one_from_some_block_on_is_repaired_whole(followed, store, fork, head):
    before = store.read("blocks")
    chain = followed.chain
    chain.forks[fork] = "anew"
    chain.head = chain.final = head
    result = collected(store, followed.url)
    assert result.error == ""
    if head < fork:
        assert any("behind block" in one for one in result.warnings)
        assert store.read("blocks").equals(before)
        return
    assert standing(store) == told(chain)
    assert stored_cursor(store, FOLLOWED).number == head
    assert result.gaps_open == 0
    orphaned = store.read("blocks").filter(pl.col("status") == "orphaned")
    assert orphaned["number"].to_list() == list(range(head + 1, HEAD + 1))
    known = before.filter(pl.col("number") > head)["addresses"]
    assert orphaned["addresses"].equals(known)
    again = collected(store, followed.url)
    assert (again.inserted, again.corrected, again.warnings) == (0, 0, ())


def test_the_ancestor_is_found_among_what_was_final_and_told(followed, store):
    followed.chain.forks[123] = "anew"
    result = collected(store, followed.url)
    assert any("begins at block 123" in one for one in result.warnings)
    assert result.corrected == HEAD - 122


def test_a_repaired_record_is_that_of_a_fresh_collection(followed, store, tmp_path):
    followed.chain.forks[0] = "anew"
    collected(store, followed.url)
    with Store(f"sqlite:///{tmp_path / 'fresh.db'}") as fresh:
        fresh.migrate()
        collected(fresh, followed.url, since=GENESIS)
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
