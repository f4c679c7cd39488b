"""Values in memory that were asked for last, as many as there is room for."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class LastUsed(Generic[Key, Value]):
    """At most `most` values, together no larger than `most_bytes`. May be used by many threads."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._room = most, most_bytes
        self._most_bytes = most_bytes
        self._held: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._gate = Lock()

    def get(self, key: Key) -> Value | None:
        with self._gate:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            return self._held[key][0]

    def put(self, key: Key, value: Value, size: int) -> None:
        """Hold a value of `size` bytes, unless it is larger than all the room; those that were not asked for
        longest go.
        """
        with self._gate:
            if key in self._held:
                self._room += self._held.pop(key)[1]
            if size > self._most_bytes:
                return
            self._held[key] = value, size
            self._room -= size
            while self._room < 0 or len(self._held) > self._most:
                self._room += self._held.popitem(last=False)[1][1]
