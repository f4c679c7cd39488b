"""Nodes over WebSockets, and the keys that addresses carry."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from pydantic import SecretStr
from scripted_nodes import BLOCKS, KEY, QUICK, ScriptedNode, SmallChain, asked, head, refused, status
from websockets.asyncio.server import serve
from werkzeug import Response

from defimon.core.errors import BadData, FixSettings, TryAgain
from defimon.flows.collect_sources import health_rows
from defimon.sources._http import Http
from defimon.sources._json_rpc import JsonRpc
from defimon.sources._new_heads import new_heads

NO_SECRET = {
    "status 500": status(500, f"no {KEY}".encode()),
    "status 404": status(404, f"Cannot POST /v2/{KEY}".encode()),
    "a page that is cut off in the key": status(404, b"x" * 100 + KEY.encode()),
    "words": refused(-32000, f"key {KEY} is not valid"),
    "data": refused(-32000, "refused", f"key={KEY}"),
    "an error that is text": lambda members: {"id": members[0]["id"], "error": f"bad {KEY}"},
    "a redirect": status(302, Location=f"nonsense://{KEY}/"),
    "no JSON": lambda _: Response(KEY),
    "neither result nor error": lambda _: {"message": f"project {KEY} is suspended"},
    "text": lambda _: f"project {KEY} is suspended",
    "a member that is text": lambda _: [f"{'x' * 175} {KEY}"],
    "another id": lambda _: {"id": KEY, "result": "0x1"},
}


@pytest.mark.parametrize("act", NO_SECRET.values(), ids=NO_SECRET)
def test_a_key_reaches_neither_error_nor_log_nor_health(node, act, caplog, capfd):
    one = node(*[act] * 9)
    caplog.set_level("DEBUG")

    async def main():
        async with Http(QUICK) as http:
            with pytest.raises((TryAgain, BadData)) as caught:
                await JsonRpc(http, [SecretStr(one.url)]).call("eth_call", [{}, "latest"])
            return f"{caught.value!r} {caught.value} {health_rows(http).rows()} {http.health()}"

    told = asyncio.run(main())
    printed = capfd.readouterr()
    logged = "".join(line.getMessage() for line in caplog.records if line.name != "werkzeug")
    assert "***" in told
    for piece in (KEY, KEY[:16]):
        assert piece not in f"{told}{logged}{printed.out}{printed.err}"


def test_a_key_in_a_result_of_another_shape_is_not_repeated(node):
    words = f"this result stands for nothing, since project {KEY} is suspended"
    one = node(*[lambda members: {"id": members[0]["id"], "result": words}] * 9)
    with pytest.raises((TryAgain, BadData), match=r"\*\*\*.*expected a quantity") as caught:
        asked([one.url], head)
    assert KEY[:8] not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    ["", "node.example", "ftp://node.example", "http://", "http://h:port/", f"http:// {KEY}", "wss:///x"],
)
def test_what_is_no_address_is_a_setting_to_mend_and_is_not_repeated(address):
    with pytest.raises(FixSettings) as caught:
        asked([address], head)
    assert caught.value.variable == "DEFIMON_RPC"
    assert not address or address not in str(caught.value)


class SocketNode:
    """A node over a WebSocket; `act` is handed each message and gives what to send, None for honesty."""

    def __init__(self, chain, act=lambda _: None):
        self.chain = chain
        self.act = act
        self.asked = []
        self.connections = 0

    async def handle(self, connection):
        self.connections += 1
        async for text in connection:
            question = json.loads(text)
            self.asked.append(question)
            said = self.act(question)
            if said is None:
                said = self.honest(question)
            for message in said if isinstance(said, tuple) else (said,):
                if message is SocketNode.BREAK:
                    connection.transport.abort()
                    return
                await connection.send(message if isinstance(message, str) else json.dumps(message))

    BREAK = object()

    def honest(self, question):
        node = ScriptedNode.__new__(ScriptedNode)
        node.chain, node.bends = self.chain, []
        members = question if isinstance(question, list) else [question]
        said = node.honest(members)
        return said if isinstance(question, list) else said[0]


@asynccontextmanager
async def served(node):
    async with serve(node.handle, "127.0.0.1", 0, max_size=None) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/{KEY}"


def over_socket(node, ask, manners=QUICK):
    async def main():
        async with served(node) as url, Http(manners) as http:
            rpc = JsonRpc(http, [SecretStr(url)])
            try:
                return await ask(rpc)
            finally:
                await rpc.close()

    return asyncio.run(main())


def test_calls_go_over_a_websocket_too_and_its_answers_are_kept_and_counted():
    node, kept = SocketNode(SmallChain(40)), []

    async def ask(rpc):
        blocks = await rpc.batch(BLOCKS, keep=kept.append)
        return blocks, await head(rpc), rpc.talk.http.health()

    blocks, number, (health,) = over_socket(node, ask)
    assert ([int(one["number"], 16) for one in blocks], number) == (list(range(10)), 40)
    assert (node.connections, health.calls, health.failures) == (1, 2, 0)
    (answer,) = kept
    assert json.loads(answer.body)[0]["result"]["number"] == "0x0"
    assert KEY not in answer.url
    assert "eth_getBlockByNumber" in answer.url


SOCKET_FAULTS = {
    "it breaks off": lambda _: SocketNode.BREAK,
    "no JSON": lambda _: "no JSON",
    "an answer to another question": lambda _: ({"id": 999, "result": "0x1"}, SocketNode.BREAK),
    "a refusal without id": lambda _: {"id": None, "error": {"code": -32005, "message": "too many requests"}},
    "silence": lambda _: (),
}


@pytest.mark.parametrize("act", SOCKET_FAULTS.values(), ids=SOCKET_FAULTS)
def test_a_websocket_that_fails_is_made_again(act):
    node = SocketNode(SmallChain(40))
    acts = [act]
    node.act = lambda question: acts.pop()(question) if acts else None
    assert over_socket(node, head, replace(QUICK, read_s=0.15)) == 40
    assert len(node.asked) == 2


def test_other_messages_of_a_websocket_are_passed_over():
    node = SocketNode(SmallChain(40))
    news = {"jsonrpc": "2.0", "method": "eth_subscription", "params": {"result": {}}}
    node.act = lambda question: (news, {"id": 12345, "result": "0x1"}, node.honest(question))
    assert over_socket(node, head) == 40


def test_an_answer_too_large_for_a_websocket_makes_its_batches_smaller():
    node = SocketNode(SmallChain(40))

    async def ask(rpc):
        return await rpc.batch(BLOCKS), rpc.endpoints[0].batch_limit

    found, limit = over_socket(node, ask, replace(QUICK, largest_bytes=4_000))
    assert [int(one["number"], 16) for one in found] == list(range(10))
    assert limit == 5


def test_heads_that_were_missed_while_a_websocket_was_broken_are_told():
    node, chain = SocketNode(SmallChain(40)), SmallChain(40)

    def announced(number):
        params = {"subscription": "0x1", "result": chain.block(number, whole=False)}
        return {"jsonrpc": "2.0", "method": "eth_subscription", "params": params}

    scripts = [[5, 6], [9, 8], [9]]
    node.act = lambda question: (
        {"jsonrpc": "2.0", "id": question["id"], "result": "0x1"},
        *map(announced, scripts.pop(0)),
        SocketNode.BREAK,
    )

    async def ask(rpc):
        heads = new_heads(rpc)
        found = [await anext(heads) for _ in range(5)]
        await heads.aclose()
        return [(one.header.number, one.missed, one.replaces) for one in found]

    assert over_socket(node, ask) == [
        (5, range(5, 5), False),
        (6, range(6, 6), False),
        (9, range(7, 9), False),
        (8, range(10, 8), True),
        (9, range(9, 9), False),
    ]


def test_a_subscription_that_is_refused_ends_after_all_attempts():
    node = SocketNode(SmallChain(40), lambda question: refused(-32601, "no subscriptions")([question]))

    async def ask(rpc):
        await anext(new_heads(rpc))

    with pytest.raises(TryAgain, match="refused"):
        over_socket(node, ask)
    assert node.connections == QUICK.attempts


@pytest.mark.parametrize(
    "said",
    [
        {"id": 1, "error": {"code": -32000, "message": f"project {KEY} is suspended"}},
        {"method": "eth_subscription", "params": {"result": f"project {KEY} is suspended"}},
    ],
)
def test_a_subscription_that_comes_to_nothing_shows_no_key(said):
    node = SocketNode(SmallChain(40), lambda _: said)

    async def ask(rpc):
        await anext(new_heads(rpc))

    with pytest.raises((TryAgain, BadData), match=r"\*\*\*") as caught:
        over_socket(node, ask)
    assert KEY[:8] not in str(caught.value)


def test_a_websocket_that_cannot_be_had_shows_no_key(unused_port):
    with pytest.raises(TryAgain) as caught:
        asked([f"ws://127.0.0.1:{unused_port}/{KEY}"], head)
    assert KEY not in str(caught.value)
    assert "no connection" in str(caught.value)


@pytest.fixture
def unused_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
