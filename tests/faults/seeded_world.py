"""The services of one seed, with their clock, and the answers that they give during a visit."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from numpy.random import default_rng
from seeded_chain import GENESIS_S
from seeded_chain_service import ChainService
from seeded_explorer import ExplorerService
from seeded_faults import ELSEWHERE
from seeded_gecko import GeckoService
from seeded_github import GitHubService
from seeded_llama import LlamaService

from defimon.core.settings import load_settings

PLACES = ("node0", "node1", "node2", "llama", "gecko", "github", "explorer")
SERVICES = (
    (ChainService, 0.5),
    (LlamaService, 0.25),
    (GeckoService, 0.2),
    (GitHubService, 0.2),
    (ExplorerService, 0.2),
)
"""Each with the share of seeds in which it is there."""

EVERY = timedelta(minutes=15)
START = datetime.fromtimestamp(GENESIS_S, UTC).replace(hour=23, minute=20, second=0) + timedelta(days=2)
"""So that visits fall on both sides of midnight."""


class World:
    """One seed: who is there, how many visits are in trouble, and what each of them meets."""

    def __init__(self, seed, *, everyone=False):
        rng = default_rng([seed, 0])
        self.seed = seed
        there = [kind for kind, share in SERVICES if rng.random() < share or everyone]
        self.services = [kind(seed, rng, START) for kind in there]
        self.services = self.services or [ChainService(seed, rng, START)]
        self.visits = int(rng.integers(2, 4))
        self.slips = [timedelta(0)] * 64
        """By visit, how wrong one's own clock is."""
        kinds = {type(one) for one in self.services}
        if LlamaService not in kinds and rng.random() < 0.15:
            least = 0 if GeckoService in kinds else -2  # its snapshots count by the earlier of two clocks
            self.slips[: self.visits] = [
                timedelta(hours=int(n)) for n in rng.integers(least, 30, self.visits)
            ]
        self.rooms = [int(rng.integers(0, 12)) if rng.random() < 0.08 else None for _ in range(self.visits)]
        """By visit, how many pages the store may still grow by before its disk is full."""
        self._by_place = {place: one for one in self.services for place in one.places}
        self.calls, self.faults = 0, Counter()

    @property
    def names(self):
        return tuple(one.source for one in self.services)

    @property
    def since(self):
        chain = next((one.chain for one in self.services if isinstance(one, ChainService)), None)
        return datetime.fromtimestamp(chain.since_s, UTC) if chain else START - timedelta(days=2)

    def time_of(self, visit):
        """Visits in trouble and the one after them come one after the other, further ones on a later day."""
        if visit <= self.visits:
            return START + visit * EVERY
        return START.replace(hour=12, minute=0) + timedelta(days=2) + visit * EVERY

    def begin(self, visit, *, troubled):
        """One visit; its troubles are the seed's and the visit's."""
        self._turns, now = {}, self.time_of(visit)
        self._rng = default_rng([self.seed, 3, visit]) if troubled else None
        for number, one in enumerate(self.services):
            if self._rng is None:
                one.calm(now)
            else:
                one.troubled((self.seed, visit, number), self._rng, now)

    def environment(self, server):
        found = {}
        for one in self.services:
            found |= one.environment(server, self._rng)
        return found

    def settings(self, server):
        return load_settings(self.environment(server))

    def answer(self, asked):
        if asked.target.startswith("/elsewhere"):
            return ELSEWHERE
        service = self._by_place[asked.place]
        key = asked.place.encode() + asked.target.encode() + service.key(asked)
        turn = self._turns[key] = self._turns.get(key, 0) + 1
        weather = service.weather(asked.place)
        dice = weather.dice(key, turn)
        reply = service.answer(asked, dice)
        fault, arriving = weather.on_the_way(reply, dice)
        self.calls += 1
        self.faults.update(name for name in (fault, *service.told_faults()) if name)
        return arriving

    def room(self, visit):
        return self.rooms[visit] if visit < self.visits else None

    def is_snapshot(self, series):
        return any(
            one.source == series.partition(":")[0] and one.is_snapshot(series) for one in self.services
        )

    def comparable(self, table, rows):
        """Those of a table's rows that two records of this world must share."""
        for one in self.services:
            rows = one.comparable(table, rows)
        return rows

    def pace(self, series):
        return EVERY if series == "defillama:pools" else timedelta(hours=1)
