"""Reorganisations of a real node, followed through the engine to the content of a fresh collection."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import polars as pl
import pytest

sys.path.append(str(Path(__file__).parent))  # so that the node can be imported

from anvil_nodes import GENESIS, address, anvil, collected, mine_busy
from scripted_nodes import GENESIS_S, ScriptedNode, SmallChain

from defimon.flows.known_content import known_content
from defimon.store.database import Store

DEPTHS = [1, 2, 5, 17, 63, 64]
"""anvil calls the block 64 below its head final: so deep it may go without replacing a final one."""


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    with anvil(tmp_path_factory.mktemp("anvil")) as running:
        mine_busy(running, 30, seed=7)
        running.rpc("anvil_mine", hex(70), hex(12))
        yield running


@pytest.fixture
def store_at(tmp_path):
    opened = []

    def make(name):
        opened.append(Store(f"sqlite:///{tmp_path / name}.db"))
        opened[-1].migrate()
        return opened[-1]

    yield make
    for store in opened:
        store.close()


def head(chain):
    return int(chain.rpc("eth_blockNumber"), 16)


def content(store):
    return known_content(store, ["blocks"]), store.read("cursors").select("number", "detail").rows()


def fresh(store_at, chain):
    store = store_at("fresh")
    assert collected(store, address(chain), since=GENESIS).error == ""
    return content(store)


def statuses(store):
    return dict(store.read("blocks")["status"].value_counts().iter_rows())


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_reorganisation_ends_in_the_content_of_a_fresh_collection(chain, store_at, depth):
    store = store_at("followed")
    collected(store, address(chain), since=GENESIS)
    before = store.read("blocks")
    chain.rpc("anvil_reorg", depth, [])
    chain.rpc("anvil_mine", hex(Random(depth).randrange(3)), hex(12))
    result = collected(store, address(chain))
    assert (result.error, result.gaps_open) == ("", 0)
    assert content(store) == fresh(store_at, chain)
    after = store.read("blocks").head(before.height)
    replaced = before.filter(before["hash"] != after["hash"])["number"].to_list()
    assert replaced == list(range(before["number"][-1] - depth + 1, before["number"][-1] + 1))
    assert result.corrected >= depth


def test_what_is_final_never_changed(chain, store_at):
    store = store_at("followed")
    collected(store, address(chain), since=GENESIS)
    for depth in (1, 30, 64):
        before = store.read("blocks").filter(pl.col("status") == "final")
        chain.rpc("anvil_reorg", depth, [])
        chain.rpc("anvil_mine", hex(3), hex(12))
        collected(store, address(chain))
        after = store.read("blocks").head(before.height)
        assert after.equals(before)
        assert set(after["status"]) == {"final"}
        assert statuses(store)["pending"] == 64


@pytest.mark.parametrize(("above", "longer"), [(3, 0), (3, 5), (60, 0), (60, 61), (90, 0), (90, 91)])
def test_a_chain_that_went_back_and_took_another_way_is_followed_even_below_what_was_final(
    chain, store_at, above, longer
):
    snapshot, store = chain.rpc("evm_snapshot"), store_at("followed")
    base = head(chain)
    chain.rpc("anvil_mine", hex(above), hex(12))
    collected(store, address(chain), since=GENESIS)
    assert chain.rpc("evm_revert", snapshot)
    chain.rpc("anvil_setCoinbase", f"0x{above:020x}{longer:020x}")
    chain.rpc("anvil_mine", hex(2), hex(12))
    result = collected(store, address(chain))
    assert result.error == ""
    assert statuses(store).get("orphaned", 0) == above - 2
    if longer:
        chain.rpc("anvil_mine", hex(longer), hex(12))
        assert collected(store, address(chain)).error == ""
        assert "orphaned" not in statuses(store)
        assert content(store) == fresh(store_at, chain)
    standing = store.read("blocks").filter(pl.col("status") != "orphaned")
    assert standing["number"].to_list() == list(range(head(chain) + 1))
    assert standing["parent_hash"][1:].equals(standing["hash"][:-1], check_names=False)
    assert head(chain) == base + 2 + longer


def test_a_node_that_is_behind_changes_nothing(chain, store_at):
    snapshot, store = chain.rpc("evm_snapshot"), store_at("followed")
    chain.rpc("anvil_mine", hex(5), hex(12))
    collected(store, address(chain), since=GENESIS)
    before = content(store)
    chain.rpc("evm_revert", snapshot)
    result = collected(store, address(chain))
    assert (result.error, result.inserted, result.corrected) == ("", 0, 0)
    assert content(store) == before


def test_a_chain_that_was_started_anew_is_read_anew_from_its_first_block(store_at, tmp_path, monkeypatch):
    store = store_at("followed")
    with anvil(tmp_path) as first:
        mine_busy(first, 9, seed=7)
        collected(store, address(first), since=GENESIS)
    monkeypatch.setattr("laboratory.chain.FIRST_BLOCK", 1_650_000_000)
    with anvil(tmp_path) as anew:
        mine_busy(anew, 5, seed=8)
        result = collected(store, address(anew))
        assert result.error == ""
        assert "from block 0 on" in "".join(result.warnings)
        standing = store.read("blocks").filter(pl.col("status") != "orphaned").sort("number")
        told = [anew.rpc("eth_getBlockByNumber", hex(number), False)["hash"] for number in range(6)]
        assert standing["hash"].to_list() == told
        again = collected(store, address(anew))
        assert (again.inserted, again.corrected, again.warnings) == (0, 0, ())


def test_nodes_behind_what_was_final_are_told(chain, store_at):
    snapshot, store = chain.rpc("evm_snapshot"), store_at("followed")
    chain.rpc("anvil_mine", hex(80), hex(12))
    collected(store, address(chain))
    chain.rpc("evm_revert", snapshot)
    result = collected(store, address(chain))
    assert (result.error, result.inserted, result.corrected) == ("", 0, 0)
    assert any("behind block" in warning for warning in result.warnings)


def unnamed(numbers):
    """A bend of a node that has these blocks whole, and does not tell their names alone."""

    def lacking(params, answer):
        asked, whole = params
        return None if not whole and asked.startswith("0x") and int(asked, 16) in numbers else answer

    return "eth_getBlockByNumber", lacking


def test_a_series_whose_first_blocks_cannot_be_named_holds_none_from_before_its_beginning(
    httpserver, store_at
):
    """Where headers are missing the search for the first block begins too early."""
    small = SmallChain(90, transactions=1)
    node, store = ScriptedNode(httpserver, small), store_at("new")
    since = datetime.fromtimestamp(GENESIS_S + 12 * 40, UTC)
    node.bends = [unnamed(range(31, 91))]
    assert collected(store, node.url, since=since).error == ""
    assert node.asked.count(["eth_getBlockByNumber"]) > 1
    assert store.read("blocks")["number"].sort().to_list() == list(range(40, 91))


def test_a_series_begun_too_early_at_a_node_that_is_behind_has_no_position_from_before_its_beginning(
    httpserver, store_at
):
    """A position there would let the next visit keep the blocks between it and the beginning."""
    small = SmallChain(35, transactions=1)
    node, store = ScriptedNode(httpserver, small), store_at("new")
    since = datetime.fromtimestamp(GENESIS_S + 12 * 40, UTC)
    node.bends = [unnamed(range(21, 35))]
    assert collected(store, node.url, since=since).error == ""
    assert (store.read("blocks").height, store.read("cursors").height) == (0, 0)
    node.bends, small.head, small.final = [], 90, 90
    assert collected(store, node.url, since=since).error == ""
    assert store.read("blocks")["number"].sort().to_list() == list(range(40, 91))


def test_a_series_begun_where_nothing_is_final_goes_on_from_its_first_block_when_no_beginning_is_named(
    httpserver, store_at
):
    small = SmallChain(60, transactions=1)
    small.final = 10
    node, store = ScriptedNode(httpserver, small), store_at("new")
    since = datetime.fromtimestamp(GENESIS_S + 12 * 40, UTC)
    assert collected(store, node.url, since=since).error == ""
    assert (statuses(store), store.read("cursors").height) == ({"pending": 21}, 0)
    small.head, small.final, small.forks = 90, 80, {0: "a", 50: "b"}
    assert collected(store, node.url).error == ""
    blocks = store.read("blocks")
    assert blocks["number"].to_list() == list(range(40, 91))
    assert blocks["hash"].to_list() == [small.hash_at(number) for number in range(40, 91)]
    assert statuses(store) == {"final": 41, "pending": 10}


def test_the_first_block_of_a_series_is_found_in_few_questions(store, httpserver):
    node = ScriptedNode(httpserver, SmallChain(5_000, transactions=0))
    since = datetime.fromtimestamp(GENESIS_S + 12 * 4_321, UTC)
    collected(store, node.url, since=since)
    assert store.read("blocks")["number"].min() == 4_321
    searched = [asked for asked in node.asked if set(asked) == {"eth_getBlockByNumber"} and len(asked) <= 16]
    assert len(searched) <= 6
