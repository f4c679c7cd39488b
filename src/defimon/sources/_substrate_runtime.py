"""What one version of a chain's runtime says of its storage: events and weights read by its own metadata.

Source: frame-metadata, version 14, which state_getMetadata gives whatever newer ones a runtime has.
"""

from dataclasses import dataclass
from typing import Any

from defimon.core.errors import BadData
from defimon.sources._scale import ScaleReader
from defimon.sources._scale_types import Types, texts

MAGIC = b"meta"
VERSION = 14


@dataclass(frozen=True, slots=True)
class Event:
    """One event: pallet, name, and fields by name, or in order where they have none."""

    pallet: str
    name: str
    fields: Any

    def field(self, name: str, place: int) -> Any:
        """A field by its name, or by its place in runtimes that did not name fields. Raises BadData."""
        fields = self.fields
        try:
            return fields[name] if isinstance(fields, dict) else fields[place]
        except (KeyError, IndexError, TypeError) as error:
            raise BadData(f"an event {self.pallet}.{self.name} has no field {name}.") from error


class Runtime:
    """Reads what blocks of one runtime version hold. Raises BadData for metadata of another version."""

    def __init__(self, metadata: bytes) -> None:
        reader = ScaleReader(metadata)
        if reader.take(4) != MAGIC:
            raise BadData("metadata do not begin with their magic word.")
        version = reader.byte()
        if version != VERSION:
            raise BadData(f"metadata are of version {version}, expected {VERSION}: the runtime is too old.")
        self._types = Types(reader)
        self._values: dict[tuple[str, str], int] = {}
        self._constants: dict[tuple[str, str], tuple[int, bytes]] = {}
        self._events: dict[str, int] = {}
        for _ in range(reader.compact()):
            self._pallet(reader)
        self.max_weight = self._max_weight()

    def tells(self, pallet: str, event: str) -> bool:
        """Whether the runtime has such an event."""
        if pallet not in self._events:
            return False
        _, variants = self._types.definition(self._events[pallet])
        return any(name == event for name, _ in variants.values())

    def events(self, raw: bytes) -> list[Event]:
        """Events of a block, from the storage System.Events. Raises BadData for what does not fit."""
        reader = ScaleReader(raw)
        records = self._types.read(self._stored("System", "Events"), reader)
        if reader.left():
            raise BadData(f"{reader.left()} bytes are left after the events.")
        found = []
        for record in records:
            pallet, (name, fields) = record["event"]
            found.append(Event(pallet, name, fields))
        return found

    def weight(self, raw: bytes) -> int:
        """Reference time that a block used, in picoseconds, from the storage System.BlockWeight."""
        used = self._types.read(self._stored("System", "BlockWeight"), ScaleReader(raw))
        return sum(map(_time, used.values()))

    def _max_weight(self) -> int | None:
        """Reference time that a block may use."""
        if ("System", "BlockWeights") not in self._constants:
            return None
        number, raw = self._constants["System", "BlockWeights"]
        return _time(self._types.read(number, ScaleReader(raw))["max_block"])

    def _stored(self, pallet: str, entry: str) -> int:
        if (pallet, entry) not in self._values:
            raise BadData(f"the runtime stores no {pallet}.{entry}.")
        return self._values[pallet, entry]

    def _pallet(self, reader: ScaleReader) -> None:
        name = reader.text()
        if reader.byte():
            reader.text()  # prefix of its storage
            for _ in range(reader.compact()):
                self._storage_entry(name, reader)
        if reader.byte():
            reader.compact()  # calls
        if reader.byte():
            self._events[name] = reader.compact()
        for _ in range(reader.compact()):
            constant, number, raw = reader.text(), reader.compact(), reader.take(reader.compact())
            self._constants[name, constant] = number, raw
            texts(reader)
        if reader.byte():
            reader.compact()  # errors
        reader.byte()  # index

    def _storage_entry(self, pallet: str, reader: ScaleReader) -> None:
        entry = reader.text()
        reader.byte()  # whether it has a default
        if reader.byte():
            reader.take(reader.compact())  # hashers
            reader.compact()  # type of its keys
        self._values[pallet, entry] = reader.compact()
        reader.take(reader.compact())  # default
        texts(reader)


def _time(weight: Any) -> int:
    """A weight was one number until runtimes counted the size of proofs as well."""
    return int(weight["ref_time"] if isinstance(weight, dict) else weight)
