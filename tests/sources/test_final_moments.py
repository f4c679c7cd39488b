"""A chain's past was there to be read: a history that is bought late counts as known when it was final."""

from datetime import UTC, datetime, timedelta

import polars as pl

from defimon.core.units import UTC_MICROS, utc_now
from defimon.sources._evm_blocks import COUNTED, frame_of
from defimon.sources._evm_words import Header
from defimon.sources._final_moments import FINAL_WITHIN, known_at

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_what_was_final_long_ago_counts_as_known_then_and_what_is_new_as_known_now():
    assert known_at(START) == START + FINAL_WITHIN
    before = utc_now()
    assert before <= known_at(before - timedelta(minutes=20)) <= utc_now()


def test_a_block_that_may_be_replaced_is_known_since_it_came():
    headers = [Header(number, "0x1", "0x0", int(START.timestamp()) + 12 * number) for number in (1, 2)]
    row = tuple(b"" if name == "addresses" else 0 for name in COUNTED)
    fetched_at = START + timedelta(days=3)
    frame = frame_of(
        headers, [row, row], chain="ethereum", decimals=18, final=1, source="evm_rpc", fetched_at=fetched_at
    )
    assert frame["known_at"].to_list() == [START + timedelta(seconds=12) + FINAL_WITHIN, fetched_at]
    assert frame.schema["known_at"] == UTC_MICROS
    soon = START + timedelta(minutes=14)
    frame = frame_of(
        headers, [row, row], chain="ethereum", decimals=18, final=2, source="evm_rpc", fetched_at=soon
    )
    assert frame.select((pl.col("known_at") == soon).all()).item()
