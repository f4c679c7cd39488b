"""Types that a Substrate runtime describes by itself, and values read by them.

A composite with named fields is a dict, with one field without name that field's value, else a list; a
variant is (name, its fields); bytes are bytes; an Option is a variant of its own.
Source: scale-info, PortableRegistry.
"""

from collections.abc import Callable
from typing import Any

from defimon.core.errors import BadData
from defimon.sources._scale import ScaleReader

Read = Callable[[ScaleReader], Any]
Definition = tuple[str, Any]
Field = tuple[str, int]
"""Name, empty where it has none, and type."""

NUMBERS = {
    3: (1, False), 4: (2, False), 5: (4, False), 6: (8, False), 7: (16, False), 8: (32, False),
    9: (1, True), 10: (2, True), 11: (4, True), 12: (8, True), 13: (16, True), 14: (32, True),
}  # fmt: skip
"""Primitives that are numbers, by their place in scale-info's TypeDefPrimitive: bytes, and whether signed."""
BOOL, CHAR, STR, U8 = 0, 1, 2, 3


class Types:
    """Definitions by id, read from the front of metadata; readers of values are made when first needed."""

    def __init__(self, reader: ScaleReader) -> None:
        self._definitions = dict(_portable_type(reader) for _ in range(reader.compact()))
        self._reads: dict[int, Read] = {}

    def definition(self, number: int) -> Definition:
        """Kind and contents of a type. Raises BadData for one that is not described."""
        if number not in self._definitions:
            raise BadData(f"metadata describe no type {number}.")
        return self._definitions[number]

    def read(self, number: int, reader: ScaleReader) -> Any:
        """The value of a type from the front of `reader`. Raises BadData."""
        return self.reader_of(number)(reader)

    def reader_of(self, number: int) -> Read:
        if number not in self._reads:

            def again(reader: ScaleReader) -> Any:
                """Stands in while a type that holds itself is looked through."""
                return self._reads[number](reader)

            self._reads[number] = again
            kind, about = self.definition(number)
            self._reads[number] = getattr(self, f"_{kind}")(about)
        return self._reads[number]

    def _composite(self, fields: list[Field]) -> Read:
        reads = [self.reader_of(number) for _, number in fields]
        names = [name for name, _ in fields]
        if len(reads) == 1 and not names[0]:
            return reads[0]
        if all(names):
            parts = list(zip(names, reads, strict=True))
            return lambda reader: {name: read(reader) for name, read in parts}
        return lambda reader: [read(reader) for read in reads]

    def _variant(self, variants: dict[int, tuple[str, list[Field]]]) -> Read:
        reads: dict[int, tuple[str, Read]] = {}

        def read(reader: ScaleReader) -> tuple[str, Any]:
            index = reader.byte()
            if index not in reads:
                if index not in variants:
                    raise BadData(f"a variant has index {index}, known are {sorted(variants)[:20]}.")
                name, fields = variants[index]
                reads[index] = name, self._composite(fields)
            name, contents = reads[index]
            return name, contents(reader)

        return read

    def _sequence(self, number: int) -> Read:
        if self.definition(number) == ("primitive", U8):
            return lambda reader: reader.take(reader.compact())
        read = self.reader_of(number)
        return lambda reader: [read(reader) for _ in range(_fitting(reader))]

    def _array(self, about: tuple[int, int]) -> Read:
        length, number = about
        if self.definition(number) == ("primitive", U8):
            return lambda reader: reader.take(length)
        read = self.reader_of(number)
        return lambda reader: [read(reader) for _ in range(length)]

    def _tuple(self, numbers: list[int]) -> Read:
        reads = [self.reader_of(number) for number in numbers]
        return lambda reader: [read(reader) for read in reads]

    def _primitive(self, which: int) -> Read:
        if which == BOOL:
            return lambda reader: reader.byte() == 1
        if which == STR:
            return ScaleReader.text
        if which == CHAR:
            return lambda reader: chr(reader.number(4))
        if which not in NUMBERS:
            raise BadData(f"metadata name primitive {which}.")
        length, signed = NUMBERS[which]
        return lambda reader: reader.number(length, signed=signed)

    def _compact(self, number: int) -> Read:
        empty = self.definition(number) in (("tuple", []), ("composite", []))
        return (lambda _: None) if empty else ScaleReader.compact

    def _bits(self, about: tuple[int, int]) -> Read:
        store, _ = about
        length = NUMBERS[self.definition(store)[1]][0]
        return lambda reader: reader.take(-(-reader.compact() // (8 * length)) * length)


def _fitting(reader: ScaleReader) -> int:
    """Length of a list, which cannot be longer than what is left: elements of no bytes are not listed."""
    length = reader.compact()
    if length > reader.left():
        raise BadData(f"a list of {length} is announced where {reader.left()} bytes are left.")
    return length


def _portable_type(reader: ScaleReader) -> tuple[int, Definition]:
    number = reader.compact()
    texts(reader)  # path
    for _ in range(reader.compact()):  # parameters
        reader.text()
        if reader.byte():
            reader.compact()
    found = _definition(reader)
    texts(reader)  # documents
    return number, found


def _definition(reader: ScaleReader) -> Definition:
    kind = reader.byte()
    if kind >= len(KINDS):
        raise BadData(f"metadata describe a type of kind {kind}.")
    name, contents = KINDS[kind]
    return name, contents(reader)


def _variant(reader: ScaleReader) -> tuple[int, tuple[str, list[Field]]]:
    name, fields = reader.text(), _fields(reader)
    index = reader.byte()
    texts(reader)  # documents
    return index, (name, fields)


def _fields(reader: ScaleReader) -> list[Field]:
    found = []
    for _ in range(reader.compact()):
        name = reader.text() if reader.byte() else ""
        number = reader.compact()
        if reader.byte():
            reader.text()  # name of the type as it was written
        texts(reader)  # documents
        found.append((name, number))
    return found


def texts(reader: ScaleReader) -> None:
    """Passes over a list of texts."""
    for _ in range(reader.compact()):
        reader.take(reader.compact())


KINDS: tuple[tuple[str, Read], ...] = (
    ("composite", _fields),
    ("variant", lambda reader: dict(_variant(reader) for _ in range(reader.compact()))),
    ("sequence", ScaleReader.compact),
    ("array", lambda reader: (reader.number(4), reader.compact())),
    ("tuple", lambda reader: [reader.compact() for _ in range(reader.compact())]),
    ("primitive", ScaleReader.byte),
    ("compact", ScaleReader.compact),
    ("bits", lambda reader: (reader.compact(), reader.compact())),
)
"""Kinds of types by their place in scale-info's TypeDef, and how each is described."""
