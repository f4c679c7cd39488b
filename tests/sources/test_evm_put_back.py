"""Forks around gaps: old blocks inside one, another fork beside one, a position that is put back."""

import sys
from pathlib import Path

import polars as pl
import pytest

sys.path.append(str(Path(__file__).parent))  # so that the nodes can be imported

from anvil_nodes import GENESIS, collected
from scripted_nodes import FOLLOWED, HEAD, ScriptedNode, SmallChain, standing, told

from defimon.flows import _known_blocks
from defimon.flows._cursors import stored_cursor
from defimon.sources import _evm_deeper, _evm_stand
from defimon.sources._evm_words import Header
from defimon.sources._series import NO_BLOCKS, Wanted


@pytest.fixture
def small(httpserver, store, monkeypatch):
    """A node of a short chain, of which little is handed over at once."""
    monkeypatch.setattr(_evm_deeper, "STRETCH", 8)
    monkeypatch.setattr(_known_blocks, "DEPTH", 4)
    return ScriptedNode(httpserver, SmallChain(40, transactions=0))


def bend(node, of):
    """For a while the node tells of blocks as `of` says, a function of height, whether whole, and block."""

    def bent(params, answer):
        name, whole = params
        return of(int(name, 16), whole, answer) if name.startswith("0x") else answer

    node.bends = [("eth_getBlockByNumber", bent)]


def left_with_an_old_block(node, store, gap):
    """A fork from block 30 on is read but for a gap, in which the blocks from before it stay."""
    node.chain.forks[30] = "anew"
    bend(node, lambda number, whole, answer: None if whole and number in gap else answer)
    assert collected(store, node.url).gaps_open > 0
    node.bends = []
    before, after = SmallChain(HEAD), node.chain
    expected = [(one, (before if one in gap else after).hash_at(one)) for one in range(HEAD + 1)]
    assert standing(store) == expected


@pytest.mark.parametrize("gap", [range(250, 251), range(200, 250)])
def test_an_old_block_in_a_gap_does_not_hide_that_the_blocks_below_it_were_replaced(followed, store, gap):
    """The chain went back to what it was: the block above those that are to be read again is as it was."""
    left_with_an_old_block(followed, store, gap)
    del followed.chain.forks[30]
    followed.chain.head = followed.chain.final = HEAD + 20
    result = collected(store, followed.url)
    assert (result.error, result.gaps_open) == ("", 0)
    assert standing(store) == told(followed.chain)


def test_a_gap_beside_a_block_of_another_fork_far_below_puts_the_position_back(
    httpserver, store, monkeypatch
):
    """Nodes of two forks told what lies between two gaps, and beside them."""
    monkeypatch.setattr(_evm_deeper, "STRETCH", 50)
    node = ScriptedNode(httpserver, SmallChain(HEAD, transactions=0))
    chain = node.chain

    def mixed(number, _whole, _answer):
        chain.forks = {0: "a"} | ({} if 50 <= number <= 61 else {30: "anew"})
        return None if number in {50, 61} else chain.block(number)

    bend(node, mixed)
    assert collected(store, node.url, since=GENESIS).gaps_open == 2
    node.bends, chain.forks = [], {0: "a"}
    chain.head = chain.final = HEAD + 20
    result = collected(store, node.url)
    assert any("block 49 beside a gap is another one now" in one for one in result.warnings)
    assert (result.cursor.number, stored_cursor(store, FOLLOWED).number) == (29, 29)
    result = collected(store, node.url)
    assert (result.error, result.gaps_open, result.cursor.number) == ("", 0, HEAD + 20)
    assert standing(store) == told(chain)


def test_a_gap_of_many_parts_is_filled_over_blocks_of_another_fork(followed, store):
    left_with_an_old_block(followed, store, range(60, 140))
    result = collected(store, followed.url)
    assert (result.error, result.warnings, result.gaps_open) == ("", (), 0)
    assert standing(store) == told(followed.chain)


def test_a_gap_below_all_that_is_stored_is_not_taken_as_filled_when_the_position_is_put_back(small, store):
    chain = small.chain

    def mixed(number, _whole, _answer):
        chain.forks = {0: "b" if number <= 15 else "a"}
        return None if number in {0, 15} else chain.block(number)

    bend(small, mixed)
    assert collected(store, small.url, since=GENESIS).gaps_open == 2
    small.bends, chain.forks = [], {0: "a"}
    for head in (41, 42):
        chain.head = chain.final = head
        result = collected(store, small.url)
    assert (result.error, result.gaps_open) == ("", 0)
    assert standing(store) == told(chain)


def test_a_chain_that_changes_while_the_root_of_a_fork_is_looked_for_is_repaired_whole(small, store):
    chain = small.chain
    chain.forks[27] = "c"
    collected(store, small.url, since=GENESIS)

    def flip(number, _whole, answer):
        if number == 20:
            chain.forks[19] = "b"
        return answer

    chain.forks = {0: "a"}
    bend(small, flip)
    collected(store, small.url)
    assert 19 in chain.forks
    chain.head = chain.final = 46
    result = collected(store, small.url)
    assert (result.error, result.gaps_open) == ("", 0)
    assert standing(store) == told(chain)


@pytest.mark.parametrize("gap", [35, 30])
def test_a_shorter_fork_is_followed_where_an_old_block_lies_in_a_gap_at_or_above_its_head(small, store, gap):
    collected(store, small.url, since=GENESIS)
    chain = small.chain
    chain.forks[20] = "b"
    bend(small, lambda number, whole, answer: None if whole and number == gap else answer)
    assert collected(store, small.url).gaps_open == 1
    small.bends, chain.forks = [], {0: "a", 25: "c"}
    chain.head = chain.final = 30
    assert collected(store, small.url).error == ""
    assert standing(store) == told(chain)
    orphaned = store.read("blocks").filter(pl.col("status") == "orphaned")["number"]
    assert orphaned.to_list() == list(range(31, 41))


def test_a_header_that_no_node_has_beside_a_gap_does_not_stop_the_series(small, store):
    bend(small, lambda number, _whole, answer: None if number == 38 else answer)
    assert collected(store, small.url, since=GENESIS).gaps_open == 1
    bend(small, lambda number, _whole, answer: None if number in {37, 38} else answer)
    small.chain.head = small.chain.final = 45
    result = collected(store, small.url)
    assert (result.error, result.cursor.number, result.gaps_open) == ("", 45, 1)


def test_what_was_read_last_is_remembered_however_much_is_known_above_it(monkeypatch):
    monkeypatch.setattr(_evm_stand, "REMEMBERED", 5)
    stand = _evm_stand.Stand(None, Wanted(), NO_BLOCKS)
    stand.hashes = dict.fromkeys(range(100, 150), "known")
    read = [Header(number, "read", "", 0) for number in range(80, 90)]
    stand.remember(read)
    assert [number for number, one in stand.hashes.items() if one == "read"] == list(range(84, 90))
