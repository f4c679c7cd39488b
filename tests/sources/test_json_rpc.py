"""JSON-RPC against nodes on loopback that misbehave on cue."""

import json

import pytest
from scripted_nodes import BLOCKS, KEY, QUICK, Refusal, asked, head, read, refused, status
from werkzeug import Response

from defimon.core.errors import BadData, TryAgain
from defimon.sources._rpc_answers import Unsound
from defimon.sources._rpc_refusals import Meaning, RpcError, meaning_of


def test_a_call_has_the_answer_of_its_node(node):
    assert asked([node().url], head) == 40


def test_results_stand_in_the_order_asked_in_whatever_order_they_come(node):
    one = node()
    one.acts = [lambda members: one.honest(members)[::-1]]
    found = asked([one.url], lambda rpc: rpc.batch(BLOCKS))
    assert [int(block["number"], 16) for block in found] == list(range(10))
    assert len(one.asked) == 1


def test_ids_that_come_back_as_text_are_understood(node):
    one = node()
    one.acts = [lambda members: [said | {"id": str(said["id"])} for said in one.honest(members)]]
    assert len(asked([one.url], lambda rpc: rpc.batch(BLOCKS))) == 10
    assert len(one.asked) == 1


BENT = {
    "one answer is missing": lambda said: said[1:],
    "one answer comes twice": lambda said: [*said, said[0]],
    "an answer to nothing": lambda said: [*said[1:], said[0] | {"id": 999_999}],
    "an answer without id": lambda said: [*said[1:], {"jsonrpc": "2.0", "result": "0x1"}],
    "an id that is true": lambda said: [*said[1:], said[0] | {"id": True}],
    "a member that is null": lambda said: [*said[1:], None],
    "neither result nor error": lambda said: [*said[1:], {"jsonrpc": "2.0", "id": said[0]["id"]}],
    "one object for a batch": lambda said: said[0],
    "text": lambda _: "busy",
    "nothing": lambda _: Response("", content_type="application/json"),
    "half of it": lambda said: Response(json.dumps(said)[: len(json.dumps(said)) // 2]),
    "a page": lambda _: Response("<html>maintenance</html>", content_type="text/html"),
}


@pytest.mark.parametrize("bend", BENT.values(), ids=BENT)
def test_an_answer_that_cannot_be_right_is_asked_for_elsewhere(node, bend):
    first, second = node(), node()
    first.acts = [lambda members: bend(first.honest(members))]
    found = asked([first.url, second.url], lambda rpc: rpc.batch(BLOCKS))
    assert [int(block["number"], 16) for block in found] == list(range(10))
    assert (len(first.asked), len(second.asked)) == (1, 1)


@pytest.mark.parametrize("bend", BENT.values(), ids=BENT)
def test_an_answer_that_can_never_be_right_ends_in_an_error(node, bend):
    one = node()
    one.acts = [lambda members: bend(one.honest(members))] * 9
    with pytest.raises(TryAgain):
        asked([one.url], lambda rpc: rpc.batch(BLOCKS))
    assert len(one.asked) == QUICK.attempts


def test_answers_that_came_are_not_asked_for_again(node):
    first, second = node(), node()
    first.acts = [lambda members: first.honest(members)[:7]]
    asked([first.url, second.url], lambda rpc: rpc.batch(BLOCKS))
    assert (len(first.asked[0]), len(second.asked[0])) == (10, 3)


def test_what_a_check_refuses_is_asked_anew_as_a_whole(node):
    first, second = node(), node()
    first.bends = [("eth_getBlockByNumber", lambda params, found: None if params[0] == "0x3" else found)]

    def whole(blocks):
        if None in blocks:
            raise Unsound("a block is missing.")
        return blocks

    found = asked([first.url, second.url], lambda rpc: rpc.batch(BLOCKS, check=whole))
    assert None not in found
    assert len(second.asked[0]) == 10


FAILING = {
    "status 500": status(500),
    "status 403 without a hint": status(403, b"<html>attention required</html>"),
    "status 429": status(429),
    "status 429 with a hint": status(429, Retry_After="0"),
    "status 404": status(404, b"no such path"),
    "status 401": status(401, b'{"message": "bad key"}'),
    "an error with status 400": status(
        400, b'{"jsonrpc":"2.0","id":null,"error":{"code":-32007,"message":"x"}}'
    ),
    "haste, with status 200": refused(-32005, "daily request count exceeded, request rate limited"),
    "haste by words": refused(-32000, "Too many requests, please slow down"),
    "no state": refused(-32000, "missing trie node"),
    "an old head": refused(-32000, "header not found"),
    "an inner fault": refused(-32603, "Internal error"),
    "no such method": refused(-32601, "the method eth_blockNumber does not exist/is not available"),
    "no such method, in words": refused(-32600, "unsupported method: eth_blockNumber on ETH_MAINNET"),
    "an error that is text": lambda members: {
        "jsonrpc": "2.0",
        "id": members[0]["id"],
        "error": "overloaded",
    },
    "a result that is no number": lambda members: {"jsonrpc": "2.0", "id": members[0]["id"], "result": None},
}


@pytest.mark.parametrize("act", FAILING.values(), ids=FAILING)
def test_a_node_that_fails_is_replaced_by_the_next(node, act):
    first, second = node(act), node()
    assert asked([first.url, second.url], head) == 40
    assert (len(first.asked), len(second.asked)) == (1, 1)


@pytest.mark.parametrize("act", FAILING.values(), ids=FAILING)
def test_the_only_node_is_asked_again_where_that_may_help(node, act):
    one = node(act)
    try:
        assert asked([one.url], head) == 40
    except RpcError as refusal:
        kind = meaning_of(refusal)
    else:
        kind = None
    assert (kind, len(one.asked)) in [(None, 2), (Meaning.NEVER_HERE, 1)]


def test_a_refusal_of_the_call_itself_is_raised_at_once_with_its_code_and_data(node):
    first, second = node(refused(3, "execution reverted: no", "0x08c379a0")), node()
    with pytest.raises(RpcError, match=r"execution reverted: no \(code 3\)") as caught:
        asked([first.url, second.url], lambda rpc: rpc.call("eth_call", [{}, "latest"]))
    assert (caught.value.code, caught.value.data, caught.value.method) == (3, "0x08c379a0", "eth_call")
    assert (len(first.asked), len(second.asked)) == (1, 0)


def test_refusals_may_stand_in_their_place(node):
    one = node()

    def bend(params, found):
        if params[0] == "0x3":
            raise Refusal(-32000, "execution reverted")
        return found

    one.bends = [("eth_getBlockByNumber", bend)]
    found = asked([one.url], lambda rpc: rpc.batch(BLOCKS, errors="return"))
    assert [place for place, one in enumerate(found) if isinstance(one, RpcError)] == [3]


def test_a_method_that_a_node_lacks_is_not_asked_of_it_again(node):
    first, second = node(), node()

    def lacking(_params, _found):
        raise Refusal(-32601, "method not found")

    first.bends = [("eth_getBalance", lacking)]

    async def twice(rpc):
        for _ in range(2):
            await rpc.call("eth_getBalance", ["0x0", "latest"])
        return await head(rpc)

    assert asked([first.url, second.url], twice) == 40
    assert first.asked.count(["eth_getBalance"]) == 1
    assert second.asked.count(["eth_getBalance"]) == 2


def test_a_method_that_no_node_has_is_told_so_without_asking_again(node):
    first, second = node(), node()

    async def twice(rpc):
        for _ in range(2):
            with pytest.raises(RpcError) as caught:
                await rpc.call("eth_noSuch")
            assert meaning_of(caught.value) is Meaning.NEVER_HERE

    asked([first.url, second.url], twice)
    assert (len(first.asked), len(second.asked)) == (1, 1)


@pytest.mark.parametrize("said", [[f"unknown key {KEY}"], {"number": f"unknown key {KEY}"}, {"hash": [KEY]}])
def test_a_key_that_a_node_says_back_anywhere_in_its_answer_is_not_shown(node, said, capsys):
    one = node()
    one.bends = [("eth_getBlockByNumber", lambda _params, _found: said), ("eth_blockNumber", lambda *_: said)]
    for ask in (lambda evm: evm.header(5), lambda evm: evm.head()):
        with pytest.raises((BadData, TryAgain)) as caught:
            read([one], ask)
        assert KEY not in f"{caught.value} {caught.value.message} {capsys.readouterr()}"
