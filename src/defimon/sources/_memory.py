"""What the clients of one process found out about hosts and nodes, handed from each to the next.

A worker opens a client for each run: without a memory it would ask a host that wants to be left alone again a
minute later, learn every limit anew, and have every answer sent that has not changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Lock

from defimon.core.last_used import LastUsed
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
    """Of a node: its limits and when one of them was learnt last, methods that it lacks by when it said so,
    its failures in a row and its pace.
    """

    batch_limit: int
    log_range: int
    limited_at: float
    lacks: Mapping[str, float]
    failures_in_a_row: int
    failed_at: float
    latency_s: float | None


class KeptAnswers:
    """An AnswerCache of the answers that were used last, as many as there is room for."""

    def __init__(self, most: int = MOST_ANSWERS, most_bytes: int = MOST_BYTES) -> None:
        self._kept: LastUsed[str, Answer] = LastUsed(most, most_bytes)

    def get(self, name: str, /) -> Answer | None:
        """The answer kept under `name`."""
        return self._kept.get(name)

    def __setitem__(self, name: str, answer: Answer, /) -> None:
        """Keeps an answer, unless it is larger than all the room."""
        self._kept.put(name, answer, len(answer.body))


class Memory:
    """Kept by whoever opens clients; may be used by many threads."""

    def __init__(self) -> None:
        self._gate = Lock()
        self._hosts: dict[str, HostFound] = {}
        self._nodes: dict[str, NodeFound] = {}
        self.answers = KeptAnswers()
        self.told_final: set[str] = set()
        """Chains of which a node told what is final."""

    def host(self, place: str) -> HostFound | None:
        return self._hosts.get(place)

    def keep_host(self, place: str, found: HostFound) -> None:
        """As it was found last; a pause that another client was asked for lasts as long all the same."""
        with self._gate:
            before = self._hosts.get(place)
            paused = max(found.paused_until, before.paused_until if before else 0.0)
            self._hosts[place] = replace(found, paused_until=paused)

    def node(self, url: str) -> NodeFound | None:
        return self._nodes.get(url)

    def keep_node(self, url: str, found: NodeFound, now: float) -> None:
        """As it was found last; the lower limits count where two clients have learnt some."""
        with self._gate:
            before = self._nodes.get(url)
            if before is not None:
                batch_limit, log_range, limited_at = _lower_limits(found, before, now)
                found = replace(
                    found,
                    batch_limit=batch_limit,
                    log_range=log_range,
                    limited_at=limited_at,
                    lacks={**before.lacks, **found.lacks},
                )
            self._nodes[url] = found


def _lower_limits(one: NodeFound, other: NodeFound, now: float) -> tuple[int, int, float]:
    """Limits of both that are not to be forgotten yet, and when they were learnt: nothing that was learnt
    later, of something else, makes one last.
    """
    held = [found for found in (one, other) if now - found.limited_at < FORGET_S] or [one]
    batch_limit, log_range = min(found.batch_limit for found in held), min(found.log_range for found in held)
    both = [
        found.limited_at for found in held if (found.batch_limit, found.log_range) == (batch_limit, log_range)
    ]
    return batch_limit, log_range, max(both) if both else min(found.limited_at for found in held)
