"""A small chain as it was at each step of its history: it grows, and what counts as true changes."""

import hashlib
from dataclasses import dataclass
from functools import cache

from numpy.random import default_rng

BLOCK_S = 1_800
GENESIS_S = 1_700_000_000
GWEI = 10**9


@dataclass(frozen=True)
class Step:
    """What the chain looks like at one time: its branch, highest block, and highest final one."""

    branch: int
    head: int
    final: int


class SeededChain:
    """Blocks by branch and height; `steps` is the history, the last one being the truth that stays.

    `first` is the height at `since`, below which nothing is asked for. Reorganisations are 1 to `deepest`
    blocks deep, now and then below what counted as final.
    """

    def __init__(self, seed, evm_id=1, steps=5, deepest=64):
        rng = default_rng([seed, 1])
        self.seed, self.evm_id = seed, evm_id
        self.base = int(rng.choice([0, 0, 1, 17, 300, 19_000_000], p=[0.3, 0.2, 0.15, 0.15, 0.15, 0.05]))
        self.first = self.base + int(rng.integers(0, 3))
        self.busy = float(rng.choice([0.0, 0.7, 2.0]))
        # Caches of this chain alone, which go with it: many thousands of seeds are played by one process.
        self._block, self._receipts = cache(self._new_block), cache(self._new_receipts)
        self.stem = [(None, 0)]
        """For each branch its parent, and the first height that differs from it."""
        head = self.first + int(rng.choice([rng.integers(3, 12), rng.integers(4, 90)], p=[0.6, 0.4]))
        lag = int(rng.choice([0, 1, 3, 8, 32, 70]))
        self.steps = [Step(0, head, self._final(head, lag, 0))]
        for _ in range(steps - 1):
            self.steps.append(self._next(rng, lag, deepest))
        last = self.steps[-1]
        top = max(step.head for step in self.steps) + int(rng.integers(0, 4))
        # Blocks that were told of and are no more are the one thing two honest records may differ in.
        self.steps.append(Step(last.branch, top, self._final(top, lag, last.final)))

    @property
    def since_s(self):
        return self.seconds(self.first)

    def seconds(self, number):
        """Of the header; blocks below the first ones that are asked for were quicker."""
        return GENESIS_S + (number - self.base) * (BLOCK_S if number > self.base else 12)

    def _next(self, rng, lag, deepest):
        now = self.steps[-1]
        branch, head = now.branch, now.head
        if rng.random() < 0.6:
            deep = (
                int(rng.choice([1, 2, 3, 7, 20, deepest]))
                if rng.random() < 0.7
                else int(rng.integers(1, deepest + 1))
            )
            fork = max(self.first + 1, head - deep + 1)
            self.stem.append((branch, fork))
            branch = len(self.stem) - 1
            head = max(fork, head + int(rng.integers(-2, 4)))
        else:
            head += int(rng.choice([0, 1, 5, 30]))
        return Step(branch, head, self._final(head, lag, now.final))

    def _final(self, head, lag, floor):
        return max(min(head, floor), head - lag, 0)

    def branch_at(self, branch, number):
        """The branch that a block of that height, on the way to the tip of `branch`, first came with."""
        while number < self.stem[branch][1]:
            branch = self.stem[branch][0]
        return branch

    def hash_at(self, branch, number):
        if number < 0:
            return "0x" + "0" * 64
        return self._hex(f"block {self.branch_at(branch, number)} {number}")

    def block(self, branch, number):
        """The block as eth_getBlockByNumber gives it, with whole transactions."""
        return self._block(self.branch_at(branch, number), number)

    def receipts(self, branch, number):
        return self._receipts(self.branch_at(branch, number), number)

    def _hex(self, name, size=64):
        return "0x" + hashlib.sha256(f"{self.seed} {name}".encode()).hexdigest()[:size]

    def _new_block(self, branch, number):
        rng = default_rng([self.seed, 2, branch, number])
        base_fee = int(rng.integers(1, 50)) * GWEI
        count = int(rng.poisson(self.busy))
        sent = [self._transaction(rng, branch, number, place, base_fee) for place in range(count)]
        used = sum(int(one["gas"], 16) for one in sent)
        return {
            "number": hex(number),
            "hash": self.hash_at(branch, number),
            "parentHash": self.hash_at(branch, number - 1),
            "timestamp": hex(self.seconds(number)),
            "gasUsed": hex(used),
            "gasLimit": hex(30_000_000),
            "baseFeePerGas": hex(base_fee),
            "miner": self._hex("miner", 40),
            "transactions": sent,
        }

    def _transaction(self, rng, branch, number, place, base_fee):
        tip = int(rng.integers(0, 3)) * GWEI
        kind = int(rng.choice([0, 2, 2]))
        creates = rng.random() < 0.15
        priced = {"maxFeePerGas": hex(base_fee * 2), "maxPriorityFeePerGas": hex(tip)} if kind else {}
        return {
            "hash": self._hex(f"transaction {branch} {number} {place}"),
            "from": self._hex(f"who {rng.integers(6)}", 40),
            "to": None if creates else self._hex(f"who {rng.integers(6)}", 40),
            "value": hex(int(rng.integers(0, 2**40)) * int(rng.choice([0, 1, 10**9]))),
            "input": "0x6001" if creates or rng.random() < 0.5 else "0x",
            "gas": hex(int(rng.integers(21_000, 90_000))),
            "gasPrice": hex(base_fee + tip),
            "type": hex(kind),
            **priced,
        }

    def _new_receipts(self, branch, number):
        block = self._block(branch, number)
        return [
            {
                "transactionHash": one["hash"],
                "blockHash": block["hash"],
                "blockNumber": block["number"],
                "gasUsed": one["gas"],
                "effectiveGasPrice": one["gasPrice"],
                "status": "0x1",
                "logs": [],
            }
            for one in block["transactions"]
        ]
