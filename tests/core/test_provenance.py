"""A content hash tells contents apart, and nothing else."""

from datetime import UTC, datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from defimon.core.provenance import code_version, content_hash, text_hash

FRAME = pl.DataFrame({"k": ["a", "b", None], "v": [1.0, None, 0.0]})


def test_order_of_rows_and_columns_does_not_matter():
    assert content_hash(FRAME) == content_hash(FRAME.reverse().select("v", "k"))


def test_null_is_not_zero_and_not_an_empty_text():
    assert content_hash(FRAME) != content_hash(FRAME.with_columns(pl.col("v").fill_null(0.0)))
    assert content_hash(FRAME) != content_hash(FRAME.with_columns(pl.col("k").fill_null("")))


def test_the_moment_of_writing_is_left_out():
    now, later = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    hashes = {content_hash(FRAME.with_columns(ingested_at=pl.lit(when))) for when in (now, later)}
    assert len(hashes) == 1


@given(st.lists(st.text(alphabet="ab"), min_size=2, max_size=4))
def test_texts_that_join_alike_hash_apart(texts):
    frame = pl.DataFrame({"row": range(len(texts)), "text": texts})
    moved = pl.DataFrame({"row": range(len(texts)), "text": ["".join(texts), *[""] * (len(texts) - 1)]})
    assert (content_hash(frame) == content_hash(moved)) == frame.equals(moved)


def test_parts_of_a_text_hash_are_told_apart():
    assert text_hash("ab", "c") != text_hash("a", "bc")


def test_the_code_version_holds_the_release_and_a_hash_of_the_sources():
    release, digest = code_version().split("+")
    assert release.count(".") == 2
    assert len(digest) == 12


def test_a_hash_that_was_written_down_is_the_same_in_later_versions():
    moment = datetime(2024, 2, 29, 12, 30, 0, 7, tzinfo=UTC)
    frame = pl.DataFrame(
        {
            "text": ["b", None, "äß"], "bytes": [b"\x00", b"", None], "real": [0.1, None, -0.0],
            "whole": [1, None, -3], "truth": [True, None, False], "time": [moment, None, moment],
            "day": [moment.date(), None, moment.date()], "nothing": [None, None, None],
        },
        schema_overrides={"time": pl.Datetime("us", "UTC"), "nothing": pl.Float64},
    )  # fmt: skip
    assert content_hash(frame) == "884f4e7b67e3b09af80bbe1b35d969d5d7f5e98ff3b107ac958dc3f0f5e20621"
