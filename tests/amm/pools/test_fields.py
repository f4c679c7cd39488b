"""Reading a pool's part of a state document: what is taken, and which field an error names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defimon.amm.pools._errors import BadState
from defimon.amm.pools._fields import UINT256, Fields

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def fields(**values):
    return Fields(values, "pools[0]")


@given(st.integers(0, UINT256 - 1))
def test_an_integer_is_read_from_digits_and_from_a_number(value):
    assert fields(a=value).integer("a") == fields(a=str(value)).integer("a") == value


@pytest.mark.parametrize(
    "wrong", ["", " 1", "1 ", "+1", "01", "1_000", "1e3", "0x10", "1.0", "٣", "--1", 1.0, True, None, [1], {}]
)
def test_what_only_looks_like_an_integer_is_refused(wrong):
    with pytest.raises(BadState, match=r"pools\[0\]\.a is .* must be an integer"):
        fields(a=wrong).integer("a")


def test_an_integer_out_of_range_is_refused_with_the_range():
    for wrong in (-1, "-1", UINT256, str(UINT256), 10**5000):
        with pytest.raises(BadState, match=r"pools\[0\]\.a is .* from 0 to below"):
            fields(a=wrong).integer("a")
    assert fields(a="-5").integer("a", low=-9, below=0) == -5
    assert fields().integer("a", default=7) == 7


def test_a_missing_field_is_named():
    for read in ("integer", "text", "texts", "integers", "items", "raw"):
        with pytest.raises(BadState, match=r"pools\[0\]\.a is missing"):
            getattr(fields(b=1), read)("a")
    with pytest.raises(BadState, match="missing"):
        fields().rows("a", 2, low=0, below=9)


def test_lists_name_the_place_of_the_fault():
    with pytest.raises(BadState, match=r"\.a\[1\] is 'x'"):
        fields(a=["1", "x"]).integers("a")
    with pytest.raises(BadState, match=r"\.a\[2\] is ''"):
        fields(a=["t", "u", ""]).texts("a")
    with pytest.raises(BadState, match=r"\.a\[0\]\[1\] is -4"):
        fields(a=[[0, -4]]).rows("a", 2, low=0, below=9)
    with pytest.raises(BadState, match=r"\.a\[0\] is \[1\].* list of 2 integers"):
        fields(a=[[1]]).rows("a", 2, low=0, below=9)
    assert fields(a=[[1, "2"], ["3", 4]]).rows("a", 2, low=0, below=9) == ((1, 2), (3, 4))
    assert fields(a=["1", 2]).integers("a") == (1, 2)
    assert fields(a=["t", "u"]).texts("a") == ("t", "u")


def test_a_text_is_one_of_those_offered():
    assert fields(a="up").text("a", among=("up", "down")) == "up"
    with pytest.raises(BadState, match="one of up, down"):
        fields(a="left").text("a", among=("up", "down"))
    for wrong in ("", 1, None):
        with pytest.raises(BadState, match="not empty"):
            fields(a=wrong).text("a")


def test_a_field_that_nobody_reads_is_not_lost_in_silence():
    part = fields(fee=1, feee=2)
    assert part.has("feee")
    part.integer("fee")
    with pytest.raises(BadState, match=r"unknown fields: feee.*known here: fee"):
        part.done()


def test_an_error_does_not_list_a_thousand_fields_or_a_name_of_thousands_of_characters():
    with pytest.raises(BadState, match="k108 and 980 more") as refusal:
        fields(**{f"k{number:02}": 1 for number in range(1_000)}).done()
    assert len(str(refusal.value)) < 300
    with pytest.raises(BadState) as refusal:
        fields(**{"x" * 5_000 + "\x1b": 1, "y\x1b\n": 2}).done()
    assert len(str(refusal.value)) < 300
    assert str(refusal.value).isprintable()


def test_a_long_value_is_cut_in_the_error():
    with pytest.raises(BadState) as refusal:
        fields(a="7" * 5_000).integer("a")
    assert len(str(refusal.value)) < 300


@given(json_values)
def test_whatever_stands_in_a_field_is_read_or_refused(value):
    def rows(part, name):
        return part.rows(name, 2, low=0, below=9)

    for read in (Fields.integer, Fields.text, Fields.texts, Fields.integers, Fields.items, rows):
        try:
            assert read(fields(a=value), "a") is not None
        except BadState as refusal:
            assert "pools[0].a" in str(refusal)  # noqa: PT017 - most values are refused, some are read
    try:
        Fields(value, "pools[0]").done()
    except BadState as refusal:
        assert "pools[0]" in str(refusal)  # noqa: PT017
