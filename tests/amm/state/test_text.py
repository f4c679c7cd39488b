import pytest

from defimon.amm.pools._errors import BadState
from defimon.amm.state.text import MOST_BYTES, MOST_DEPTH, parse


def refusal(text) -> str:
    with pytest.raises(BadState) as caught:
        parse(text)
    return str(caught.value)


def test_plain_json_is_read_with_or_without_a_byte_order_mark():
    assert parse('{"a": [1, "2", 0.5]}') == {"a": [1, "2", 0.5]}
    assert parse(b"\xef\xbb\xbf[1]") == [1]


def test_a_key_that_stands_twice_is_named():
    assert "the key 'a' stands twice" in refusal('[{"a": 1, "a": 1}]')


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_of_json_is_refused(word):
    assert f"{word} is no number" in refusal(f"[{word}]")


def test_a_number_beyond_all_amounts_is_refused_before_python_counts_it_out():
    assert "5001 digits" in refusal("[" + "9" * 5_001 + "]")
    assert "too large" in refusal("1e999")


@pytest.mark.parametrize("deep", [MOST_DEPTH + 1, 900, 100_000])
def test_deep_nesting_is_refused_at_any_depth(deep):
    assert "nested deeper" in refusal("[" * deep + "]" * deep)
    assert "nested deeper" in refusal('{"a":' * deep + "1" + "}" * deep)


def test_the_deepest_nesting_that_is_allowed_is_read():
    assert parse("[" * MOST_DEPTH + "1" + "]" * MOST_DEPTH)


def test_half_a_character_is_refused_in_texts_and_keys():
    assert "half a character" in refusal(r'["\ud800"]')
    assert "half a character" in refusal(r'{"\udc00": 1}')
    assert parse(r'["\ud83d\ude00"]') == ["\U0001f600"]


@pytest.mark.parametrize(
    ("text", "told"),
    [(b"\xff\xfe", "not UTF-8 at byte 0"), ("[1,\n 2,]", "line 2, column 4"), ("", "line 1, column 1")],
)
def test_what_is_no_json_is_refused_with_its_place(text, told):
    assert told in refusal(text)


def test_a_file_of_many_megabytes_is_refused():
    assert "32 MiB" in refusal(b" " * (MOST_BYTES + 1))
