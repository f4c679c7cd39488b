"""A chain's nodes: how each does, what each was found to bear, and in which order to ask them."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from math import inf, log2
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from defimon.core.errors import FixSettings
from defimon.sources._manners import Manners
from defimon.sources._masking import masked
from defimon.sources._memory import FORGET_S, NodeFound

MOST_IN_BATCH = 400
"""Calls in one batch until a node refuses: limits of providers lie between 100 and 1,000 and are learnt by
halving."""

MOST_IN_RANGE = 10_000
"""Blocks of logs asked for at once until a node refuses: the limit of most providers that have one."""

STALE_BLOCKS = 3
"""A node this many blocks off the best head is asked last: fewer is the spread of nodes in good health."""

ENOUGH_TO_AGREE = 3
"""Of so many nodes one may be wrong, or lie, about how far the chain has come."""

FORGIVEN_S = 30.0
"""After so long a failed node is asked in its turn again; twice as long after two failures in a row, and so
on up to an hour."""
LONGEST_GRUDGE_S = 3_600.0

EVERYWHERE = frozenset(
    {
        "eth_blockNumber",
        "eth_getBlockByNumber",
        "chain_getFinalizedHead",
        "chain_getHeader",
        "chain_getBlockHash",
    }
)
"""Methods that every node has: one that refuses one of these is not well at that moment."""

LACKING_S = 3_600.0
"""A method that a node has refused as unknown is asked of it again after so long: gateways lose and regain
some."""

SCHEMES = frozenset({"http", "https", "ws", "wss"})
LAST_PORT = 65_535
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(slots=True)
class Endpoint:
    """One node. `shown` names it without its key; `head` is the highest block it has told of.

    `misplaced` says why it is never asked: it serves another chain. `limited_at` is when a limit was learnt
    last. `lacks` are methods that it refused as unknown, and when.
    """

    url: SecretStr = field(repr=False)
    shown: str
    batch_limit: int = MOST_IN_BATCH
    log_range: int = MOST_IN_RANGE
    limited_at: float = -inf
    lacks: dict[str, float] = field(default_factory=dict)
    head: int | None = None
    chain_id: int | None = None
    misplaced: str = ""
    failures_in_a_row: int = 0
    failed_at: float = 0.0
    latency_s: float | None = None

    @property
    def by_web_socket(self) -> bool:
        return urlsplit(self.url.get_secret_value()).scheme in {"ws", "wss"}

    def answered(self, seconds: float) -> None:
        self.failures_in_a_row = 0
        self.latency_s = seconds if self.latency_s is None else 0.8 * self.latency_s + 0.2 * seconds

    def failed(self, now: float) -> None:
        """`now` in seconds of the clock that `in_order` is handed."""
        self.failures_in_a_row += 1
        self.failed_at = now

    def refused(self, method: str, now: float) -> bool:
        """It knows no such method, it says; whether that is believed."""
        if method in EVERYWHERE:
            return False
        self.lacks[method] = now
        return True

    def bears_batch(self, most: int, now: float) -> None:
        """A batch of more calls was too much for it."""
        self.batch_limit, self.limited_at = min(self.batch_limit, max(1, most)), now

    def bears_range(self, most: int, now: float) -> None:
        """Logs of more blocks were too much for it."""
        self.log_range, self.limited_at = max(1, most), now

    def forget(self, now: float) -> None:
        """Limits that were learnt long ago are tried anew."""
        if now - self.limited_at >= FORGET_S:
            self.batch_limit, self.log_range = MOST_IN_BATCH, MOST_IN_RANGE

    def is_able(self, methods: Collection[str], now: float) -> bool:
        """Whether it may be asked for all of these."""
        return not self.misplaced and all(now - self.lacks.get(one, -inf) >= LACKING_S for one in methods)

    def go_on(self, found: NodeFound | None) -> None:
        """Goes on from what was found of the node before."""
        if found is not None:
            self.batch_limit, self.log_range = found.batch_limit, found.log_range
            self.limited_at = found.limited_at
            self.lacks = dict(found.lacks)
            self.failures_in_a_row, self.failed_at = found.failures_in_a_row, found.failed_at
            self.latency_s = found.latency_s

    def found(self) -> NodeFound:
        """What is worth handing on: not how far it has come, nor of which chain it is."""
        return NodeFound(
            batch_limit=self.batch_limit,
            log_range=self.log_range,
            limited_at=self.limited_at,
            lacks=dict(self.lacks),
            failures_in_a_row=self.failures_in_a_row,
            failed_at=self.failed_at,
            latency_s=self.latency_s,
        )

    def grudge(self, now: float) -> int:
        """Failures in a row that still count."""
        count = self.failures_in_a_row
        lasts_s = min(LONGEST_GRUDGE_S, FORGIVEN_S * 2.0 ** (min(count, 10) - 1))
        return count if count and now < self.failed_at + lasts_s else 0


def endpoints_of(urls: Iterable[SecretStr], variable: str) -> list[Endpoint]:
    """One endpoint for each address. Raises FixSettings, without showing a key, for what is no address."""
    found: list[Endpoint] = []
    for url in urls:
        if not _is_address(url.get_secret_value()):
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


def _is_address(url: str) -> bool:
    try:
        parts = httpx.URL(url)
        sound = parts.scheme in SCHEMES and bool(parts.host) and (parts.port or 1) <= LAST_PORT
    except (httpx.InvalidURL, ValueError):  # a host that begins with xn-- and is no punycode
        return False
    return sound and not re.search(r"\s", url)


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


def best_head(heads: Iterable[int | None]) -> int | None:
    """The highest block that nodes tell of: of three or more that tell, the highest that two of them have."""
    told = sorted((one for one in heads if one is not None), reverse=True)
    return told[int(len(told) >= ENOUGH_TO_AGREE)] if told else None


def in_order(endpoints: Sequence[Endpoint], methods: Collection[str], now: float) -> list[Endpoint]:
    """Those that have the methods, soundest first: few failures of late, a head like others', quick, by list.

    Latencies count by powers of two, so that small differences do not send each call elsewhere.
    """
    able = [one for one in endpoints if one.is_able(methods, now)]
    best = best_head(one.head for one in endpoints if not one.misplaced)

    def rank(one: Endpoint) -> tuple[int, bool, int]:
        stale = one.head is not None and best is not None and abs(one.head - best) >= STALE_BLOCKS
        pace = 0 if one.latency_s is None else round(log2(max(one.latency_s, 0.01)))
        return one.grudge(now), stale, pace

    return sorted(able, key=rank)
