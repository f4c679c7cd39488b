"""Nodes of one seeded chain as a service of the world, and what must hold of what was collected from them."""

from itertools import pairwise

from seeded_chain import SeededChain
from seeded_node import Node, draw_node

from defimon.core.chains import CHAINS

NAMES = ("astar", "polygon", "ethereum", "local")


class ChainService:
    """One to three nodes; during troubled visits each has its own view of the chain and its own weather."""

    source = "evm_rpc"

    def __init__(self, seed, rng, start):
        self.name = NAMES[int(rng.integers(len(NAMES)))]
        self.chain = SeededChain(seed, CHAINS[self.name].evm_id)
        self.series = f"evm_rpc:{self.name}:blocks"
        self.places = tuple(f"node{number}" for number in range(int(rng.integers(1, 4))))
        self.lowest = self.chain.first
        self.calm(start)

    @staticmethod
    def is_snapshot(_):
        return False

    def environment(self, server, rng=None):
        """Settings that point at the nodes; some visits one of them is not there at all."""
        urls = [server.url(place) for place in self.places]
        if rng is not None and rng.random() < 0.1:
            urls[int(rng.integers(len(urls)))] = server.nowhere
        return {f"DEFIMON_RPC_{self.name.upper()}": ",".join(urls)}

    def troubled(self, seed, rng, now):  # noqa: ARG002 - a chain has a time of its own
        self.nodes = {
            place: draw_node(self.chain, (*seed, number), rng) for number, place in enumerate(self.places)
        }
        self.turns_at = int(rng.integers(1, 30)) if rng.random() < 0.4 else None
        self.calls = 0

    def calm(self, now):  # noqa: ARG002
        last = len(self.chain.steps) - 1
        self.nodes = {place: Node(self.chain, step=last) for place in self.places}
        self.turns_at = None

    def weather(self, place):
        return self.nodes[place].weather

    def answer(self, asked, dice):
        if self.turns_at is not None:
            self.calls += 1
            if self.calls == self.turns_at:  # the chain moves on under the reader
                for node in self.nodes.values():
                    node.step = min(node.step + 1, len(self.chain.steps) - 1)
        node = self.nodes[asked.place]
        reply = node.answer(asked, dice)
        self.faults = [node.fault]
        return reply

    @staticmethod
    def comparable(_, rows):
        return rows

    def told_faults(self):
        """What was wrong with what was told last, beside what happens to it on the way."""
        return self.faults

    def key(self, asked):
        """What makes two calls the same: not the number that JSON-RPC gives each."""
        return asked.body.translate(None, b"0123456789") + asked.body[-200:]

    def problems(self, record, *, ended):
        """What is wrong with the record of this service; `ended`: it should be whole."""
        found = []
        blocks = record.rows(
            "SELECT number, hash, status, max(known_at) FROM blocks WHERE chain = '{0}' GROUP BY number",
            self.name,
        )
        stands = record.rows("SELECT number, detail FROM cursors WHERE series = '{0}' ORDER BY known_at",
                             self.series)  # fmt: skip
        gaps = record.rows(
            "SELECT start, \"end\", status, max(known_at) FROM gaps WHERE series = '{0}' GROUP BY start",
            self.series,
        )
        if stands:
            there = {number for number, _, status, _ in blocks if status != "orphaned"}
            for start, end, status, _ in gaps:
                if status != "filled":
                    there.update(range(start, end))
            low = min(there, default=stands[-1][0] + 1)
            lacking = sorted(set(range(low, stands[-1][0] + 1)) - there)
            if lacking:
                found.append(f"blocks {lacking[:5]} below {stands[-1]} are neither stored nor a gap")
        found += self._backward(stands)
        if ended:
            last = self.chain.steps[-1]
            open_gaps = [gap[:3] for gap in gaps if gap[2] != "filled"]
            found += [f"gaps are left: {open_gaps}"] if open_gaps else []
            if last.final >= self.lowest and (not stands or stands[-1][0] != last.final):
                found.append(f"the position is {stands[-1:]} and not {last}")
        return found

    def _backward(self, stands):
        """Positions that went back although nobody ever told of another block there."""
        found = []
        for (before, name), (after, _) in pairwise(stands):
            told = {self.chain.hash_at(step.branch, before) for step in self.chain.steps}
            if after < before and name and told <= {name}:
                found.append(f"the position went back from {before} to {after} without a reorganisation")
        return found
