"""The queue that workers share, by huey: on Redis, or in a file of SQLite beside the store.

Its messages are names of jobs to look at. Whether one is to be run, and by whom, the store decides: a message
that is lost, doubled or late does no harm.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from huey import RedisHuey, SqliteHuey
from huey.exceptions import HueyException
from huey.registry import Message
from huey.serializer import Serializer

from defimon.apps._redis import opening_redis
from defimon.core.errors import FixSettings
from defimon.core.settings import Settings

QUEUE_FILE = "queue.sqlite"

CALM_S = 5.0
"""Seconds in which Redis has to answer: it stands between a slot and its run."""


class _AsJson(Serializer):  # type: ignore[misc]
    """Messages as JSON: huey's own pickles would let whoever writes to the queue run code here."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(list(data)).encode()

    def _deserialize(self, data: bytes) -> Any:
        return Message(*json.loads(data))


def queue_name(store: str, jobs: Iterable[str]) -> str:
    """Name of the queue of workers that run the same jobs on the same store.

    Others on the same Redis have queues of their own: they could do nothing with each other's messages.
    """
    words = "\n".join([store, *sorted(jobs)])
    return f"defimon_{hashlib.sha256(words.encode()).hexdigest()[:16]}"


def open_queue(settings: Settings, name: str) -> Any:
    """The queue of the settings, as a huey. Redis need not answer yet.

    Raises FixSettings when the address or the file cannot be used.
    """
    if settings.redis_url is None:
        return _in_file(settings, name)
    with opening_redis():
        from redis import ConnectionPool
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        pool = ConnectionPool.from_url(
            settings.redis_url.get_secret_value(),
            socket_timeout=CALM_S,
            socket_connect_timeout=CALM_S,
            # The scheduler and the consumers try again themselves.
            retry=Retry(NoBackoff(), 0),
        )
    return RedisHuey(name, results=False, serializer=_AsJson(), connection_pool=pool)


def _in_file(settings: Settings, name: str) -> Any:
    path = settings.data_dir / QUEUE_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return SqliteHuey(name, results=False, serializer=_AsJson(), filename=str(path))
    except sqlite3.Error as error:
        raise FixSettings(
            f"The queue {path} cannot be used: {error}.",
            variable="DEFIMON_DATA_DIR",
            remedy="Move the file away; it holds nothing that lasts.",
        ) from None


def queue_faults() -> tuple[type[Exception], ...]:
    """What a queue raises that is away, or that holds a message of another program."""
    own = (OSError, sqlite3.Error, HueyException, ValueError, TypeError)
    try:
        from redis.exceptions import RedisError
    except ImportError:
        return own
    return (*own, RedisError)
