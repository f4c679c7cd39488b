"""A chain that wanders between forks, also below what was final, while its node lacks bodies and headers,
mixes forks, is behind, or goes away: what a record makes of it once the node tells one truth.
"""

import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from unittest.mock import patch

import orjson
import polars as pl
from seeded_server import Loopback, Reply

sys.path.append(str(Path(__file__).resolve().parents[1] / "sources"))  # so that the node can be imported

from anvil_nodes import GENESIS, collected
from scripted_nodes import ScriptedNode, SmallChain, word

from defimon.flows import _known_blocks
from defimon.sources import _evm_deeper, _evm_reading, _evm_stand
from defimon.sources._manners import Manners

PATIENT = Manners(first_wait_s=0.001, longest_wait_s=0.002, gap_s=0.0, connect_s=30.0, attempts=2)
HIGHEST = 45
TRUE_VISITS = 5
"""Within so many visits after the last trouble all must be there."""


@contextmanager
def small_steps(remembered=4_096):
    """So little is handed over, read and looked at together that a short chain meets every edge of it."""
    sizes = [(_evm_deeper, "STRETCH", 8), (_known_blocks, "DEPTH", 4), (_known_blocks, "DEEPEST", 4 * 4**5),
             (_evm_reading, "FIRST_BLOCKS", 5), (_evm_reading, "MOST_BLOCKS", 12),
             (_evm_stand, "REMEMBERED", remembered)]  # fmt: skip
    with ExitStack() as stack:
        for place, name, size in sizes:
            stack.enter_context(patch.object(place, name, size))
        yield


@dataclass
class View:
    """What the node tells: its fork and heights, which bodies and headers it lacks, and stretches of which it
    tells another fork.
    """

    forks: dict[int, str]
    head: int
    final: int
    bodies: list[range] = field(default_factory=list)
    headers: list[range] = field(default_factory=list)
    mixed: list[tuple[range, dict[int, str]]] = field(default_factory=list)
    next: tuple[int, "View"] | None = None
    """After so many requests it tells this."""
    behind: tuple[int, int] = (0, 0)
    """For so many questions after its head it tells this one."""
    away_after: int | None = None
    """So many requests are answered."""


class WanderingNode(ScriptedNode):
    """Answers of a chain without transactions as its `view` is."""

    def __init__(self):
        self.bends, self.view = [], View({0: "a"}, 0, 0)

    def answer(self, asked):
        view = self.view
        if view.away_after is not None:
            view.away_after -= 1
            if view.away_after < 0:
                return Reply(status=503)
        if view.next is not None:
            left, following = view.next
            view.next = (left - 1, following)
            if left <= 0:
                self.view = following
        members = orjson.loads(asked.body)
        told = self.honest(members if isinstance(members, list) else [members])
        return Reply(orjson.dumps(told if isinstance(members, list) else told[0]))

    @property
    def chain(self):
        return self.at(self.view.forks)

    def at(self, forks):
        chain = SmallChain(self.view.head, transactions=0)
        # A block is another one wherever the chain below it is.
        chain.hash_at = lambda number: word(
            (number, sorted((at, of) for at, of in forks.items() if at <= number))
        )
        chain.final = self.view.final
        return chain

    def eth_blockNumber(self):  # noqa: N802
        asks, head = self.view.behind
        self.view.behind = (asks - 1, head)
        return hex(min(head, self.view.head) if asks > 0 else self.view.head)

    def eth_getBlockByNumber(self, name, whole):  # noqa: N802
        number = {"latest": self.view.head, "finalized": self.view.final}.get(name)
        number = int(name, 16) if number is None else number
        lacking = self.view.headers + (self.view.bodies if whole else [])
        if any(number in stretch for stretch in lacking):
            return None
        forks = next((of for stretch, of in self.view.mixed if number in stretch), self.view.forks)
        return self.at(forks).block(number, whole=whole)


def branches_of(draw):
    found = [{0: "a"}]
    for name in "bcd"[: draw.randrange(1, 4)]:
        start = draw.randrange(0 if draw.random() < 0.2 else 1, HIGHEST - 7)
        found.append({at: one for at, one in draw.choice(found).items() if at < start} | {start: name})
    return found


def stretches(draw, top, most):
    starts = [draw.randrange(top + 1) for _ in range(draw.randrange(most + 1))]
    return [range(start, start + draw.choice([1, 1, 2, 3, 6, 12])) for start in starts]


def final_of(draw, head):
    return head if draw.random() < 0.7 else max(0, head - draw.choice([1, 2, 4, 9]))


def troubled(draw, branches, before):
    """A view in trouble; the head seldom falls."""
    low = max(before, 10) if draw.random() < 0.8 else 2
    head = draw.randrange(min(low, HIGHEST - 1), HIGHEST)
    view = View(draw.choice(branches), head, final_of(draw, head))
    view.bodies = stretches(draw, head, 3) if draw.random() < 0.7 else []
    view.headers = stretches(draw, head, 1) if draw.random() < 0.2 else []
    if draw.random() < 0.4:
        view.mixed = [(one, draw.choice(branches)) for one in stretches(draw, head, 2)]
    for _ in range(draw.randrange(3)):  # another fork between two gaps, over which a run goes on
        start = draw.randrange(max(1, head - 8))
        stop = start + draw.choice([3, 5, 9])
        view.mixed.insert(0, (range(start, stop), draw.choice(branches)))
        view.bodies += [range(start, start + draw.choice([1, 2])), range(stop - 1, stop)][
            draw.random() < 0.2 :
        ]
    if draw.random() < 0.25:
        view.behind = (draw.choice([1, 1, 2, 3]), draw.randrange(head + 1))
    if draw.random() < 0.2:
        view.away_after = draw.randrange(2, 12)
    if draw.random() < 0.3:
        other = head if draw.random() < 0.7 else draw.randrange(2, HIGHEST)
        view.next = (draw.randrange(2, 14), View(draw.choice(branches), other, final_of(draw, other)))
    return view


def wandered(seed, node, url, store):
    """What is wrong with a record that followed the wandering chain of this seed; empty when nothing is.

    The chain has grown in the end: a shorter one cannot be told from a node that is behind.
    """
    draw = Random(seed)
    branches, highest = branches_of(draw), 0
    for _ in range(draw.randrange(1, 7)):
        node.view = troubled(draw, branches, node.view.head)
        highest = max(highest, node.view.head, node.view.next[1].head if node.view.next else 0)
        collected(store, url, since=GENESIS, manners=PATIENT)
    head = highest + draw.randrange(1, 6)
    node.view = View(draw.choice(branches), head, max(final_of(draw, head), highest))
    for _ in range(TRUE_VISITS):
        result = collected(store, url, since=GENESIS, manners=PATIENT)
        wrong = differences(node, store, result)
        if not wrong:
            return ""
    return f"seed {seed}: {wrong}"


def play_wandering(player, seeds, remembered):
    """Of each seed in turn, what is wrong with its record; empty when nothing is."""
    with small_steps(remembered), Loopback(["node"]) as server:
        for seed in seeds:
            node = WanderingNode()
            server.answer = node.answer
            with player.new_store("wandering") as store:
                wrong = wandered(seed, node, server.url("node"), store)
            if server.faults:
                raise server.faults[0]
            yield wrong


def differences(node, store, result):
    view, chain = node.view, node.chain
    expected = {
        (n, chain.hash_at(n), "final" if n <= view.final else "pending") for n in range(view.head + 1)
    }
    rows = store.read("blocks").filter(pl.col("status") != "orphaned")
    blocks = sorted({number for number, *_ in expected ^ set(rows.select("number", "hash", "status").rows())})
    gaps = store.read("gaps").filter(pl.col("status") != "filled").select("start", "end").rows()
    # A position on a block that was a gap when it was passed has no hash.
    position = (result.cursor.number, result.cursor.detail) if result.cursor else None
    right = position in {(view.final, chain.hash_at(view.final)), (view.final, "")}
    return [
        f"{name}: {found}"
        for name, found in {
            "blocks": blocks, "gaps": gaps, "error": result.error,
            "position": "" if right else repr(position),
        }.items()
        if found
    ]  # fmt: skip
