"""What the clients of one process found out about hosts and nodes, handed from each to the next.

A worker opens a client for each run: without a memory it would ask a host that wants to be left alone again a
minute later, learn every limit anew, and have every answer sent that has not changed.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Lock

from defimon.sources._answer import Answer

MOST_ANSWERS, MOST_BYTES = 1_000, 32 * 1024 * 1024
"""Of answers that a server is asked whether they still hold: room for some hundred repositories of GitHub."""

FORGET_S = 6 * 3_600.0
"""Limits that were learnt longer ago are tried anew: nodes change, and a time-out may have been chance."""


@dataclass(frozen=True, slots=True)
class HostFound:
    """Of a host: the gap between calls, until when it wants a pause, its failures in a row, until when it is
    left alone and its last fault. Times are seconds of the process's monotonic clock.
    """

    gap_s: float
    paused_until: float
    in_a_row: int
    open_until: float | None
    note: str


@dataclass(frozen=True, slots=True)
class NodeFound:
    """Of a node: limits, and methods that it lacks by when it said so, learnt last at `learnt_at`; its
    failures in a row and its pace.
    """

    batch_limit: int
    log_range: int
    lacks: Mapping[str, float]
    learnt_at: float
    failures_in_a_row: int
    failed_at: float
    latency_s: float | None


class KeptAnswers:
    """An AnswerCache of the answers that were used last, as many as there is room for."""

    def __init__(self, most: int = MOST_ANSWERS, most_bytes: int = MOST_BYTES) -> None:
        self._gate = Lock()
        self._most, self._most_bytes = most, most_bytes
        self._room = most_bytes
        self._kept: OrderedDict[str, Answer] = OrderedDict()

    def get(self, name: str, /) -> Answer | None:
        """The answer kept under `name`."""
        with self._gate:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)

    def __setitem__(self, name: str, answer: Answer, /) -> None:
        """Keeps an answer, unless it is larger than all the room."""
        with self._gate:
            if name in self._kept:
                self._room += len(self._kept.pop(name).body)
            if len(answer.body) > self._most_bytes:
                return
            self._kept[name] = answer
            self._room -= len(answer.body)
            while self._room < 0 or len(self._kept) > self._most:
                self._room += len(self._kept.popitem(last=False)[1].body)


class Memory:
    """Kept by whoever opens clients; may be used by many threads."""

    def __init__(self) -> None:
        self._gate = Lock()
        self._hosts: dict[str, HostFound] = {}
        self._nodes: dict[str, NodeFound] = {}
        self.answers = KeptAnswers()

    def host(self, place: str) -> HostFound | None:
        return self._hosts.get(place)

    def keep_host(self, place: str, found: HostFound) -> None:
        """As it was found last; a pause that another client was asked for lasts as long all the same."""
        with self._gate:
            before = self._hosts.get(place)
            paused = max(found.paused_until, before.paused_until if before else 0.0)
            self._hosts[place] = replace(found, paused_until=paused)

    def node(self, url: str, now: float) -> NodeFound | None:
        """What is known of it and still counts; its limits no more after FORGET_S."""
        found = self._nodes.get(url)
        return found if found is None or now - found.learnt_at < FORGET_S else None

    def keep_node(self, url: str, found: NodeFound, now: float) -> None:
        """As it was found last; the lower limits count where two clients have learnt some."""
        with self._gate:
            before = self.node(url, now)
            if before is not None:
                found = replace(
                    found,
                    batch_limit=min(found.batch_limit, before.batch_limit),
                    log_range=min(found.log_range, before.log_range),
                    lacks={**before.lacks, **found.lacks},
                    learnt_at=max(found.learnt_at, before.learnt_at),
                )
            self._nodes[url] = found
