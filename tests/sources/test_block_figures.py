"""What is counted of blocks in the shapes that chains write them, against figures worked out by hand."""

import pytest

from defimon.sources._evm_blocks import COUNTED, counted, needs_receipts
from defimon.sources._evm_window import _window
from defimon.sources._evm_words import Header
from defimon.sources._rpc_answers import Unsound

GWEI = 10**9
NOBODY = "0x" + "0" * 40
PERSON, OTHER = "0x" + "a" * 40, "0x" + "b" * 40


def hash_of(number):
    return f"0x{number:064x}"


def transaction(number, **fields):
    plain = {
        "hash": hash_of(number), "from": PERSON, "to": OTHER, "input": "0x", "value": "0x0",
        "gasPrice": hex(30 * GWEI),
    }  # fmt: skip
    return {**plain, **fields}


def block_of(*transactions, gas_used=21_000, **fields):
    plain = {
        "number": "0x10", "hash": hash_of(1_000), "parentHash": hash_of(999), "gasUsed": hex(gas_used),
        "gasLimit": hex(30_000_000), "transactions": list(transactions),
    }  # fmt: skip
    return {**plain, **fields}


def receipt(number, gas=21_000, price=30 * GWEI, **fields):
    plain = {
        "transactionHash": hash_of(number), "blockHash": hash_of(1_000), "gasUsed": hex(gas),
        "effectiveGasPrice": hex(price), "logs": [],
    }  # fmt: skip
    return {**plain, **fields}


def figures(block, receipts=None):
    return dict(zip(COUNTED, counted(block, receipts), strict=True))


STATE_SYNC = transaction(9, **{"from": NOBODY, "to": NOBODY, "gasPrice": "0x0"})


def test_before_london_the_whole_price_is_the_tip_and_one_price_needs_no_receipts():
    block = block_of(transaction(1), transaction(2), gas_used=42_000)
    assert not needs_receipts(block)
    found = figures(block)
    assert found["fees"] == 42_000 * 30 * GWEI
    assert (found["base_fee"], found["tip_p50"]) == (None, 30 * GWEI)


def test_fees_hold_what_is_burnt_and_a_tip_is_no_more_than_the_most_that_is_offered_leaves():
    offered = {"maxFeePerGas": hex(22 * GWEI), "maxPriorityFeePerGas": hex(5 * GWEI)}
    block = block_of(transaction(1, **offered, gasPrice=hex(22 * GWEI)), baseFeePerGas=hex(20 * GWEI))
    found = figures(block)
    assert found["fees"] == 21_000 * 22 * GWEI
    assert found["tip_p90"] == 2 * GWEI


def test_blobs_are_paid_beside_gas():
    block = block_of(transaction(1), baseFeePerGas=hex(GWEI), blobGasUsed=hex(131_072))
    assert needs_receipts(block)
    paid = receipt(1, blobGasUsed=hex(131_072), blobGasPrice=hex(7))
    assert figures(block, [paid])["fees"] == 21_000 * 30 * GWEI + 131_072 * 7


def test_a_rollup_pays_the_chain_below_and_its_own_transactions_pay_and_tip_nothing():
    deposit = transaction(8, gasPrice="0x0", **{"from": "0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001"})
    block = block_of(deposit, transaction(1), baseFeePerGas=hex(GWEI))
    found = figures(block, [receipt(8, gas=46_000, price=0), receipt(1, l1Fee=hex(12_345))])
    assert found["fees"] == 21_000 * 30 * GWEI + 12_345
    assert found["tip_p10"] == 29 * GWEI


def test_a_state_sync_without_a_receipt_costs_nothing():
    block = block_of(transaction(1), STATE_SYNC, baseFeePerGas=hex(GWEI))
    found = figures(block, [receipt(1)])
    assert (found["transactions"], found["fees"]) == (2, 21_000 * 30 * GWEI)


def test_a_receipt_that_is_missing_for_a_transaction_that_somebody_paid_for_is_unsound():
    block = block_of(transaction(1), transaction(2, gasPrice=hex(31 * GWEI)), STATE_SYNC)
    with pytest.raises(Unsound, match="1 receipts came for 3 transactions"):
        counted(block, [receipt(1)])
    with pytest.raises(Unsound, match="another fork"):
        counted(block, [receipt(1), receipt(2, blockHash=hash_of(7)), receipt(9)])


def test_receipts_are_told_by_their_transaction_whatever_their_order():
    block = block_of(transaction(1), transaction(2, gasPrice=hex(40 * GWEI)))
    told = [receipt(2, gas=50_000, price=40 * GWEI), receipt(1)]
    assert figures(block, told)["fees"] == 50_000 * 40 * GWEI + 21_000 * 30 * GWEI


def test_gas_of_a_contract_is_that_of_its_own_transactions():
    calls = [transaction(1, to=OTHER, input="0x01"), transaction(2, to=PERSON, input="0x01")]
    block = block_of(*calls, STATE_SYNC)
    header = Header(16, hash_of(1_000), hash_of(999), 0)
    window = _window([block], [header], {0: [receipt(2, gas=50_000), receipt(1)]})
    assert {one.address: one.gas for one in window.contracts} == {OTHER: 21_000, PERSON: 50_000}


def test_transfers_calls_and_contracts_that_are_made_are_told_apart_and_addresses_count_once():
    block = block_of(
        transaction(1, value=hex(5)),
        transaction(2, input="0xa9059cbb"),
        transaction(3, to=None, input="0x60"),
        transaction(4, **{"from": PERSON.upper().replace("X", "x")}),
    )
    found = figures(block)
    assert (found["calls"], found["creations"], found["value"]) == (1, 1, 5)
    assert found["addresses"] == bytes.fromhex("aa" * 8 + "bb" * 8)
