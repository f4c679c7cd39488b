"""Universal Binary JSON, read with nothing trusted: what a file promises must lie in the file.

Source: https://ubjson.org, draft 12, as XGBoost writes it: big-endian numbers, and arrays of one type whose
count is given. XGBoost's own reader goes beyond the end of a file that was cut off.
"""

import struct

import numpy as np
from numpy.typing import NDArray

DEEPEST = 40
"""Levels of nesting; a booster has 7."""

MOST_ITEMS = 50_000_000
"""Values that are made of one file, so that reading it ends."""

NUMBERS = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}
"""Types by their marker, as numpy names them."""

CONSTANTS = {"T": True, "F": False, "Z": None}

Value = dict[str, "Value"] | list["Value"] | NDArray[np.generic] | str | int | float | bool | None


def read_ubjson(body: bytes) -> Value:
    """The value that the whole of `body` is. Raises ValueError for anything else."""
    reader = _Reader(body)
    try:
        value = reader.value(reader.marker(), 0)
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from None
    if reader.place != len(body):
        message = f"{len(body) - reader.place} bytes follow its end"
        raise ValueError(message)
    return value


class _Reader:
    def __init__(self, body: bytes) -> None:
        self.body = body
        self.place = 0
        self.items = 0

    def take(self, count: int) -> bytes:
        if count < 0 or count > len(self.body) - self.place:
            message = f"it promises {count} bytes at {self.place} and ends before"
            raise ValueError(message)
        part = self.body[self.place : self.place + count]
        self.place += count
        return part

    def marker(self) -> str:
        return self.take(1).decode("ascii")

    def value(self, marker: str, depth: int) -> Value:
        self.items += 1
        if depth > DEEPEST or self.items > MOST_ITEMS:
            message = "it is nested too deep, or holds too much"
            raise ValueError(message)
        if marker == "{":
            return self.mapping(depth)
        if marker == "[":
            return self.array(depth)
        if marker in "SC":
            return self.text() if marker == "S" else self.marker()
        if marker in CONSTANTS:
            return CONSTANTS[marker]
        return self.number(marker)

    def number(self, marker: str) -> int | float:
        kind = self.kind(marker)
        found: int | float = np.frombuffer(self.take(kind.itemsize), kind)[0].item()
        return found

    def kind(self, marker: str) -> np.dtype[np.generic]:
        if marker not in NUMBERS:
            message = f"it holds the marker {marker!r}"
            raise ValueError(message)
        return np.dtype(NUMBERS[marker])

    def count(self) -> int:
        found = self.number(self.marker())
        if not isinstance(found, int) or found < 0:
            message = f"it holds a count of {found}"
            raise ValueError(message)
        return found

    def text(self) -> str:
        return self.take(self.count()).decode()

    def peeks(self, marker: bytes) -> bool:
        """Whether the next byte is this one; it is taken then."""
        found = self.body[self.place : self.place + 1] == marker
        self.place += found
        return found

    def mapping(self, depth: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        while not self.peeks(b"}"):
            name = self.text()
            if name in found:
                message = f"it says {name[:40]!r} twice"
                raise ValueError(message)
            found[name] = self.value(self.marker(), depth + 1)
        return found

    def array(self, depth: int) -> list[Value] | NDArray[np.generic]:
        kind = self.marker() if self.peeks(b"$") else None
        if self.peeks(b"#"):
            count = self.count()
            if kind is not None:
                own = self.kind(kind)
                return np.frombuffer(self.take(count * own.itemsize), own)
            return [self.value(self.marker(), depth + 1) for _ in range(count)]
        if kind is not None:
            message = "it holds an array of one type without a count"
            raise ValueError(message)
        found = []
        while not self.peeks(b"]"):
            found.append(self.value(self.marker(), depth + 1))
        return found
