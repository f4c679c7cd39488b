"""How each host does: calls, failures, latency, and whether it is left alone for a while."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HostHealth:
    """How a host did since the count began: what the table `source_health` holds of it.

    `latency_s` is the mean time of an answer, None without one. `state` is open while the host is left
    alone after failures in a row, `note` the last fault with secrets masked.
    """

    endpoint: str
    calls: int
    failures: int
    latency_s: float | None
    state: str
    note: str


class Breaker:
    """Counts a host's calls, and opens after `most` failures in a row: then nothing is asked for `rest_s`
    seconds. After these one call is let through, which closes it or opens it again.

    Times are seconds of one monotonic clock, handed in.
    """

    def __init__(self, endpoint: str, most: int, rest_s: float) -> None:
        self._endpoint, self._most, self._rest_s = endpoint, most, rest_s
        self._in_a_row = 0
        self._open_until: float | None = None
        self._calls = self._failures = self._answers = 0
        self._answered_s = 0.0
        self._note = self._before = ""

    def seconds_left(self, now: float) -> float:
        """Seconds that the host is still left alone; 0 lets one call through, which must then be made."""
        if self._open_until is None:
            return 0.0
        if now < self._open_until:
            return self._open_until - now
        self._open_until = now + self._rest_s  # the others wait for what this one call finds
        return 0.0

    def answered(self, seconds: float) -> None:
        self._calls += 1
        self._answers += 1
        self._answered_s += seconds
        self._in_a_row = 0
        self._open_until = None

    def failed(self, now: float, why: str, *, healthy: bool = False) -> None:
        """A call went wrong; `healthy`: the host is there and only asks for patience."""
        self._calls += 1
        self._failures += 1
        self._note = why
        if healthy:
            self._in_a_row = 0
            self._open_until = None
            return
        self._in_a_row += 1
        if self._in_a_row >= self._most:
            self._open_until = now + self._rest_s

    @property
    def last_fault(self) -> str:
        """Of all times; a count that began after it does not tell of it."""
        return self._note or self._before

    def health(self) -> HostHealth:
        mean = self._answered_s / self._answers if self._answers else None
        state = "closed" if self._open_until is None else "open"
        return HostHealth(self._endpoint, self._calls, self._failures, mean, state, self._note)

    def found(self) -> tuple[int, float | None, str]:
        """Failures in a row, until when nothing is asked, and the last fault."""
        return self._in_a_row, self._open_until, self.last_fault

    def go_on(self, in_a_row: int, open_until: float | None, note: str) -> None:
        """Goes on from what another breaker of the host found; what it counted is not counted again."""
        self._in_a_row, self._open_until = in_a_row, open_until
        self._before = note

    def begin_again(self) -> None:
        """Starts the counts of a new interval; what is open stays open."""
        self._calls = self._failures = self._answers = 0
        self._answered_s = 0.0
        self._before, self._note = self.last_fault, ""
