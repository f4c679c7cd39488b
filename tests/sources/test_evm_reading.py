"""Blocks of nodes that lack some, mix forks, or have no receipts by block, collected through the engine."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # so that the scripted nodes can be imported

from anvil_nodes import collected
from scripted_nodes import GENESIS_S, GWEI, Refusal, ScriptedNode, SmallChain

from defimon.store.database import Store

SINCE = datetime.fromtimestamp(GENESIS_S, UTC)


@pytest.fixture
def store(tmp_path):
    with Store(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        opened.migrate()
        yield opened


@pytest.fixture
def node(httpserver):
    return ScriptedNode(httpserver, SmallChain(90))


def lacking(*heights):
    """Those blocks are null, as a node says that has not got them."""
    return ("eth_getBlockByNumber", lambda params, found: None if _height(params) in heights else found)


def _height(params):
    return int(params[0], 16) if params[0].startswith("0x") else -1


def numbers(store):
    return store.read("blocks")["number"].to_list()


def gaps(store):
    return store.read("gaps").select("start", "end", "status").rows()


@pytest.mark.parametrize("missing", [[0], [7], [40], [90], [7, 8, 9], [3, 50], [32, 63], list(range(20, 40))])
def test_exactly_the_final_blocks_that_no_node_has_are_a_gap_and_come_later(store, node, missing):
    node.bends = [lacking(*missing)]
    result = collected(store, node.url, since=SINCE)
    assert result.error == ""
    assert numbers(store) == [number for number in range(91) if number not in missing]
    assert [number for start, end, _ in gaps(store) for number in range(start, end)] == missing
    assert result.cursor.number == 90
    node.bends = []
    later = collected(store, node.url)
    assert (later.error, later.gaps_open) == ("", 0)
    assert numbers(store) == list(range(91))
    assert {status for *_, status in gaps(store)} == {"filled"}


def test_a_node_that_has_no_old_blocks_is_not_asked_for_each_few_of_them(store, node):
    """It tells the names of all blocks, and gives only the newest ones whole."""

    def whole_ones_are_new(params, found):
        return None if params[1] and 0 <= _height(params) < 120 else found

    node.chain.head = node.chain.final = 140
    node.bends = [("eth_getBlockByNumber", whole_ones_are_new)]
    result = collected(store, node.url, since=SINCE)
    assert (result.error, numbers(store)) == ("", list(range(120, 141)))
    assert {number for start, end, _ in gaps(store) for number in range(start, end)} == set(range(120))
    sizes = [len(one) for one in node.asked if set(one) == {"eth_getBlockByNumber"} and len(one) > 1]
    first, *others = dict.fromkeys(sizes)  # the first ones look for the beginning
    assert (first, others[:2]) == (16, [8, 32])


def test_blocks_that_are_not_final_and_not_there_yet_are_no_gap(store, node):
    node.chain.final, node.bends = 50, [lacking(60)]
    result = collected(store, node.url, since=SINCE)
    assert (result.error, gaps(store), result.cursor.number) == ("", [], 50)
    assert any("not there yet" in text for text in result.warnings)
    node.bends = []
    collected(store, node.url)
    assert numbers(store) == list(range(91))


def test_a_batch_of_two_forks_is_asked_of_another_node(store, node, httpserver):
    bent, fork = ScriptedNode(httpserver, SmallChain(90)), SmallChain(90)
    fork.forks = {0: "b"}

    def of_two_forks(params, found):
        return fork.block(_height(params), whole=params[1]) if 40 <= _height(params) < 46 else found

    bent.bends = [("eth_getBlockByNumber", of_two_forks)]
    result = collected(store, bent.url, node.url, since=SINCE)
    assert (result.error, result.gaps_open) == ("", 0)
    hashes = store.read("blocks")["hash"].to_list()
    assert hashes == [node.chain.hash_at(number) for number in range(91)]


@pytest.mark.parametrize("by_block", [True, False])
def test_fees_of_blocks_with_different_prices_are_exact(store, node, by_block):
    def refusing(_params, _found):
        raise Refusal(-32601, "the method eth_getBlockReceipts does not exist")

    node.bends = [] if by_block else [("eth_getBlockReceipts", refusing)]
    collected(store, node.url, since=SINCE)
    assert store.read("blocks")["fees"].to_list() == [21_000 * (2 + 3) * GWEI / 10**18] * 91
    by_one = [asked for asked in node.asked if "eth_getTransactionReceipt" in asked]
    assert bool(by_one) != by_block


def test_receipts_of_another_fork_are_asked_for_again_with_their_blocks(store, node):
    left = [1, 1]

    def of_another_fork(_params, found):
        if not left:
            return found
        left.pop()
        return [one | {"blockHash": "0x" + "00" * 32} for one in found]

    node.bends = [("eth_getBlockReceipts", of_another_fork)]
    result = collected(store, node.url, since=SINCE)
    assert (result.error, result.gaps_open, left) == ("", 0, [])
    assert store.read("blocks")["fees"].null_count() == 0


def test_fees_for_blobs_and_of_rollups_are_counted(store, node):
    more = {"blobGasUsed": hex(131_072), "blobGasPrice": hex(GWEI), "l1Fee": hex(10**12)}
    node.bends = [("eth_getBlockReceipts", lambda _params, found: [one | more for one in found])]
    collected(store, node.url, since=SINCE)
    each = 21_000 * (2 + 3) * GWEI + 2 * (131_072 * GWEI + 10**12)
    assert store.read("blocks")["fees"].to_list() == [each / 10**18] * 91


BROKEN = {
    "hashes for transactions": lambda block: (
        block | {"transactions": [one["hash"] for one in block["transactions"]]}
    ),
    "no transactions": lambda block: {name: value for name, value in block.items() if name != "transactions"},
    "gas that is no number": lambda block: block | {"gasUsed": "much"},
    "nothing for a hash": lambda block: block | {"hash": None},
    "another height": lambda block: block | {"number": "0x1"},
    "a number": lambda _: 7,
}


@pytest.mark.parametrize("bend", BROKEN.values(), ids=BROKEN)
def test_a_block_of_another_shape_is_a_gap_and_its_neighbours_are_stored(store, node, bend):
    node.bends = [
        ("eth_getBlockByNumber", lambda params, found: bend(found) if _height(params) == 30 else found)
    ]
    result = collected(store, node.url, since=SINCE)
    assert (result.error, gaps(store)) == ("", [(30, 31, "open")])
    assert numbers(store) == [number for number in range(91) if number != 30]
