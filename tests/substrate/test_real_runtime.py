"""The Substrate source against a real runtime, read beside it by polkadot.js and by scalecodec."""

import asyncio
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from defimon.core.settings import Settings
from defimon.sources._http import Http
from defimon.sources._manners import Manners
from defimon.sources._scale import ScaleReader, compact
from defimon.sources._series import Wanted
from defimon.sources._substrate_runtime import Runtime
from defimon.sources.substrate_rpc import SubstrateRpc

sys.path.append(str(Path(__file__).parent))  # so that the peer can be imported

from peer import CHOPSTICKS, CONTRACTS_NODE, Chopsticks

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
COIN = 10**18
"""The chain `local` counts 18 decimals; the runtime's own coin has 12, which matters to nobody here."""


@dataclass
class Told:
    """What polkadot.js reads, and the rows that the source makes, of the same blocks."""

    peer: dict
    rows: pl.DataFrame
    asked: list


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    if not CHOPSTICKS.is_file():
        pytest.skip(f"needs npm: 'npm ci --ignore-scripts' in tests/substrate did not bring {CHOPSTICKS}")
    running = Chopsticks(tmp_path_factory.mktemp("chopsticks"))
    try:
        peer = running.drive(7)
        rows, asked = asyncio.run(_read(running.url, peer))
    finally:
        running.stop()
    return Told(peer, rows, asked)


async def _read(url, peer):
    async with Http(Manners(gap_s=0.0)) as http:
        source = SubstrateRpc.opened(http, Settings(substrate={"local": (url,)}))
        (series,) = source.series()
        found = [batch async for batch in source.batches(series, Wanted(since=BEGINNING))]
        chain, top = source.chain("local"), peer["final"]
        asked = [await chain.free_balance(bytes.fromhex(one[2:]), top) for one in peer["free"]]
        asked.append(await chain.issuance(top))
        assert (await chain.finalized()).hash == top
        return pl.concat([batch.rows["blocks"] for batch in found]), asked


def test_blocks_are_as_the_peer_reads_them(told):
    told_rows = told.rows.rows(named=True)
    assert len(told_rows) == len(told.peer["blocks"]) == 8
    for row, peer in zip(told_rows, told.peer["blocks"], strict=True):
        assert row["number"] == peer["number"]
        assert (row["hash"], row["parent_hash"]) == (peer["hash"], peer["parent_hash"])
        assert row["ts"] == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=peer["milliseconds"])
        assert (row["transactions"], row["events"]) == (peer["extrinsics"], peer["events"])


def test_transfers_accounts_and_weights_are_as_the_peer_reads_them(told):
    assert sum(len(peer["moved"]) for peer in told.peer["blocks"]) > 5
    for row, peer in zip(told.rows.rows(named=True), told.peer["blocks"], strict=True):
        assert row["value"] == pytest.approx(sum(map(int, peer["moved"])) / COIN)
        accounts = {bytes.fromhex(one[2:])[:8] for one in peer["accounts"]}
        assert row["addresses"] == b"".join(sorted(accounts))
        assert row["gas_used"] == sum(map(int, peer["weight"]))
        assert row["gas_limit"] == int(told.peer["most_weight"])


def test_a_runtime_that_does_not_tell_paid_fees_has_none(told):
    assert told.rows["fees"].null_count() == told.rows.height


def test_balances_and_issuance_are_as_the_peer_reads_them(told):
    peer = [*told.peer["free"].values(), told.peer["issuance"]]
    assert told.asked == [int(one) for one in peer]


@pytest.fixture(scope="module")
def described():
    if not CONTRACTS_NODE.is_file():
        pytest.skip(f"needs npm: 'npm ci --ignore-scripts' in tests/substrate did not bring {CONTRACTS_NODE}")
    return re.search(r"0x6d657461[0-9a-f]+", CONTRACTS_NODE.read_text())[0]


@pytest.fixture(scope="module")
def library(described):
    """scalecodec, with the same metadata."""
    base = pytest.importorskip("scalecodec.base")
    registry = pytest.importorskip("scalecodec.type_registry")
    types = base.RuntimeConfigurationObject()
    types.update_type_registry(registry.load_type_registry_preset("core"))
    decoded = types.create_scale_object("MetadataVersioned", data=base.ScaleBytes(described))
    decoded.decode()
    types.add_portable_registry(decoded)

    def read(number, raw):
        found = types.create_scale_object(
            f"scale_info::{number}", data=base.ScaleBytes(bytearray(raw)), metadata=decoded
        )
        found.decode()
        return found

    read.metadata = decoded
    return read


def test_every_constant_and_default_of_a_runtime_is_read_as_a_library_reads_it(described, library):
    runtime = Runtime(bytes.fromhex(described[2:]))
    compared = 0
    for pallet in library.metadata.pallets:
        values = [(one.value["type"], bytes(one.constant_value)) for one in pallet.constants]
        for entry in pallet.storage or ():
            if entry.value["name"].startswith(":") or entry.value["modifier"] != "Default":
                continue  # the library's own, of no runtime; values that may be absent have no default
            shape = entry.value["type"]
            number = shape["Plain"] if "Plain" in shape else shape["Map"]["value"]
            values.append((number, bytes(entry.value_object["default"].value_object)))
        for number, raw in values:
            if not raw:
                continue
            reader = ScaleReader(raw)
            own = runtime._types.read(number, reader)
            other = library(number, raw)
            assert reader.left() == other.data.length - other.data.offset
            assert plain(own) == plain(other.value), (pallet.name, number)
            compared += 1
    assert compared > 50


def plain(value):
    """Numbers of a value in their order: libraries name and nest what holds them each in its own way."""
    if isinstance(value, dict):
        return [one for part in value.values() for one in plain(part)]
    if isinstance(value, (list, tuple)):
        return [one for part in value for one in plain(part)]
    if isinstance(value, bool) or not isinstance(value, int):
        return []
    return [value]


def test_events_of_a_runtime_are_read_as_a_library_reads_them(described, library):
    ann, bob = bytes([1] * 32), bytes([2] * 32)
    events = library.metadata.get_metadata_pallet("System").get_storage_function("Events")
    indices = {
        (pallet.name, one.name): bytes([pallet.value["index"], one.value["index"]])
        for pallet in library.metadata.pallets
        for one in pallet.events or ()
    }
    fields = {
        ("Balances", "Transfer"): ann + bob + (5 * 10**18).to_bytes(16, "little"),
        ("TransactionPayment", "TransactionFeePaid"): ann + (7).to_bytes(16, "little") + bytes(16),
        ("Contracts", "Instantiated"): ann + bob,
        ("Balances", "Withdraw"): ann + (9).to_bytes(16, "little"),
    }
    records = [b"\x00" + bytes(4) + indices[name] + raw + b"\x00" for name, raw in fields.items()]
    raw = compact(len(records)) + b"".join(records)
    runtime = Runtime(bytes.fromhex(described[2:]))
    own = runtime.events(raw)
    number = int(events.get_value_type_string().removeprefix("scale_info::"))
    other = library(number, raw).value
    assert [(one.pallet, one.name) for one in own] == [(one["module_id"], one["event_id"]) for one in other]
    assert (own[0].field("from", 0), own[0].field("amount", 2)) == (ann, 5 * 10**18)
    assert own[1].field("actual_fee", 1) == other[1]["attributes"]["actual_fee"] == 7
    assert runtime.tells("TransactionPayment", "TransactionFeePaid")
