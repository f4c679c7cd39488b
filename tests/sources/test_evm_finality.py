"""What is final, as nodes tell it: some do not know it, some are away, one may be wrong or lie."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from scripted_nodes import GENESIS_S, Refusal, SmallChain, read, status

from defimon.core.chains import CHAINS
from defimon.core.errors import BadData, TryAgain
from defimon.sources._evm_follow import BlockSeries
from defimon.sources._memory import Memory
from defimon.sources._series import Cursor, Wanted

UNKNOWN_DEPTH = replace(CHAINS["local"], confirmations=None)


def test_what_is_final_is_told_by_nodes_else_by_depth_but_not_because_a_node_failed(node):
    one = node()
    one.chain.final = 12
    assert read([one], lambda evm: evm.finalized()) == 12

    def refusing(code, words):
        def bend(params, found):
            if params[0] == "finalized":
                raise Refusal(code, words)
            return found

        return [("eth_getBlockByNumber", bend)]

    one.bends = refusing(-32000, "finalized is not a tag here")
    assert read([one], lambda evm: evm.finalized(30)) == 30  # the local chain has one block final at once
    one.bends = refusing(-32602, "no")
    assert read([one], lambda evm: evm.finalized(30)) == 30
    for words in ("header not found", "upstream failed"):
        one.bends = refusing(-32000, words)
        with pytest.raises(BadData, match=words):
            read([one], lambda evm: evm.finalized(30))


def unfinal(params, found):
    """What a node says that has no final block, or none yet."""
    return None if params[0] == "finalized" else found


def unknown_tag(params, found):
    if params[0] == "finalized":
        raise Refusal(-32602, "invalid params")
    return found


@pytest.mark.parametrize("said", [unfinal, unknown_tag])
def test_what_is_final_is_asked_of_another_node_where_one_does_not_tell_it(node, said):
    first, second = node(), node()
    first.chain.final = second.chain.final = 12
    first.bends = [("eth_getBlockByNumber", said)]
    assert read([first, second], lambda evm: evm.finalized(40)) == 12
    assert read([second, first], lambda evm: evm.finalized(40)) == 12


@pytest.mark.parametrize("said", [unfinal, unknown_tag])
def test_a_node_that_has_told_what_is_final_is_not_believed_when_it_does_so_no_longer(node, said):
    one = node()
    one.chain.final = 12

    async def thrice(evm):
        assert await evm.finalized(40) == 12
        one.bends = [("eth_getBlockByNumber", said)]
        with pytest.raises(TryAgain, match="tells what is final"):
            await evm.finalized(40)
        one.bends = []
        return await evm.finalized(40)

    assert read([one], thrice) == 12


def test_a_node_that_does_not_tell_what_is_final_at_first_is_asked_again(node):
    one = node()
    one.chain.final = 12
    one.bends = [("eth_getBlockByNumber", unfinal)]

    async def twice(evm):
        by_depth = await evm.finalized(40)
        one.bends = []
        return by_depth, await evm.finalized(40)

    assert read([one], twice) == (40, 12)


@pytest.mark.parametrize("said", [unfinal, unknown_tag])
def test_the_next_client_of_the_process_knows_that_a_node_has_told_what_is_final(node, said):
    one, memory = node(), Memory()
    one.chain.final = 12
    assert read([one], lambda evm: evm.finalized(40), memory=memory) == 12
    one.bends = [("eth_getBlockByNumber", said)]
    with pytest.raises(TryAgain, match="tells what is final"):
        read([one], lambda evm: evm.finalized(40), memory=memory)
    assert read([one], lambda evm: evm.finalized(40), memory=Memory()) == 40


@pytest.mark.parametrize("said", [unfinal, unknown_tag])
@pytest.mark.parametrize("turned", [False, True])
def test_depth_does_not_do_while_a_node_is_away_that_may_know_what_is_final(node, said, turned):
    away, plain = node(*[status(500)] * 9), node()
    plain.bends = [("eth_getBlockByNumber", said)]
    nodes = [plain, away] if turned else [away, plain]
    with pytest.raises(TryAgain, match=r"DEFIMON_RPC_LOCAL|status 500"):
        read(nodes, lambda evm: evm.finalized(200), chain=UNKNOWN_DEPTH)
    assert read([plain], lambda evm: evm.finalized(200), chain=UNKNOWN_DEPTH) == 200 - 64
    away.acts = [status(500)] * 9
    assert read([away, plain], lambda evm: evm.finalized(200)) == 200  # its depth is known


def test_a_node_that_does_not_know_what_is_final_counts_as_well(node):
    plain, knowing = node(), node()
    plain.bends = [("eth_getBlockByNumber", unknown_tag)]
    knowing.chain.final = 12

    async def failures(evm):
        await evm.finalized(40)
        return [one.failures_in_a_row for one in evm.rpc.endpoints]

    assert read([plain, knowing], failures) == [0, 0]


def told_far_above(params, found):
    return found if params[0] != "finalized" else found | {"number": hex(10**9)}


LIES = {
    "of its head": [("eth_blockNumber", lambda _params, _found: hex(10**9))],
    "of what is final too": [
        ("eth_blockNumber", lambda _params, _found: hex(10**9)),
        ("eth_getBlockByNumber", told_far_above),
    ],
}


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_one_node_of_three_that_lies_moves_neither_what_is_final_nor_the_position(node, place, lie):
    nodes = [node(), node()]
    nodes[0].chain.final = 30
    liar = node(of=SmallChain(40))
    liar.bends = lie
    nodes.insert(place, liar)
    start = Cursor(19, datetime.fromtimestamp(GENESIS_S + 12 * 19, UTC), liar.chain.hash_at(19))

    async def followed(evm):
        return [batch async for batch in BlockSeries(evm, "evm_rpc", Wanted(cursor=start)).batches()]

    batches = read(nodes, followed)
    rows = [row for batch in batches for row in batch.rows["blocks"].select("number", "status").iter_rows()]
    assert rows == [(number, "final" if number <= 30 else "pending") for number in range(20, 41)]
    assert [gap for batch in batches for gap in batch.gaps] == []
    assert max(batch.cursor.number for batch in batches if batch.cursor) == 30
