"""Answers are kept as they came, smaller, and come back whole or not at all; those of older stores too."""

import hashlib
import zlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defimon.core.errors import BadData
from defimon.core.tables import RAW_ANSWERS
from defimon.flows._raw_answers import compressed, keep_answer, keep_once, kept_answers, whole
from defimon.sources._http import Answer
from defimon.store.database import Store

URL = "https://yields.llama.fi/pools"
AT = datetime(2026, 3, 31, 12, tzinfo=UTC)
POOLS = b'{"pool":"0x0123456789abcdef","apy":1.25},' * 1_000


@pytest.fixture
def store(tmp_path):
    with Store(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        opened.migrate()
        yield opened


def row_of(body, kept):
    """As the table has it."""
    return {
        "sha256": hashlib.sha256(body).hexdigest(),
        "ts": AT,
        "request": URL,
        "body": kept,
        "length": len(body),
        "known_at": AT,
        "source": "defillama",
        "origin": "observed",
    }


@given(st.binary(max_size=10_000))
def test_a_body_comes_back_as_it_was(body):
    assert whole(row_of(body, compressed(body))) == body


@given(st.binary(max_size=10_000), st.integers(0, 9))
def test_so_does_one_that_an_older_store_holds(body, level):
    assert whole(row_of(body, zlib.compress(body, level))) == body


@pytest.mark.parametrize("compress", [compressed, zlib.compress])
@given(st.data())
def test_one_changed_bit_is_noticed(compress, data):
    kept = bytearray(compress(POOLS[:400]))
    place = data.draw(st.integers(0, len(kept) - 1))
    kept[place] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(BadData):  # a few bits of a header say nothing
        assert whole(row_of(POOLS[:400], bytes(kept))) == POOLS[:400]


@pytest.mark.parametrize("left", [0, 1, 10, -1])
@pytest.mark.parametrize("compress", [compressed, zlib.compress])
def test_a_body_that_was_cut_off_is_noticed(compress, left):
    with pytest.raises(BadData, match="cannot be read"):
        whole(row_of(POOLS, compress(POOLS)[:left]))


def test_a_damaged_answer_counts_as_none(store):
    body = compressed(POOLS)
    store.write("raw_answers", RAW_ANSWERS.rows([row_of(POOLS, body[:-4] + bytes(4))]))
    assert kept_answers(store, [URL], AT) == {}


def test_what_is_kept_is_shorter_than_a_quarter_of_what_repeats_itself(store):
    keep_answer(store, Answer(URL, POOLS, "", AT), "defillama")
    (row,) = store.read("raw_answers").to_dicts()
    assert len(row["body"]) < len(POOLS) / 4
    assert (row["length"], whole(row)) == (len(POOLS), POOLS)


def test_an_answer_of_an_older_store_is_found_again(store):
    store.write("raw_answers", RAW_ANSWERS.rows([row_of(b"[1]", zlib.compress(b"[1]"))]))
    assert kept_answers(store, [URL], AT)[URL].body == b"[1]"
    assert kept_answers(store, [URL], AT + timedelta(seconds=1)) == {}


def test_the_same_answer_is_kept_once(store):
    for body in (b"[1]", b"[1]", b"[2]"):
        keep_once(store, Answer(URL, body, "", AT), "defillama")
    assert sorted(whole(row) for row in store.read("raw_answers").to_dicts()) == [b"[1]", b"[2]"]
