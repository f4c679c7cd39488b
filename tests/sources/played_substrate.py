"""A Substrate node on loopback: hand-made final blocks of a small runtime, in the documented shapes.

Its metadata are of version 14 and describe only what these blocks hold; hashes of headers are true ones.
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

# ruff: noqa: N802 - methods are named as the node names its own
from werkzeug import Request, Response

from defimon.sources._scale import compact

START = datetime(2026, 1, 1, tzinfo=UTC)
BLOCK_TIME = timedelta(seconds=12)
ANN, BOB = bytes([1] * 32), bytes([2] * 32)
SUCCESS, TRANSFER, FEE_PAID, INSTANTIATED, CALLED = (
    b"\x00\x00",
    b"\x04\x02",
    b"\x05\x00",
    b"\x06\x00",
    b"\x06\x01",
)
"""Pallet and event by index."""

STORAGE = {
    "26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7": "events",
    "26aa394eea5630e07c48ae0c9558cef734abf5cb34d6244378cddbf18e849d96": "weight",
    "f0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb": "now",
    "c2261276cc9d1f8598ea4b6a74b15c2f57c875e4cff74148e4628f264b974c80": "issuance",
}


def text(words):
    return compact(len(words)) + words.encode()


def vector(parts):
    return compact(len(parts)) + b"".join(parts)


def u128(number):
    return number.to_bytes(16, "little")


def composite(**fields):
    return b"\x00" + _fields(fields)


def _fields(fields):
    """A name that begins with an underscore stands for none."""
    return vector(
        [
            (b"\x00" if name.startswith("_") else b"\x01" + text(name)) + compact(number) + b"\x00\x00"
            for name, number in fields.items()
        ]
    )


def variants(**by_name):
    """Each is (index, fields)."""
    return b"\x01" + vector(
        [text(name) + _fields(fields) + bytes([index]) + b"\x00" for name, (index, fields) in by_name.items()]
    )


def primitive(which):
    return b"\x05" + bytes([which])


def metadata(*, fees=True, named=True, version=14):
    """The small runtime's; without the event of paid fees, or without names of fields, as older ones."""
    name = (lambda one: one) if named else (lambda one: f"_{one}")
    paid = {"TransactionFeePaid": (0, {"who": 2, "actual_fee": 3, "tip": 3})} if fees else {"Other": (9, {})}
    types = [
        primitive(3),
        b"\x03" + (32).to_bytes(4, "little") + compact(0),
        composite(_=1),
        primitive(7),
        primitive(6),
        primitive(5),
        composite(ref_time=7, proof_size=7),
        b"\x06" + compact(4),
        composite(normal=6, operational=6, mandatory=6),
        composite(base_block=6, max_block=6),
        variants(ExtrinsicSuccess=(0, {})),
        variants(Transfer=(2, {name("from"): 2, name("to"): 2, name("amount"): 3})),
        variants(**paid),
        variants(Instantiated=(0, {"deployer": 2, "contract": 2}), Called=(1, {"contract": 2})),
        variants(
            System=(0, {"_": 10}), Balances=(4, {"_": 11}),
            TransactionPayment=(5, {"_": 12}), Contracts=(6, {"_": 13}),
        ),
        variants(ApplyExtrinsic=(0, {"_": 5}), Finalization=(1, {}), Initialization=(2, {})),
        composite(_=1),
        b"\x02" + compact(16),
        composite(phase=15, event=14, topics=17),
        b"\x02" + compact(18),
    ]  # fmt: skip
    described = [
        compact(number) + vector([text("path")]) + vector([text("T") + b"\x00"]) + one + vector([text("doc")])
        for number, one in enumerate(types)
    ]
    entries = [
        text(name) + b"\x01\x00" + compact(number) + vector([b"\x00"]) + b"\x00"
        for name, number in (("Events", 19), ("BlockWeight", 8))
    ]
    limits = b"".join(compact(number) for number in (1, 2, 500_000, 600))
    constant = text("BlockWeights") + compact(9) + compact(len(limits)) + limits + b"\x00"
    storage = b"\x01" + text("System") + vector(entries)
    pallets = [text("System") + storage + b"\x00" + b"\x01" + compact(10) + vector([constant]) + b"\x00\x00"]
    for index, (pallet, number) in enumerate(
        (("Balances", 11), ("TransactionPayment", 12), ("Contracts", 13)), 4
    ):
        pallets.append(text(pallet) + b"\x00\x00" + b"\x01" + compact(number) + b"\x00\x00" + bytes([index]))
    return b"meta" + bytes([version]) + vector(described) + vector(pallets) + b"\x00\x04\x00"


def event(which, *fields):
    """An event record of the first extrinsic."""
    return b"\x00" + (0).to_bytes(4, "little") + which + b"".join(fields) + b"\x00"


@dataclass
class Block:
    """A block; its header's hash is that of its contents."""

    number: int
    parent_hash: str
    events: list = field(default_factory=list)
    extrinsics: int = 2
    version: int = 1
    mark: int = 0

    def header(self):
        return {
            "parentHash": self.parent_hash,
            "number": hex(self.number),
            "stateRoot": f"0x{self.mark:064x}",
            "extrinsicsRoot": f"0x{7:064x}",
            "digest": {"logs": ["0x0661757261080100"]},
        }

    @property
    def hash(self):
        raw = bytes.fromhex(self.parent_hash[2:]) + compact(self.number) + self.mark.to_bytes(32, "big")
        raw += (7).to_bytes(32, "big") + compact(1) + bytes.fromhex("0661757261080100")
        return f"0x{hashlib.blake2b(raw, digest_size=32).hexdigest()}"

    def stored(self):
        now = START + self.number * BLOCK_TIME
        return {
            "events": vector(self.events),
            "now": int(now.timestamp() * 1_000).to_bytes(8, "little"),
            "weight": b"".join(compact(number) for number in (1_000, 1, 2_000, 1, 70_000, 1)),
            "issuance": u128(10**12),
        }


def sample(head=9):
    """Blocks up to `head`: each pays fees and moves coins by its height, the third makes a contract."""
    blocks = [Block(0, f"0x{0:064x}")]
    for number in range(1, head + 1):
        events = [event(SUCCESS)]
        for place in range(number % 3):
            events += [
                event(TRANSFER, ANN, BOB, u128(10**10 * (number + place))),
                event(FEE_PAID, ANN, u128(10**8 * number), u128(5)),
            ]
        if number == 3:
            events += [event(INSTANTIATED, ANN, BOB), event(CALLED, BOB), event(CALLED, BOB)]
        blocks.append(Block(number, blocks[-1].hash, events, 2 + number % 3))
    return blocks


class PlayedNode:
    """Answers like a node; blocks below `kept_from` have lost their state."""

    def __init__(self, blocks):
        self.metadata = {1: metadata(), 2: metadata()}
        self.blocks = {}
        self.heights = {}
        self.put(blocks)
        self.kept_from = 0
        self.missing = set()
        self.refusals = {}
        self.accounts = {}
        self.batches = True
        self.asked = []

    def put(self, blocks):
        self.heights = {one.number: one.hash for one in blocks}
        self.blocks = {one.hash: one for one in blocks}
        self.final = blocks[-1].hash

    def __call__(self, request: Request) -> Response:
        question = json.loads(request.data)
        if isinstance(question, list) and not self.batches:
            refusal = {"code": -32005, "message": "Batched requests are not supported by this server"}
            answer = {"jsonrpc": "2.0", "id": None, "error": refusal}
        elif isinstance(question, list):
            answer = [self.answer(one) for one in question]
        else:
            answer = self.answer(question)
        return Response(json.dumps(answer), content_type="application/json")

    def answer(self, question):
        method, params = question["method"], question["params"]
        self.asked.append((method, params))
        told = {"jsonrpc": "2.0", "id": question["id"]}
        if method in self.refusals:
            return told | {"error": self.refusals[method]}
        try:
            return told | {"result": getattr(self, method)(*params)}
        except KeyError as lost:
            message = f"Client error: UnknownBlock: State already discarded for {lost}"
            return told | {"error": {"code": 4003, "message": message}}
        except AttributeError:
            return told | {"error": {"code": -32601, "message": "Method not found"}}

    def chain_getFinalizedHead(self):
        return self.final

    def chain_getHeader(self, block):
        return self.blocks[block].header()

    def chain_getBlockHash(self, number):
        return None if number in self.missing else self.heights.get(number)

    def chain_getBlock(self, block):
        found = self.blocks[block]
        return {
            "block": {
                "header": found.header(),
                "extrinsics": ["0x280403000b107cbffea101"] * found.extrinsics,
            },
            "justifications": None,
        }

    def state_queryStorageAt(self, keys, block):
        stored = self._state(block).stored()
        values = {key: stored.get(STORAGE.get(key[2:], "")) or self.accounts.get(key) for key in keys}
        changes = [[key, None if raw is None else f"0x{raw.hex()}"] for key, raw in values.items()]
        return [{"block": block, "changes": changes}]

    def state_getRuntimeVersion(self, block):
        return {"specName": "small", "specVersion": self._state(block).version}

    def state_getMetadata(self, block):
        return f"0x{self.metadata[self._state(block).version].hex()}"

    def payment_queryInfo(self, _extrinsic, _block):
        return {"weight": {"ref_time": 1, "proof_size": 1}, "class": "normal", "partialFee": "15600000"}

    def _state(self, block):
        found = self.blocks[block]
        if found.number < self.kept_from:
            raise KeyError(block)
        return found
