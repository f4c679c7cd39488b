"""What services do wrong on the way: faults of HTTP, each a change of the answer that would have come."""

from dataclasses import dataclass, replace
from zlib import crc32

from numpy.random import default_rng
from seeded_server import Reply

WRONG_BODIES = (
    b"", b"null", b"[]", b"{}", b'"ok"', b"7", b"[null]", b'{"x": NaN}',
    b'{"status": "error", "message": "busy"}',
    b'{"error": {"code": -32603, "message": "internal error"}}', b'{"message": "Internal error"}',
    b"\xff\xfe", b'{"data": 1e999}', b"[[[[[[[[]]]]]]]]",
)  # fmt: skip
"""Whole answers of another shape, with status 200."""

ELSEWHERE = Reply(status=302, headers={"Location": "/elsewhere"})
"""What is asked there is answered in the same way, for ever."""

REFUSALS = (400, 401, 404, 410, 413, 422, 451)
FAILURES = (202, 403, 408, 425, 500, 502, 503, 504, 520, 522)


def _hasty(_, rng):
    hint = rng.choice(["", "0", "3600", "Thu, 01 Jan 2015 00:00:00 GMT", "soon"], p=[0.4, 0.3, 0.1, 0.1, 0.1])
    return Reply(status=429, headers={"Retry-After": str(hint)} if hint else {})


def _failing(_, rng):
    hint = {"Retry-After": "0"} if rng.random() < 0.2 else {}
    body = b"<html>attention required</html>" if rng.random() < 0.5 else b""
    return Reply(body, int(rng.choice(FAILURES)), hint, kind="text/html")


def _refusing(_, rng):
    return Reply(b'{"message": "no"}', int(rng.choice(REFUSALS)))


def _spent(reply, rng):
    reset = str(rng.choice(["0", "1000000001", "3600"], p=[0.45, 0.45, 0.1]))
    return replace(reply, headers={**reply.headers, "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})


def _truncated(reply, rng):
    return replace(reply, body=reply.body[: int(rng.integers(0, max(1, len(reply.body))))])


def _wrong(reply, rng):
    """Not an empty list in place of a full one: that is a lie that nobody could notice."""
    bodies = [one for one in WRONG_BODIES if one != b"[]" or not reply.body.startswith(b"[")]
    return replace(reply, body=bodies[int(rng.integers(len(bodies)))])


FAULTS = {
    "hasty": _hasty,
    "failing": _failing,
    "refusing": _refusing,
    "spent": _spent,
    "truncated": _truncated,
    "wrong": _wrong,
    "html": lambda _, __: Reply(b"<!doctype html><html>maintenance</html>", kind="text/html"),
    "gzip": lambda reply, _: replace(reply, headers={**reply.headers, "Content-Encoding": "gzip"}),
    "elsewhere": lambda _, __: ELSEWHERE,
    "reset": lambda reply, _: replace(reply, manner="reset"),
    "cut": lambda reply, _: replace(reply, manner="cut"),
    "garbage": lambda reply, _: replace(reply, manner="garbage"),
    "trickle": lambda reply, _: replace(reply, manner="trickle"),
    "silent": lambda reply, _: replace(reply, manner="silent"),
}
"""Each is given the true answer and a generator."""

SELDOM = {"silent": 0.01, "trickle": 0.1, "refusing": 0.3}
"""Weights below 1: what costs time, and what ends a run at once."""


@dataclass(frozen=True)
class Weather:
    """How a service does during one visit: a share of its calls fails, in those ways.

    The same call for the n-th time meets the same fault, so that a seed replays.
    """

    seed: tuple[int, ...]
    share: float
    kinds: tuple[str, ...]

    def dice(self, key: bytes, turn: int):
        return default_rng([*self.seed, crc32(key), turn])

    def own_fault(self, dice):
        """What the service itself does wrong: a kind that is none of the way's, or nothing."""
        kinds = [kind for kind in self.kinds if kind not in FAULTS]
        return str(dice.choice(kinds)) if kinds and dice.random() < self.share else ""

    def on_the_way(self, reply, dice):
        """What happens to the answer, and the answer as it arrives."""
        kinds = [kind for kind in self.kinds if kind in FAULTS]
        if not kinds or dice.random() >= self.share:
            return "", reply
        weights = [SELDOM.get(kind, 1.0) for kind in kinds]
        kind = dice.choice(kinds, p=[weight / sum(weights) for weight in weights])
        return str(kind), FAULTS[str(kind)](reply, dice)


CALM = Weather((0,), 0.0, ())


def draw_weather(seed, rng, kinds):
    """Weather of one visit: often mild, sometimes such that nothing gets through."""
    share = float(rng.choice([0.0, 0.05, 0.2, 0.5, 1.0], p=[0.15, 0.35, 0.3, 0.15, 0.05]))
    if rng.random() < 0.5:
        kinds = tuple(rng.choice(kinds, size=min(len(kinds), 3), replace=False))
    return Weather(tuple(seed), share, tuple(map(str, kinds)))
