"""Nodes of a small chain on loopback: they answer honestly, but for what a test makes them say first."""

import asyncio
import hashlib
import json
from datetime import timedelta
from itertools import count

import polars as pl
from pydantic import SecretStr
from werkzeug import Response

from defimon.core.chains import CHAINS
from defimon.sources._evm_chain import EvmChain
from defimon.sources._evm_words import quantity
from defimon.sources._http import Http
from defimon.sources._json_rpc import JsonRpc
from defimon.sources._manners import Manners
from defimon.sources._series import Series

GENESIS_S = 1_700_000_000
GWEI = 10**9
HEAD = 300
"""Of the chain that `followed` is a node of."""
FOLLOWED = Series("evm_rpc:local:blocks", "evm_rpc", timedelta(0), "local")
KEY = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"

BLOCKS = [("eth_getBlockByNumber", (hex(number), False)) for number in range(10)]
"""Calls of a batch."""

names = count()


class Refusal(Exception):  # noqa: N818
    """What a node refuses with: code, words, and data where it sends some."""

    def __init__(self, code, words, data=None):
        super().__init__(words)
        self.error = {"code": code, "message": words} | ({} if data is None else {"data": data})


def word(text):
    return "0x" + hashlib.sha256(str(text).encode()).hexdigest()


TRANSFER = word("Transfer")


class SmallChain:
    """Blocks 0 to `head` of `transactions` each; `forks` (height: name) are followed from their height on."""

    def __init__(self, head, *, transactions=2, chain_id=31337, logs=0):
        self.head = head
        self.final = head
        self.transactions = transactions
        self.chain_id = chain_id
        self.logs_each = logs
        self.forks = {0: "a"}

    def hash_at(self, number):
        return word((number, self.forks[max(start for start in self.forks if start <= number)]))

    def block(self, number, *, whole=True):
        if not 0 <= number <= self.head:
            return None
        sent = [self.transaction(number, place) for place in range(self.transactions)]
        return {
            "number": hex(number),
            "hash": self.hash_at(number),
            "parentHash": self.hash_at(number - 1) if number else word("none"),
            "timestamp": hex(GENESIS_S + 12 * number),
            "gasLimit": hex(30_000_000),
            "gasUsed": hex(21_000 * len(sent)),
            "baseFeePerGas": hex(GWEI),
            "transactions": sent if whole else [one["hash"] for one in sent],
        }

    def transaction(self, number, place):
        return {
            "hash": word((number, place, self.hash_at(number))),
            "from": f"0x{number % 7 + 1:040x}",
            "to": f"0x{place + 100:040x}",
            "value": hex(10**18),
            "input": "0x",
            "gasPrice": hex((2 + place) * GWEI),
            "blockHash": self.hash_at(number),
        }

    def receipts(self, number):
        return [
            {
                "transactionHash": one["hash"],
                "blockHash": one["blockHash"],
                "blockNumber": hex(number),
                "gasUsed": hex(21_000),
                "effectiveGasPrice": one["gasPrice"],
                "logs": self.logs(number) if place == 0 else [],
            }
            for place, one in enumerate(self.block(number)["transactions"])
        ]

    def logs(self, number):
        block, sender = self.hash_at(number), word((number, 0, self.hash_at(number)))
        return [
            {
                "blockNumber": hex(number),
                "logIndex": hex(place),
                "blockHash": block,
                "transactionHash": sender,
                "address": "0x" + "ab" * 20,
                "topics": [TRANSFER],
                "data": f"0x{place:064x}",
            }
            for place in range(self.logs_each)
        ]


class ScriptedNode:
    """One node at an address of its own.

    Each of `acts` serves one request: it is handed the members and gives a Response, or what to send as
    JSON; None lets the node answer honestly. `bends` are (method, function of its parameters and its honest
    answer), for as long as they stand; they may raise Refusal. `asked` holds the methods of each request.
    """

    def __init__(self, server, chain, *acts, path=None):
        self.path = path or f"/node{next(names)}/{KEY}"
        self.url = server.url_for(self.path)
        self.chain = chain
        self.acts = list(acts)
        self.bends = []
        self.asked = []
        server.expect_request(self.path).respond_with_handler(self._serve)

    def _serve(self, request):
        question = json.loads(request.data)
        members = question if isinstance(question, list) else [question]
        self.asked.append([one["method"] for one in members])
        act = self.acts.pop(0) if self.acts else None
        said = act(members) if act else None
        if isinstance(said, Response):
            return said
        if said is None:
            said = self.honest(members)
            said = said if isinstance(question, list) else said[0]
        return Response(json.dumps(said), content_type="application/json")

    def honest(self, members):
        return [self._member(one) for one in members]

    def _member(self, one):
        head = {"jsonrpc": "2.0", "id": one["id"]}
        try:
            return head | {"result": self._result(one["method"], one["params"])}
        except Refusal as refusal:
            return head | {"error": refusal.error}

    def _result(self, method, params):
        if not hasattr(self, method):
            raise Refusal(-32601, f"the method {method} does not exist/is not available")
        found = getattr(self, method)(*params)
        for bent, bend in self.bends:
            if bent == method:
                found = bend(params, found)
        return found

    def eth_chainId(self):  # noqa: N802
        return hex(self.chain.chain_id)

    def eth_blockNumber(self):  # noqa: N802
        return hex(self.chain.head)

    def eth_getBlockByNumber(self, number, whole):  # noqa: N802
        tags = {"latest": self.chain.head, "finalized": self.chain.final}
        return self.chain.block(tags[number] if number in tags else int(number, 16), whole=whole)

    def eth_getBlockReceipts(self, number):  # noqa: N802
        return self.chain.receipts(int(number, 16))

    def eth_getTransactionReceipt(self, name):  # noqa: N802
        numbers = range(self.chain.head + 1)
        every = (one for number in numbers for one in self.chain.receipts(number))
        return next((one for one in every if one["transactionHash"] == name), None)

    def eth_getLogs(self, question):  # noqa: N802
        first, last = int(question["fromBlock"], 16), int(question["toBlock"], 16)
        return [
            log for number in range(first, min(last, self.chain.head) + 1) for log in self.chain.logs(number)
        ]

    def eth_getBalance(self, _address, _block):  # noqa: N802
        return hex(10**18)


def status(code, body=b"", **headers):
    """An act that answers with an HTTP status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Response(body, status=code, headers=named, content_type="application/json")


def refused(code, words, data=None):
    """An act that answers every member with the same error."""
    error = Refusal(code, words, data).error

    def act(members):
        said = [{"jsonrpc": "2.0", "id": one["id"], "error": error} for one in members]
        return said if len(said) > 1 else said[0]

    return act


QUICK = Manners(first_wait_s=0.01, longest_wait_s=0.05, gap_s=0.0, connect_s=30.0, attempts=3)


def asked(urls, ask, manners=QUICK):
    """What `ask` gives for JSON-RPC over these addresses."""

    async def main():
        async with Http(manners) as http:
            rpc = JsonRpc(http, [SecretStr(url) for url in urls])
            try:
                return await ask(rpc)
            finally:
                await rpc.close()

    return asyncio.run(main())


def read(nodes, ask, manners=QUICK, *, memory=None, chain=CHAINS["local"]):
    """What `ask` gives for a reader of a chain over these nodes."""

    async def main():
        async with Http(manners, memory) as http:
            return await ask(EvmChain(http, [SecretStr(node.url) for node in nodes], chain))

    return asyncio.run(main())


def head(rpc):
    return rpc.call("eth_blockNumber", read=quantity)


def standing(store):
    """Height and hash of the stored blocks that are not orphaned."""
    rows = store.read("blocks").filter(pl.col("status") != "orphaned").sort("number")
    return rows.select("number", "hash").rows()


def told(chain, start=0):
    """The same as the chain tells it."""
    return [(number, chain.hash_at(number)) for number in range(start, chain.head + 1)]
