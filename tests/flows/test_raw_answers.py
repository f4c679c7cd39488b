"""Answers are kept as they came, smaller, and come back whole; those of older stores too."""

import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defimon.core.tables import RAW_ANSWERS
from defimon.flows._raw_answers import compressed, keep_answer, keep_once, kept_answers, whole
from defimon.sources._http import Answer
from defimon.store.database import Store

URL = "https://yields.llama.fi/pools"
AT = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    with Store(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        opened.migrate()
        yield opened


@given(st.binary(max_size=10_000))
def test_a_body_comes_back_as_it_was(body):
    assert whole(compressed(body)) == body


@given(st.binary(max_size=10_000), st.integers(0, 9))
def test_so_does_one_that_an_older_store_holds(body, level):
    assert whole(zlib.compress(body, level)) == body


def test_what_is_kept_is_no_longer_than_a_quarter_of_what_repeats_itself(store):
    body = b'{"pool":"0x0123456789abcdef","apy":1.25},' * 1_000
    keep_answer(store, Answer(URL, body, "", AT), "defillama")
    (row,) = store.read("raw_answers").to_dicts()
    assert len(row["body"]) < len(body) / 4
    assert (row["length"], whole(row["body"])) == (len(body), body)


def test_an_answer_of_an_older_store_is_found_again(store):
    row = {
        "sha256": "0" * 64,
        "ts": AT,
        "request": URL,
        "body": zlib.compress(b"[1]"),
        "length": 3,
        "known_at": AT,
        "source": "defillama",
        "origin": "observed",
    }
    store.write("raw_answers", RAW_ANSWERS.rows([row]))
    assert kept_answers(store, [URL], AT)[URL].body == b"[1]"


def test_the_same_answer_is_kept_once(store):
    for body in (b"[1]", b"[1]", b"[2]"):
        keep_once(store, Answer(URL, body, "", AT), "defillama")
    assert sorted(whole(one) for one in store.read("raw_answers")["body"]) == [b"[1]", b"[2]"]
