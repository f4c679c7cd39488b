"""What nodes bear, how they do, and which of them is asked."""

import socket
from dataclasses import replace
from types import SimpleNamespace

import pytest
from pydantic import SecretStr
from scripted_nodes import BLOCKS, QUICK, Refusal, SmallChain, asked, head, read, refused, status

from defimon.core.errors import BadData, FixSettings, TryAgain
from defimon.sources._endpoints import FORGIVEN_S, LACKING_S, endpoints_of, in_order
from defimon.sources._network import NoNetwork

LIMITS = {
    "by words": refused(-32600, "batch size is too large, at most 3 calls are allowed"),
    "by code of haste": refused(-32005, "batch limit exceeded"),
    "as one object": lambda _: {
        "jsonrpc": "2.0",
        "id": None,
        "error": {"code": -32000, "message": "batch too large"},
    },
    "as one nameless member": lambda _: [
        {"id": None, "error": {"code": -32000, "message": "batch too large"}}
    ],
    "by size of the answer": refused(-32003, "response size exceeded"),
    "by status": status(413, b"<html>Request Entity Too Large</html>"),
}


@pytest.mark.parametrize("act", LIMITS.values(), ids=LIMITS)
def test_the_size_of_batches_that_a_node_bears_is_learnt(node, act):
    one = node()
    one.acts = [lambda members: act(members) if len(members) > 3 else None] * 50

    async def twice(rpc):
        first = await rpc.batch(BLOCKS)
        assert first == await rpc.batch(BLOCKS)
        return first

    found = asked([one.url], twice)
    assert [int(block["number"], 16) for block in found] == list(range(10))
    assert [len(members) for members in one.asked] == [10, 5, *[2] * 5, *[2] * 5]


def test_a_batch_is_no_larger_than_most_nodes_bear(node):
    one = node()
    asked([one.url], lambda rpc: rpc.batch(BLOCKS * 45))
    assert [len(members) for members in one.asked] == [400, 50]


def test_a_node_that_refuses_single_calls_as_too_large_is_not_asked_for_ever(node):
    one = node(*[refused(-32000, "response too large")] * 99)
    with pytest.raises(BadData, match="response too large"):
        asked([one.url], head)
    assert len(one.asked) < 5


def test_a_node_that_is_silent_costs_one_time_out_and_halves_its_batches(node):
    impatient, other = replace(QUICK, read_s=0.2), node()

    async def ask(rpc):
        found = await rpc.batch(BLOCKS)
        return found, [one.batch_limit for one in rpc.endpoints]

    with socket.create_server(("127.0.0.1", 0)) as silent:
        urls = [f"http://127.0.0.1:{silent.getsockname()[1]}", other.url]
        found, limits = asked(urls, ask, impatient)
    assert len(found) == 10
    assert (limits[0], len(other.asked)) == (5, 1)


def test_heads_do_not_wait_for_a_node_that_is_silent(node, monkeypatch):
    monkeypatch.setattr("defimon.sources._evm_heads.PATIENCE_S", 0.05)
    one = node()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        one_more = SimpleNamespace(url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert read([one_more, one], lambda evm: evm.head()) == 40


def test_a_wait_that_a_node_asks_for_is_kept_and_a_longer_one_ends_the_attempt(node):
    one = node(*[status(429, Retry_After="3600")] * 9)
    with pytest.raises(TryAgain) as caught:
        asked([one.url], head)
    assert caught.value.after_seconds == 3600
    assert len(one.asked) == 1


def test_no_node_that_can_be_reached_is_no_network_at_once(unused_port):
    with pytest.raises(NoNetwork, match=r"its address in DEFIMON_RPC right\?$"):
        asked([f"http://127.0.0.1:{unused_port}"], head, replace(QUICK, attempts=99, first_wait_s=60))


@pytest.fixture
def unused_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_the_soundest_node_is_asked_first_and_a_failure_is_forgiven_in_time():
    one, two, three = endpoints_of([SecretStr(f"http://{name}.example") for name in "abc"], "X")
    names = {id(one): "a", id(two): "b", id(three): "c"}

    def order(now=0.0, methods=()):
        return "".join(names[id(each)] for each in in_order([one, two, three], methods, now))

    assert order() == "abc"
    one.failed(10.0)
    assert order(11.0) == "bca"
    assert order(10.0 + FORGIVEN_S) == "abc"
    one.failed(50.0)
    assert order(50.0 + FORGIVEN_S) == "bca"
    assert order(50.0 + 2 * FORGIVEN_S) == "abc"
    one.answered(1.0)
    assert order(51.0) == "abc"
    one.head, two.head, three.head = 97, 98, 100
    assert order(51.0) == "abc"
    two.head = 100
    assert order(51.0) == "bca"
    one.head = 10**9  # that no other one has come near
    assert order(51.0) == "bca"
    one.head = 97
    three.answered(0.02)
    assert order(51.0) == "cba"
    three.lacks["eth_getLogs"] = 51.0
    assert order(51.0, {"eth_getLogs"}) == "ba"
    two.misplaced = "another chain"
    assert order(51.0) == "ca"


def test_a_node_that_is_behind_is_asked_last(node):
    behind, ahead = node(of=SmallChain(30)), node()

    async def ask(evm):
        return await evm.head(), (await evm.header("latest")).number

    assert read([behind, ahead], ask) == (40, 40)
    assert [len(one.asked) for one in (behind, ahead)] == [1, 2]


def test_a_node_of_another_chain_is_not_asked_and_where_all_are_the_setting_is_named(node):
    right, wrong = node(), node(of=SmallChain(90, chain_id=1))

    async def ask(evm):
        first, told = await evm.head(), list(evm.warnings)
        return first, await evm.head(), told, evm.warnings

    first, again, told, after = read([wrong, right], ask)
    assert (first, again) == (40, 40)
    (warning,) = told
    assert warning.endswith("serves chain 1, not 31337.")
    assert after == told
    assert len(wrong.asked) == 1
    with pytest.raises(FixSettings, match="serves chain 1") as caught:
        read([wrong], lambda evm: evm.head())
    assert caught.value.variable == "DEFIMON_RPC_LOCAL"


def test_a_node_that_does_not_tell_its_chain_is_believed(node):
    one = node()

    def silent(_params, _found):
        raise Refusal(-32601, "method not found")

    one.bends = [("eth_chainId", silent)]
    assert read([one], lambda evm: evm.head()) == 40


def test_a_method_that_every_node_has_is_asked_for_again_where_one_said_that_it_is_not_available(node):
    one = node()

    def unwell(_params, _found):
        raise Refusal(-32601, "the method eth_getBlockByNumber is not available")

    async def twice(evm):
        one.bends = [("eth_getBlockByNumber", unwell)]
        with pytest.raises(BadData, match="not available"):
            await evm.header(5)
        one.bends = []
        return (await evm.header(5)).number

    assert read([one], twice) == 5


def test_a_method_that_a_node_lacked_is_asked_of_it_again_after_an_hour(node):
    (one,) = endpoints_of([SecretStr(node().url)], "DEFIMON_RPC_LOCAL")
    assert one.refused("eth_getLogs", 100.0)
    assert in_order([one], {"eth_getLogs"}, 100.0 + LACKING_S - 1) == []
    assert in_order([one], {"eth_getLogs"}, 100.0 + LACKING_S) == [one]
    assert not one.refused("eth_blockNumber", 100.0)
    assert in_order([one], {"eth_blockNumber"}, 100.0) == [one]


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:8545", "http://", "http://[::1", "http://a:99999", "http://xn--\\x00", "http://a b"],
)
def test_what_is_no_address_is_refused_without_being_shown(address):
    with pytest.raises(FixSettings, match="DEFIMON_RPC_ASTAR") as refused:
        endpoints_of([SecretStr(address)], "DEFIMON_RPC_ASTAR")
    assert address not in str(refused.value)
