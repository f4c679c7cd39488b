"""Words of a node, and what is no answer to what was asked."""

import pytest

from defimon.core.errors import BadData
from defimon.sources._evm_words import LAST_SECOND, header, header_at
from defimon.sources._rpc_answers import Unsound

BLOCK = {"number": "0x7", "hash": "0x" + "a" * 64, "parentHash": "0x" + "b" * 64, "timestamp": "0x5"}


def test_a_block_of_another_height_is_no_answer():
    assert header_at(BLOCK, 7).seconds == 5
    with pytest.raises(Unsound, match="block 7 came where 8 was asked"):
        header_at(BLOCK, 8)


@pytest.mark.parametrize("seconds", [1_700_000_000_000, LAST_SECOND + 1, 2**256])
def test_a_time_that_no_block_can_be_of_is_refused(seconds):
    with pytest.raises(BadData, match="which no block is"):
        header({**BLOCK, "timestamp": hex(seconds)})
