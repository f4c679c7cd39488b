"""Models that were restored last: a few stay in memory, so that a daily job restores each of them once."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

MOST_MODELS = 6
"""A champion and a challenger of each target that is forecast every day."""

MOST_BYTES = 256 << 20
"""Of the files of all that are held; the largest model of defimon stays below 100 MB."""


Value = TypeVar("Value")


class LoadedModels(Generic[Value]):
    """At most `most` values, those asked for last; together no larger than `most_bytes`.

    Nothing is checked here: who asks names what was sealed, and has checked the seal.
    """

    def __init__(self, most: int = MOST_MODELS, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._held: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Value | None:
        with self._lock:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            return self._held[key][0]

    def put(self, key: Hashable, value: Value, size: int) -> None:
        """Hold a value, unless it is too large by itself; those that were not asked for longest go."""
        with self._lock:
            self._held.pop(key, None)
            if size > self._most_bytes:
                return
            self._held[key] = value, size
            while len(self._held) > self._most or self._size() > self._most_bytes:
                self._held.popitem(last=False)

    def _size(self) -> int:
        return sum(size for _, size in self._held.values())
