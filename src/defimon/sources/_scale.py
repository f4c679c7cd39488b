"""SCALE, the binary notation of Substrate: numbers, texts and lists read one after the other.

Source: docs.substrate.io, SCALE codec.
"""

from defimon.core.errors import BadData


class ScaleReader:
    """Reads from the front of `raw`. Raises BadData where it ends too early."""

    __slots__ = ("place", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.place = 0

    def take(self, length: int) -> bytes:
        start = self.place
        self.place = start + length
        if self.place > len(self.raw):
            raise BadData(f"SCALE data end at byte {len(self.raw)}, expected {self.place} at least.")
        return self.raw[start : self.place]

    def byte(self) -> int:
        place = self.place
        if place >= len(self.raw):
            raise BadData(f"SCALE data end at byte {len(self.raw)}, expected one more.")
        self.place = place + 1
        return self.raw[place]

    def number(self, length: int, *, signed: bool = False) -> int:
        """A number of so many bytes, lowest first."""
        return int.from_bytes(self.take(length), "little", signed=signed)

    def compact(self) -> int:
        """A number whose two lowest bits say how long it is."""
        first = self.byte()
        mode = first & 3
        if mode == 0:
            return first >> 2
        if mode == 3:
            return self.number((first >> 2) + 4)
        self.place -= 1
        return self.number(2 * mode) >> 2

    def text(self) -> str:
        return self.take(self.compact()).decode(errors="replace")

    def left(self) -> int:
        """Bytes that were not read."""
        return len(self.raw) - self.place


def compact(number: int) -> bytes:
    """A number as `ScaleReader.compact` reads it."""
    if number < 1 << 6:
        return bytes([number << 2])
    if number < 1 << 14:
        return (number << 2 | 1).to_bytes(2, "little")
    if number < 1 << 30:
        return (number << 2 | 2).to_bytes(4, "little")
    length = max(4, (number.bit_length() + 7) // 8)
    return bytes([(length - 4) << 2 | 3]) + number.to_bytes(length, "little")
