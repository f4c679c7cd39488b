"""What several processes of the API share through Redis: answers, and how often callers asked.

Redis spares work and decides nothing: while it is away, or slow, every process goes on by itself.
"""

import time
from collections.abc import Mapping
from typing import Any, Protocol

import structlog

from defimon.apps._redis import opening_redis
from defimon.core.provenance import code_version, text_hash
from defimon.core.settings import Settings
from defimon.flows.stores import shown_store

CALM_S = 0.25
"""Seconds in which Redis has to answer: making an answer anew takes less."""

REST_S = 5.0
"""A Redis that does not answer is left alone so long."""

CLAIM_MS = 2_000
"""How long one process may take to make an answer before another begins to."""


class Shared(Protocol):
    """Answers by key, and counts by name. Nothing here raises."""

    async def get(self, key: str) -> bytes | None:
        """What is kept under `key`, if anything is."""

    async def put(self, key: str, value: bytes, seconds: float) -> None:
        """Keep it for so long."""

    async def claim(self, key: str) -> bool:
        """Whether the answer is this process's to make: another that makes it now has claimed it."""

    async def add(self, counts: Mapping[str, int], seconds: int) -> dict[str, int]:
        """Add to counts that are kept for so long; those that are reached, nothing while Redis is away."""

    async def close(self) -> None:
        """Let go of connections."""


def open_shared(settings: Settings) -> Shared | None:
    """What the processes of the settings share; None without DEFIMON_REDIS_URL. Redis need not answer yet.

    Raises FixSettings for an address that is none.
    """
    if settings.redis_url is None:
        return None
    with opening_redis():
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        redis = Redis.from_url(
            settings.redis_url.get_secret_value(),
            socket_timeout=CALM_S,
            socket_connect_timeout=CALM_S,
            retry=Retry(NoBackoff(), 0),
        )
    return _OnRedis(redis)


class _OnRedis:
    def __init__(self, redis: Any) -> None:
        from redis.exceptions import RedisError

        self._redis = redis
        self._faults = (RedisError, OSError, TimeoutError)
        self._away_until = 0.0
        self._away = False

    async def get(self, key: str) -> bytes | None:
        found: bytes | None = await self._asked("get", key)
        return found

    async def put(self, key: str, value: bytes, seconds: float) -> None:
        await self._asked("set", key, value, px=int(seconds * 1_000))

    async def claim(self, key: str) -> bool:
        if time.monotonic() < self._away_until:
            return True
        claimed = await self._asked("set", f"{key}:claim", b"1", px=CLAIM_MS, nx=True)
        return bool(claimed) or self._away

    async def add(self, counts: Mapping[str, int], seconds: int) -> dict[str, int]:
        if not counts or time.monotonic() < self._away_until:
            return {}
        pipeline = self._redis.pipeline(transaction=False)
        for name, count in counts.items():
            pipeline.incrby(name, count)
            pipeline.expire(name, seconds)
        try:
            reached = await pipeline.execute()
        except self._faults as fault:
            self._note_away(fault)
            return {}
        self._note_back()
        return dict(zip(counts, map(int, reached[::2]), strict=True))

    async def close(self) -> None:
        await self._redis.aclose()

    async def _asked(self, command: str, *words: Any, **options: Any) -> Any:
        if time.monotonic() < self._away_until:
            return None
        try:
            answer = await getattr(self._redis, command)(*words, **options)
        except self._faults as fault:
            self._note_away(fault)
            return None
        self._note_back()
        return answer

    def _note_away(self, fault: Exception) -> None:
        self._away_until = time.monotonic() + REST_S
        if not self._away:
            self._away = True
            note = type(fault).__name__  # its text may repeat the address
            structlog.get_logger().warning("Redis is away; this process goes on by itself", note=note)

    def _note_back(self) -> None:
        if self._away:
            self._away = False
            structlog.get_logger().info("Redis is back")


def place_of_store(settings: Settings) -> str:
    """What comes before names in Redis, the same for all processes on one store."""
    return f"defimon:{text_hash(shown_store(settings))[:16]}"


def place_of_answers(settings: Settings) -> str:
    """That, the same for processes that answer alike: of the same code, with pages of the same size."""
    return f"{place_of_store(settings)}:{text_hash(code_version(), settings.api_page_rows)[:16]}"
