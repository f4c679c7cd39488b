"""What tokens say of themselves, in both dialects of text."""

import pytest

from defimon.core.errors import BadData
from defimon.sources._evm_tokens import symbol_in


def abi_text(raw):
    padded = raw.ljust(-(-len(raw) // 32) * 32, b"\0")
    return (32).to_bytes(32, "big") + len(raw).to_bytes(32, "big") + padded


@pytest.mark.parametrize(
    ("raw", "symbol"),
    [(b"USDC", "USDC"), (b"v\0USD\0 ", "vUSD"), (b"\0", ""), (b"\xff\xfeA", "\ufffd\ufffdA")],
)
def test_a_symbol_is_text_that_every_store_holds(raw, symbol):
    assert symbol_in(abi_text(raw)) == symbol
    assert symbol_in(raw.ljust(32, b"\0")) == symbol


def test_a_text_that_announces_more_than_there_is_is_none():
    with pytest.raises(BadData, match="no text"):
        symbol_in(abi_text(b"USDC")[:-32])
