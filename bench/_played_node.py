"""A node of a chain that is made up block by block: the same blocks whenever they are asked for."""

import hashlib
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

SECONDS = 12
GENESIS_S = 1_700_000_000
GWEI = 10**9
GAS_LIMIT = 30_000_000
SYMBOL = "0x95d89b41"
REFUSED = {"code": -32601, "message": "the method does not exist or is not available"}


def hexed(number: int) -> str:
    return hex(number)


def block_hash(number: int) -> str:
    return "0x" + hashlib.sha256(f"block {number}".encode()).hexdigest()


class PlayedNode:
    """Answers JSON-RPC of a chain of blocks up to `head`, with `transactions` in each of them.

    `lacks` names methods that it refuses. A transaction makes a contract, moves coins or calls one of
    `contracts`, whose symbol is C0, C1, …; prices of gas differ from one to the next.
    """

    def __init__(
        self,
        head: int = 20_000,
        transactions: int = 150,
        contracts: int = 40,
        chain_id: int = 592,
        lacks: Sequence[str] = (),
    ) -> None:
        self.head, self.transactions, self.chain_id, self.lacks = head, transactions, chain_id, lacks
        self.contracts = ["0x" + Random(place).randbytes(20).hex() for place in range(contracts)]
        self.people = ["0x" + Random(-1 - place).randbytes(20).hex() for place in range(300)]
        self.asked: list[str] = []
        self._deals: dict[int, list[tuple[dict[str, Any], int]]] = {}

    def answer(self, question: object) -> object:
        """What an HTTP body is answered with: a batch by a list, a single call by an object."""
        if isinstance(question, list):
            return [self._one(one) for one in question]
        assert isinstance(question, Mapping)
        return self._one(question)

    def base_fee(self, number: int) -> int:
        return 10 * GWEI + number % 1_000 * GWEI // 100

    def block(self, number: int, *, full: bool) -> dict[str, Any]:
        deals = self.deals(number)
        return {
            "number": hexed(number),
            "hash": block_hash(number),
            "parentHash": block_hash(number - 1),
            "timestamp": hexed(GENESIS_S + SECONDS * number),
            "gasUsed": hexed(sum(gas for _, gas in deals)),
            "gasLimit": hexed(GAS_LIMIT),
            "baseFeePerGas": hexed(self.base_fee(number)),
            "transactions": [one if full else one["hash"] for one, _ in deals],
        }

    def deals(self, number: int) -> list[tuple[dict[str, Any], int]]:
        """Transactions of a block with the gas that each used."""
        if number not in self._deals:
            self._deals[number] = self._drawn(number)
        return self._deals[number]

    def _drawn(self, number: int) -> list[tuple[dict[str, Any], int]]:
        draw = Random(number)
        found = []
        for place in range(self.transactions):
            kind = draw.random()
            to = None if kind < 0.01 else draw.choice(self.people)
            if kind > 0.4:
                to = self.contracts[min(int(draw.expovariate(0.2)), len(self.contracts) - 1)]
            gas = 21_000 if 0.01 <= kind <= 0.4 else draw.randint(40_000, 200_000)
            one = {
                "hash": "0x" + hashlib.sha256(f"{number} {place}".encode()).hexdigest(),
                "from": draw.choice(self.people),
                "to": to,
                "input": "0x" if 0.01 <= kind <= 0.4 else "0xa9059cbb",
                "value": hexed(draw.randint(0, 10**18)),
                "gasPrice": hexed(self.base_fee(number) + draw.randint(0, 3 * GWEI)),
                "transactionIndex": hexed(place),
            }
            found.append((one, gas))
        return found

    def receipts(self, number: int) -> list[dict[str, Any]]:
        return [
            {
                "transactionHash": one["hash"],
                "blockHash": block_hash(number),
                "gasUsed": hexed(gas),
                "effectiveGasPrice": one["gasPrice"],
                "logs": [{}] if len(one["input"]) > 2 else [],
            }
            for one, gas in self.deals(number)
        ]

    def fees(self, blocks: int, newest: int, shares: Sequence[float]) -> dict[str, Any]:
        numbers = range(newest - blocks + 1, newest + 1)
        return {
            "oldestBlock": hexed(numbers[0]),
            "baseFeePerGas": [hexed(self.base_fee(number)) for number in [*numbers, newest + 1]],
            "gasUsedRatio": [0.5 for _ in numbers],
            "reward": [[hexed(int(share * GWEI / 50)) for share in shares] for _ in numbers],
        }

    def symbol(self, address: str) -> str:
        text = f"C{self.contracts.index(address)}".encode()
        return "0x" + (32).to_bytes(32).hex() + len(text).to_bytes(32).hex() + text.ljust(32, b"\0").hex()

    def _one(self, call: Mapping[str, Any]) -> dict[str, Any]:
        method, params = str(call["method"]), call["params"]
        self.asked.append(method)
        told: dict[str, Any] = {"jsonrpc": "2.0", "id": call["id"]}
        if method in self.lacks:
            return {**told, "error": {**REFUSED, "message": f"{method}: {REFUSED['message']}"}}
        return {**told, "result": self._result(method, params)}

    def _result(self, method: str, params: Sequence[Any]) -> object:
        if method == "eth_blockNumber":
            return hexed(self.head)
        if method == "eth_chainId":
            return hexed(self.chain_id)
        if method == "eth_getBlockByNumber":
            number = max(0, self.head - 64) if params[0] == "finalized" else int(params[0], 16)
            return self.block(number, full=params[1]) if number <= self.head else None
        if method == "eth_getBlockReceipts":
            return self.receipts(int(params[0], 16))
        if method == "eth_feeHistory":
            return self.fees(int(params[0], 16), int(params[1], 16), params[2])
        if method == "eth_call" and params[0]["data"] == SYMBOL:
            return self.symbol(params[0]["to"])
        raise NotImplementedError(method)
