"""A node of a seeded chain: JSON-RPC over HTTP, from its own view of the chain, with its own moods."""

from copy import deepcopy
from dataclasses import dataclass

import orjson
from seeded_faults import CALM, FAULTS, Weather, draw_weather
from seeded_server import Reply

from defimon.core.chains import CHAINS

REFUSALS = (
    (-32005, "limit exceeded"), (-32007, "50/second request limit reached"), (429, "Too Many Requests"),
    (-32603, "internal error"), (-32000, "header not found"), (-32002, "resource unavailable"),
    (-32000, "request timed out"), (-32001, "unknown block"),
)  # fmt: skip

TALK = (
    "refused", "all_refused", "missing", "shuffled", "twice", "other_id", "nulls", "mixed", "stale", "field",
    "null_field", "other_height", "receipts", "hashes_only", "batch_limit", "text_error", "other_chain",
)  # fmt: skip
"""Faults of JSON-RPC itself; `mixed`, `stale` and `receipts` come from an older view of the chain."""

KINDS = (*FAULTS, *TALK)

UNNOTICED = {"baseFeePerGas", "to", "miner", "gas", "type"}
"""Fields that a block may rightly lack or hold null, or that nobody reads."""


@dataclass
class Node:
    """One endpoint. `step` is the view of the chain that it has, `lag` how many blocks it is behind."""

    chain: object
    step: int = 0
    lag: int = 0
    batch_limit: int = 1_000
    weather: Weather = CALM
    fault: str = ""
    """What was wrong with the last answer."""

    def view(self, step=None):
        return self.chain.steps[self.step if step is None else step]

    def older(self):
        return self.view(max(0, self.step - 1))

    def head(self, view):
        return max(self.chain.base, view.head - self.lag)

    def answer(self, asked, dice):
        """The reply to a call or a batch; `dice` decide what goes wrong with it."""
        question = orjson.loads(asked.body)
        calls = question if isinstance(question, list) else [question]
        self.fault = ""
        if len(calls) > self.batch_limit:
            return _reply(_refusal(None, -32600, f"batch size too large, limit is {self.batch_limit}"))
        self.fault = fault = self.weather.own_fault(dice)
        if fault == "batch_limit" and len(calls) > 1:
            return _reply(_refusal(None, -32600, "batch too large"))
        if fault == "all_refused":
            return _reply(_refusal(None, *REFUSALS[dice.integers(len(REFUSALS))]))
        if fault == "text_error":
            return _reply({"jsonrpc": "2.0", "id": calls[0]["id"], "error": "upstream failed"})
        told = [self._told(one, fault, dice) for one in calls]
        told = _muddled(told, fault, dice)
        return _reply(told if isinstance(question, list) else (told or [None])[0])

    def _told(self, call, fault, dice):
        struck = dice.random() < 0.5
        if fault == "refused" and struck:
            return _refusal(call["id"], *REFUSALS[dice.integers(len(REFUSALS))])
        old = fault == "stale" or (fault == "mixed" and struck)
        old = old or (fault == "receipts" and call["method"] == "eth_getBlockReceipts")
        view = self.older() if old else self.view()
        try:
            result = self._result(call["method"], call["params"], view)
        except KeyError:
            return _refusal(call["id"], -32601, f"the method {call['method']} does not exist")
        if fault == "other_chain" and call["method"] == "eth_chainId":
            result = "0x539"
        by_height = str(call["params"][:1])[2:4] == "0x"
        if struck and fault in SPOILED and (by_height or fault not in self._lies()):
            result = SPOILED[fault](result, dice)
        return {"jsonrpc": "2.0", "id": call["id"], "result": result}

    def _lies(self):
        """Faults that lie about what is final, which nobody notices: another height; and where each block is
        final without the tag, none.
        """
        at_once = self.chain.evm_id == CHAINS["local"].evm_id
        return {"other_height", "nulls"} if at_once else {"other_height"}

    def _result(self, method, params, view):
        return {
            "eth_blockNumber": lambda: hex(self.head(view)),
            "eth_getBlockByNumber": lambda: self._block(view, *params),
            "eth_getBlockReceipts": lambda: self._receipts(view, *params),
            "eth_chainId": lambda: hex(self.chain.evm_id),
        }[method]()

    def _height(self, view, block):
        heights = {"finalized": min(view.final, self.head(view)), "latest": self.head(view), "earliest": 0}
        return heights[block] if block in heights else int(block, 16)

    def _block(self, view, block, whole):
        number = self._height(view, block)
        if number > self.head(view):
            return None
        found = self.chain.block(view.branch, number)
        return found if whole else {**found, "transactions": [one["hash"] for one in found["transactions"]]}

    def _receipts(self, view, block):
        number = self._height(view, block)
        return None if number > self.head(view) else self.chain.receipts(view.branch, number)


def _drop(result, dice):
    """Without one of its fields."""
    if not isinstance(result, dict):
        return result
    gone = dice.choice(sorted(set(result) - UNNOTICED))
    return {name: value for name, value in result.items() if name != gone}


def _null(result, dice):
    """One figure that is null, of the block or of a transaction in it."""
    if not isinstance(result, dict):
        return result
    spoiled = deepcopy(result)
    parts = [one for one in spoiled["transactions"] if isinstance(one, dict)]
    part = parts[dice.integers(len(parts))] if parts and dice.random() < 0.5 else spoiled
    names = sorted(set(part) - UNNOTICED)
    part[str(dice.choice(names))] = None
    return spoiled


def _higher(result, _):
    if isinstance(result, dict):
        return {**result, "number": hex(int(result["number"], 16) + 1)}
    return result


def _hashes(result, _):
    if isinstance(result, dict) and result["transactions"]:
        return {**result, "transactions": [one if isinstance(one, str) else one["hash"] for one in
                                           result["transactions"]]}  # fmt: skip
    return result


SPOILED = {
    "nulls": lambda _, __: None,
    "field": _drop,
    "null_field": _null,
    "other_height": _higher,
    "hashes_only": _hashes,
}


def _muddled(told, fault, dice):
    if fault == "shuffled":
        return [told[place] for place in dice.permutation(len(told))]
    if fault == "missing":
        return [one for one in told if dice.random() < 0.7]
    if fault == "twice":
        return [*told, told[-1]]
    if fault == "other_id":
        return [{**one, "id": one["id"] + 1_000_000} for one in told]
    return told


def _refusal(number, code, words):
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": words}}


def _reply(value):
    return Reply(orjson.dumps(value))


def draw_node(chain, seed, rng):
    """A node in the middle of its troubles: behind, on an older view, with a limit of its own."""
    weather = draw_weather(seed, rng, KINDS)
    last = len(chain.steps) - 1
    return Node(
        chain,
        step=int(rng.integers(0, last + 1)),
        lag=int(rng.choice([0, 0, 0, 1, 2, 5, 40])),
        batch_limit=int(rng.choice([1_000, 1_000, 40, 7])),
        weather=weather,
    )
