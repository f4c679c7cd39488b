"""Substrate nodes as a source, against a loopback node with hand-made blocks of true hashes."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from defimon.core.errors import BadData, FixSettings, TryAgain
from defimon.core.settings import Settings
from defimon.sources._http import Http
from defimon.sources._manners import Manners
from defimon.sources._scale import ScaleReader, compact
from defimon.sources._series import Cursor, Wanted
from defimon.sources._substrate_runtime import Runtime
from defimon.sources._substrate_words import account_key
from defimon.sources.substrate_rpc import SubstrateRpc

sys.path.append(str(Path(__file__).parent))  # so that the played node can be imported

from played_substrate import (
    ANN,
    BLOCK_TIME,
    BOB,
    START,
    SUCCESS,
    Block,
    PlayedNode,
    event,
    metadata,
    sample,
    u128,
)

QUICK = Manners(first_wait_s=0.01, longest_wait_s=0.05, gap_s=0.0, connect_s=30.0, attempts=2)


@pytest.fixture
def node(httpserver):
    played = PlayedNode(sample())
    httpserver.expect_request("/node").respond_with_handler(played)
    played.url = httpserver.url_for("/node")
    return played


@pytest.fixture
def other(httpserver):
    played = PlayedNode(sample())
    httpserver.expect_request("/other").respond_with_handler(played)
    played.url = httpserver.url_for("/other")
    return played


def asked(ask, *nodes):
    """What `ask` gives for the source over these nodes of Acala, whose coin has 12 decimals."""

    async def run():
        async with Http(QUICK) as http:
            settings = Settings(substrate={"acala": tuple(one.url for one in nodes)})
            return await ask(SubstrateRpc.opened(http, settings))

    return asyncio.run(run())


def batches(*nodes, wanted=None):
    async def ask(source):
        (series,) = source.series()
        assert (series.name, series.chain) == ("substrate_rpc:acala:blocks", "acala")
        return [batch async for batch in source.batches(series, wanted or Wanted(since=START))]

    return asked(ask, *nodes)


def blocks(*nodes, wanted=None):
    found = batches(*nodes, wanted=wanted)
    return pl.concat([batch.rows["blocks"] for batch in found if batch.rows])


def at(node, number):
    return Cursor(number, START + number * BLOCK_TIME, node.heights[number])


def test_final_blocks_are_counted(node):
    frame = blocks(node)
    assert frame["number"].to_list() == list(range(1, 10))
    assert frame["status"].unique().to_list() == ["final"]
    row = frame.row(4, named=True)
    assert row["ts"] == START + 5 * BLOCK_TIME
    assert (row["hash"], row["parent_hash"]) == (node.heights[5], node.heights[4])
    assert (row["transactions"], row["events"]) == (4, 5)
    assert row["fees"] == pytest.approx(2 * 5e8 / 1e12)
    assert row["value"] == pytest.approx((5e10 + 6e10) / 1e12)
    assert (row["gas_used"], row["gas_limit"]) == (73_000, 500_000)
    assert row["addresses"] == ANN[:8] + BOB[:8]
    assert row["base_fee"] is row["tip_p50"] is None
    third = frame.row(2, named=True)
    assert (third["creations"], third["calls"], third["fees"], third["addresses"]) == (1, 2, 0.0, b"")


def test_without_a_position_it_begins_at_the_last_final_block(node):
    assert blocks(node, wanted=Wanted())["number"].to_list() == [9]


@pytest.mark.parametrize(("offset", "first"), [(0, 1), (3, 3), (3.5, 4), (9, 9)])
def test_it_begins_at_the_first_block_from_since_on(node, offset, first):
    assert blocks(node, wanted=Wanted(since=START + offset * BLOCK_TIME))["number"][0] == first


def test_it_goes_on_after_the_cursor(node):
    (batch,) = batches(node, wanted=Wanted(cursor=at(node, 6)))
    assert batch.rows["blocks"]["number"].to_list() == [7, 8, 9]
    assert batch.cursor == at(node, 9)
    assert (batch.done, batch.total) == (3, 3)
    assert batches(node, wanted=Wanted(cursor=at(node, 9))) == []


def test_what_is_not_final_is_not_read(node):
    node.final = node.heights[4]
    assert blocks(node)["number"].to_list() == [1, 2, 3, 4]


def test_a_node_whose_finality_lags_behind_what_is_stored_gives_nothing(node):
    node.final = node.heights[4]
    assert batches(node, wanted=Wanted(cursor=at(node, 6))) == []


def test_long_stretches_come_in_parts_whose_positions_rise(node):
    node.put(sample(150))
    found = batches(node)
    assert [batch.cursor.number for batch in found] == [64, 128, 150]
    assert [batch.done for batch in found] == [64, 128, 150]
    assert pl.concat([batch.rows["blocks"] for batch in found])["number"].to_list() == list(range(1, 151))


def test_another_chain_ends_the_run_and_stores_nothing(node):
    stranger = PlayedNode(sample())
    cursor = at(stranger, 6)
    node.put(_relinked(node, mark=1))
    with pytest.raises(TryAgain, match="another chain"):
        batches(node, wanted=Wanted(cursor=cursor))


def _relinked(node, mark):
    """The same heights on another chain."""
    found = []
    for one in sorted(node.blocks.values(), key=lambda block: block.number):
        parent = found[-1].hash if found else one.parent_hash
        found.append(replace(one, parent_hash=parent, mark=mark))
    return found


def test_a_node_of_another_chain_is_passed_over(node, other):
    cursor = at(node, 6)
    node.put(_relinked(node, mark=1))
    frame = blocks(node, other, wanted=Wanted(cursor=cursor))
    assert frame["hash"].to_list() == [other.heights[number] for number in (7, 8, 9)]


def test_a_header_that_does_not_have_its_hash_is_asked_of_another_node(node, other):
    lying = node.blocks[node.heights[5]]
    node.blocks[node.heights[5]] = replace(lying, mark=3)
    assert blocks(node, other)["hash"].to_list() == list(other.heights.values())[1:]


def test_a_block_that_no_node_has_is_a_gap_and_the_others_are_stored(node):
    node.missing = {4}
    found = batches(node)
    assert pl.concat([one.rows["blocks"] for one in found if one.rows])["number"].to_list() == [
        1, 2, 3, 5, 6, 7, 8, 9,
    ]  # fmt: skip
    gaps = [(gap.start, gap.end, gap.lost) for batch in found for gap in batch.gaps]
    assert gaps == [(4, 5, False)]
    assert [batch.cursor.number for batch in found] == sorted(batch.cursor.number for batch in found)


@pytest.mark.parametrize("seconds", [253_402_300_800, 2**53])
def test_a_block_of_no_time_that_can_be_is_a_gap_and_the_others_are_stored(node, seconds):
    late = (seconds * 1_000).to_bytes(8, "little")
    block = node.blocks[node.heights[4]]
    block.stored = lambda: Block.stored(block) | {"now": late}
    found = batches(node)
    (gap,) = (gap for batch in found for gap in batch.gaps)
    assert (gap.start, gap.end) == (4, 5)
    assert "expected milliseconds since 1970" in gap.reason


def test_a_gap_is_filled_between_the_stored_blocks_around_it(node):
    known = {"blocks": blocks(node).filter(~pl.col("number").is_in([4, 5]))}
    wanted = Wanted(cursor=Cursor(3, START), until=6, known=known)
    assert blocks(node, wanted=wanted)["number"].to_list() == [4, 5]
    forked = known["blocks"].with_columns(parent_hash=pl.lit(f"0x{9:064x}"))
    with pytest.raises(TryAgain, match="do not follow"):
        batches(node, wanted=replace(wanted, known={"blocks": forked}))


def test_a_pruned_node_leaves_its_stretch_to_an_archive_node(node, other):
    node.kept_from = 9
    assert blocks(node, other)["number"].to_list() == list(range(1, 10))


def test_where_no_node_has_the_state_the_stretch_is_one_gap(node):
    node.kept_from = 7
    found = batches(node, wanted=Wanted(cursor=at(node, 1)))
    gaps = [(gap.start, gap.end) for batch in found for gap in batch.gaps]
    assert gaps[0][0] == 2
    assert gaps[-1][1] == 8  # the state below block 7 is lost, and with it how its events are written
    assert "discarded" in found[0].gaps[0].reason
    assert pl.concat([one.rows["blocks"] for one in found if one.rows])["number"].to_list() == [8, 9]


def test_a_back_fill_past_what_nodes_keep_begins_where_they_begin_and_says_so(node):
    node.kept_from = 5
    found = batches(node)
    assert found[-1].cursor.number == 9
    assert "begins at block 5" in found[0].warnings[0]


def test_a_block_is_read_by_the_runtime_below_it(node):
    """Block 5 changes the runtime: its own events are still written as before."""
    changed = sample()
    for one in changed[5:]:
        one.version = 2
    node.put(changed)
    node.metadata[2] = metadata(named=False)
    assert blocks(node)["fees"].to_list() == pytest.approx(blocks_of_one_runtime(node))
    node.metadata[2] = metadata(fees=False)
    node.put([replace(one, events=[event(SUCCESS)] if one.number > 5 else one.events) for one in changed])
    fees = blocks(node)["fees"].to_list()
    assert fees[4] is not None
    assert fees[5:] == [None] * 4


def blocks_of_one_runtime(node):
    return [number % 3 * number * 1e8 / 1e12 for number in range(1, 10)]


def test_a_runtime_that_is_too_old_leaves_counts_and_says_what_is_missing(node):
    node.metadata[1] = metadata(version=13)
    (batch,) = batches(node)
    frame = batch.rows["blocks"]
    assert frame["events"].to_list()[4] == 5
    assert frame["fees"].null_count() == frame["value"].null_count() == 9
    assert "version 13" in batch.warnings[0]
    assert len(batch.warnings) == 1


def test_events_that_cannot_be_read_leave_their_block_to_its_counts(node):
    broken = sample()
    broken[9] = Block(9, broken[8].hash, [event(b"\x09\x00")], 3)
    node.put(broken)
    (batch,) = batches(node)
    last = batch.rows["blocks"].row(8, named=True)
    assert (last["events"], last["transactions"], last["fees"]) == (1, 3, None)
    assert "block 9" in batch.warnings[0]
    assert batch.rows["blocks"]["fees"].null_count() == 1


def test_a_node_without_batches_is_asked_one_by_one(node):
    node.batches = False
    assert blocks(node)["number"].to_list() == list(range(1, 10))


def test_answers_are_kept(node):
    kept = []

    async def run():
        async with Http(QUICK) as http:
            source = SubstrateRpc.opened(http, Settings(substrate={"acala": (node.url,)}), kept.append)
            (series,) = source.series()
            return [batch async for batch in source.batches(series, Wanted(since=START))]

    asyncio.run(run())
    assert any(b"justifications" in answer.body for answer in kept)


def test_accounts_supply_and_fees_are_read_when_asked(node):
    node.accounts[account_key(ANN)] = bytes(16) + u128(12_345) + bytes(48)

    async def ask(source):
        chain = source.chain("acala")
        top = (await chain.finalized()).hash
        return [
            await chain.free_balance(ANN, top),
            await chain.free_balance(BOB, top),
            await chain.issuance(top),
            await chain.fee_of(b"\x84", top),
        ]

    assert asked(ask, node) == [12_345, 0, 10**12, 15_600_000]


def test_a_chain_without_a_node_names_its_variable(node):
    async def ask(source):
        return source.chain("astar")

    with pytest.raises(FixSettings) as caught:
        asked(ask, node)
    assert caught.value.variable == "DEFIMON_SUBSTRATE_ASTAR"


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("chain_getFinalizedHead", 5),
        ("chain_getHeader", {"number": "x"}),
        ("chain_getHeader", []),
    ],
)
def test_another_shape_than_documented_is_bad_data(node, method, answer):
    setattr(node, method, lambda *_: answer)
    with pytest.raises(BadData):
        batches(node)


@pytest.mark.parametrize("number", [0, 63, 64, 16_383, 16_384, 2**30 - 1, 2**30, 2**64, 2**128 - 1])
def test_a_compact_number_is_read_as_it_was_written(number):
    reader = ScaleReader(compact(number))
    assert reader.compact() == number
    assert reader.left() == 0


@pytest.mark.parametrize("cut", [0, 1, 5, 40, 400])
def test_metadata_that_end_early_are_bad_data(cut):
    with pytest.raises(BadData):
        Runtime(metadata()[:cut])


def test_a_transfer_without_names_of_fields_is_read_by_their_order(node):
    node.metadata[1] = metadata(named=False)
    assert blocks(node)["value"][4] == pytest.approx((5e10 + 6e10) / 1e12)
