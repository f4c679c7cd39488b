"""Amounts and shares as people write them."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defimon.amm.state.amounts import base_units, in_tokens, share
from defimon.core.errors import BadData


@given(st.integers(1, (1 << 256) - 1), st.integers(0, 36))
def test_an_amount_that_is_shown_and_read_again_is_the_same(amount, decimals):
    assert base_units(f"{in_tokens(amount, decimals):f}", decimals) == amount


def test_every_digit_is_kept():
    assert base_units("1,234.5", 6) == 1_234_500_000
    assert in_tokens(123_456_789_012_345_678_901_234_567_890, 18) == Decimal(
        "123456789012.345678901234567890"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "1e18",
        "0",
        "0.0000001",
        "1.2.3",
        "nan",
        "\N{FULLWIDTH DIGIT ONE}",
        "0,5",
        "1,23",
        "9" * 90,
        "1 2",
    ],
)
def test_what_is_no_amount_is_refused_by_name(text):
    with pytest.raises(BadData, match="amount is"):
        base_units(text, 6)


@pytest.mark.parametrize("text", ["30bps", "0.3%", "0.003", " 30 BPS "])
def test_a_share_has_three_spellings(text):
    assert share(text) == Fraction(3, 1000)


@pytest.mark.parametrize("text", ["100%", "1", "-5bps", "30", "bps", "0,3%", "1e-3"])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(BadData, match="impact is"):
        share(text, field="impact")
