"""A chain's nodes: how each does, what each was found to bear, and in which order to ask them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from math import log2
from urllib.parse import urlsplit

from pydantic import SecretStr

from defimon.core.errors import FixSettings
from defimon.sources._manners import Manners
from defimon.sources._masking import masked

MOST_IN_BATCH = 200
"""Calls in one batch until a node refuses: under the limits of most providers (100 to 1,000), which are
learnt by halving."""

MOST_IN_RANGE = 10_000
"""Blocks of logs asked for at once until a node refuses: the limit of most providers that have one."""

STALE_BLOCKS = 3
"""A node this many blocks behind the best head is asked last: fewer is the spread of nodes in good health."""

SCHEMES = frozenset({"http", "https", "ws", "wss"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(slots=True)
class Endpoint:
    """One node. `shown` names it without its key; `head` is the highest block it has told of."""

    url: SecretStr = field(repr=False)
    shown: str
    batch_limit: int = MOST_IN_BATCH
    log_range: int = MOST_IN_RANGE
    lacks: set[str] = field(default_factory=set)
    head: int | None = None
    failures_in_a_row: int = 0
    latency_s: float | None = None

    @property
    def by_web_socket(self) -> bool:
        return urlsplit(self.url.get_secret_value()).scheme in {"ws", "wss"}

    def answered(self, seconds: float) -> None:
        self.failures_in_a_row = 0
        self.latency_s = seconds if self.latency_s is None else 0.8 * self.latency_s + 0.2 * seconds

    def failed(self) -> None:
        self.failures_in_a_row += 1


def endpoints_of(urls: Iterable[SecretStr], variable: str) -> list[Endpoint]:
    """One endpoint for each address. Raises FixSettings, without showing a key, for what is no address."""
    found: list[Endpoint] = []
    for url in urls:
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in SCHEMES or not parts.hostname:
            raise FixSettings(
                f"{variable} holds what is no http, https, ws or wss address.",
                variable=variable,
                remedy="Give addresses of nodes, separated by commas.",
            )
        shown = masked(url.get_secret_value())
        alike = sum(one.shown.partition(" #")[0] == shown for one in found)
        found.append(Endpoint(url, f"{shown} #{alike + 1}" if alike else shown))
    if not found:
        raise FixSettings(f"{variable} names no node.", variable=variable, remedy="Give at least one.")
    return found


def manners_for(url: SecretStr, manners: Manners) -> Manners:
    """Politeness towards a node: one's own, on loopback, needs no gap; a provider's is for many calls."""
    gap_s = 0.0 if urlsplit(url.get_secret_value()).hostname in LOOPBACK else min(manners.gap_s, NODE_GAP_S)
    return Manners(
        first_wait_s=manners.first_wait_s,
        longest_wait_s=manners.longest_wait_s,
        attempts=manners.attempts,
        at_once=manners.at_once,
        gap_s=gap_s,
        failures_in_a_row=manners.failures_in_a_row,
        rest_s=manners.rest_s,
    )


NODE_GAP_S = 0.05
"""Twenty starts a second: free plans of providers allow 15 to 50 calls a second; refusals widen it."""


def in_order(endpoints: Sequence[Endpoint], methods: Collection[str]) -> list[Endpoint]:
    """Those that have the methods, soundest first: few failures, a fresh head, quick, as listed.

    Latencies count by powers of two, so that small differences do not send each call elsewhere.
    """
    best = max((one.head for one in endpoints if one.head is not None), default=0)

    def rank(one: Endpoint) -> tuple[int, bool, int]:
        stale = one.head is not None and one.head + STALE_BLOCKS <= best
        pace = 0 if one.latency_s is None else round(log2(max(one.latency_s, 0.01)))
        return one.failures_in_a_row, stale, pace

    return sorted((one for one in endpoints if one.lacks.isdisjoint(methods)), key=rank)
