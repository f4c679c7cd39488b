"""Full blocks of an EVM, counted: one row of the table `blocks` each.

What transactions call is told by their data: a call without data cannot be told from a transfer. Tips are
priority fees as paid; transactions of the chain itself, which pay no fee, have none. Fees are exact: from
receipts, or from the header where all transactions pay one price; else they are left empty.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from defimon.core.errors import BadData
from defimon.core.tables import BLOCKS
from defimon.core.units import LARGEST_WHOLE, UTC_MICROS
from defimon.sources._evm_words import Header, header
from defimon.sources._final_moments import known_since
from defimon.sources._rpc_answers import Unsound

ADDRESS_DIGITS = slice(2, 18)
"""First 8 bytes of an address in hexadecimal, after 0x: distinct counts of millions stay exact to 1e-6."""

MICROS = 1_000_000
TIPS = (("tip_p10", 10), ("tip_p50", 50), ("tip_p90", 90))

COUNTED = (
    "transactions", "creations", "calls", "gas_used", "gas_limit", "base_fee",
    *(name for name, _ in TIPS), "value", "fees", "addresses",
)  # fmt: skip

Row = tuple[Any, ...]
"""Values of `COUNTED`; value and fees in base units."""


def headers_of(blocks: Sequence[object], first: int) -> list[Header]:
    """Names of full blocks asked from `first` upward, each checked to follow the one before.

    Raises Unsound for missing blocks, other heights and mixed forks, BadData for another shape.
    """
    found = [header(block) for block in blocks]
    for place, one in enumerate(found):
        if one.number != first + place:
            raise Unsound(f"block {one.number} came where {first + place} was asked.")
        if place and one.parent_hash != found[place - 1].hash:
            raise Unsound(f"blocks {one.number - 1} and {one.number} are of different forks.")
        _refuse_names_alone(blocks[place])
    return found


def _refuse_names_alone(block: Any) -> None:
    transactions = block.get("transactions")
    if not isinstance(transactions, list) or not all(isinstance(one, dict) for one in transactions):
        raise BadData(f"block {block['number']} came without its whole transactions.")


def needs_receipts(block: Mapping[str, Any]) -> bool:
    """Whether only receipts tell the fees: transactions pay different prices, or for blobs as well."""
    prices = {one.get("gasPrice") for one in block["transactions"]}
    return len(prices) > 1 or None in prices or int(block.get("blobGasUsed") or "0x0", 16) > 0


def counted(block: Mapping[str, Any], receipts: Sequence[Mapping[str, Any]] | None) -> Row:
    """What a block holds, counted. Raises BadData for another shape, Unsound for receipts of another fork."""
    try:
        return _counted(block, receipts)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        number = block.get("number")
        raise BadData(f"block {number!r} has another shape than documented ({error!r}).") from error


def _counted(block: Mapping[str, Any], receipts: Sequence[Mapping[str, Any]] | None) -> Row:
    transactions = block["transactions"]
    base = block.get("baseFeePerGas")
    base_fee = None if base is None else int(base, 16)
    creations = calls = value = 0
    who: set[str] = set()
    for one in transactions:
        to = one.get("to")
        who.add(one["from"][ADDRESS_DIGITS].lower())
        if to is None:
            creations += 1
        else:
            who.add(to[ADDRESS_DIGITS].lower())
            calls += len(one["input"]) > 2
        value += int(one["value"], 16)
    tips = sorted(tip for one in transactions if (tip := _tip(one, base_fee or 0)) is not None)
    gas_used = int(block["gasUsed"], 16)
    if gas_used > LARGEST_WHOLE:
        raise ValueError(f"gasUsed is {gas_used}")
    return (
        len(transactions),
        creations,
        calls,
        gas_used,
        _fitting(int(block["gasLimit"], 16)),
        _fitting(base_fee),
        *(_fitting(tips[-(-share * len(tips) // 100) - 1]) if tips else None for _, share in TIPS),
        value,
        _fees(block, gas_used, receipts),
        bytes.fromhex("".join(sorted(who))),
    )


def _tip(transaction: Mapping[str, Any], base_fee: int) -> int | None:
    """Priority fee per gas as paid; None for a transaction of the chain itself."""
    price = transaction.get("gasPrice")
    most = transaction.get("maxFeePerGas")
    if most is not None:
        return min(int(transaction["maxPriorityFeePerGas"], 16), int(most, 16) - base_fee)
    if price is None or int(price, 16) < base_fee:
        return None
    return int(price, 16) - base_fee


def _fees(
    block: Mapping[str, Any], gas_used: int, receipts: Sequence[Mapping[str, Any]] | None
) -> int | None:
    """Fees in base units, with those of blobs and what a rollup pays to the chain below; None where they
    cannot be told.
    """
    transactions = block["transactions"]
    if not transactions:
        return 0
    if receipts is None:
        return None if needs_receipts(block) else gas_used * int(transactions[0]["gasPrice"], 16)
    told = {receipt["transactionHash"]: receipt for receipt in receipts}
    if any(receipt["blockHash"] != block["hash"] for receipt in receipts):
        raise Unsound("receipts are of another fork than their block.")
    fees = 0
    for one in transactions:
        receipt = told.get(one["hash"])
        if receipt is None:
            if is_chains_own(one):
                continue
            raise Unsound(f"{len(receipts)} receipts came for {len(transactions)} transactions.")
        price = receipt.get("effectiveGasPrice") or one.get("gasPrice") or "0x0"
        fees += int(receipt["gasUsed"], 16) * int(price, 16) + int(receipt.get("l1Fee") or "0x0", 16)
        fees += int(receipt.get("blobGasUsed") or "0x0", 16) * int(receipt.get("blobGasPrice") or "0x0", 16)
    return fees


def is_chains_own(transaction: Mapping[str, Any]) -> bool:
    """A transaction that nobody pays for: of some (state syncs of Polygon, https://github.com/0xPolygon/erigon
    issue 64) nodes leave out the receipt.
    """
    return int(transaction.get("gasPrice") or "0x0", 16) == 0 and int(transaction["from"], 16) == 0


def _fitting(number: int | None) -> int | None:
    return None if number is None or number > LARGEST_WHOLE else number


def frame_of(
    headers: Sequence[Header],
    rows: Sequence[Row],
    *,
    chain: str,
    decimals: int,
    final: int,
    source: str,
    fetched_at: datetime,
) -> pl.DataFrame:
    """Rows of the table `blocks`; those up to the height `final` cannot be replaced any more."""
    if not rows:
        return BLOCKS.empty()
    columns: dict[str, Any] = dict(zip(COUNTED, map(list, zip(*rows, strict=True)), strict=True))
    coin = 10**decimals
    columns["value"] = [value / coin for value in columns["value"]]
    columns["fees"] = [None if fees is None else fees / coin for fees in columns["fees"]]
    columns |= {
        "number": [one.number for one in headers],
        "ts": [one.seconds * MICROS for one in headers],
        "hash": [one.hash for one in headers],
        "parent_hash": [one.parent_hash for one in headers],
        "status": ["final" if one.number <= final else "pending" for one in headers],
    }
    schema = {name: BLOCKS.schema[name] for name in columns} | {"ts": pl.Int64()}
    frame = (
        pl.DataFrame(columns, schema=schema)
        .with_columns(
            pl.col("ts").cast(UTC_MICROS),
            pl.lit(chain).alias("chain"),
            pl.lit(source).alias("source"),
            pl.lit("observed").alias("origin"),
        )
        .with_columns(known_since(fetched_at).alias("known_at"))
    )
    return BLOCKS.validate(frame, where=f"blocks of {chain}")
