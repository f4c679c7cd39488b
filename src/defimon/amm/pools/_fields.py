"""Reading one pool's part of a state document, with errors that name the field."""

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Any

from defimon.amm.pools._errors import BadState

INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,79})", re.ASCII)
"""Decimal digits without sign of plus, leading zeros or separators; 80 digits hold any uint256."""

TEXT = "a text that is not empty, without half characters (lone surrogates)"

UINT112, UINT128, UINT160, UINT256 = (1 << bits for bits in (112, 128, 160, 256))


class Fields:
    """A JSON object that remembers where it stands and which of its keys were read.

    Every reader raises BadState with the path of the field, what is wrong and what would be right.
    """

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, Mapping):
            raise BadState(f"{path} is {_shown(value)}.", remedy="It must be a JSON object.")
        self._value: Mapping[str, Any] = value
        self._read: set[str] = set()
        self.path = path

    def has(self, name: str) -> bool:
        return name in self._value

    def raw(self, name: str) -> Any:
        """The value as it stands."""
        self._read.add(name)
        if name not in self._value:
            raise BadState(
                f"{self.path}.{name} is missing.", remedy="Add it; docs/pools.md lists the fields."
            )
        return self._value[name]

    def text(self, name: str, *, among: Sequence[str] = ()) -> str:
        value = self.raw(name)
        if not _is_text(value) or (among and value not in among):
            wanted = f"one of {', '.join(among)}" if among else TEXT
            raise BadState(f"{self.path}.{name} is {_shown(value)}.", remedy=f"It must be {wanted}.")
        return str(value)

    def texts(self, name: str) -> tuple[str, ...]:
        values = self.items(name)
        for place, value in enumerate(values):
            if not _is_text(value):
                raise BadState(
                    f"{self.path}.{name}[{place}] is {_shown(value)}.", remedy=f"It must be {TEXT}."
                )
        return tuple(values)

    def integer(self, name: str, *, low: int = 0, below: int = UINT256, default: int | None = None) -> int:
        """An integer from `low` to below `below`, as a JSON integer or as decimal digits in a string."""
        if default is not None and name not in self._value:
            return default
        return _integer(self.raw(name), f"{self.path}.{name}", low, below)

    def integers(self, name: str, *, low: int = 0, below: int = UINT256) -> tuple[int, ...]:
        return tuple(
            _integer(value, f"{self.path}.{name}[{place}]", low, below)
            for place, value in enumerate(self.items(name))
        )

    def rows(self, name: str, width: int, *, low: int, below: int) -> tuple[tuple[int, ...], ...]:
        """A list of lists of `width` integers each."""
        rows = []
        for place, row in enumerate(self.items(name)):
            path = f"{self.path}.{name}[{place}]"
            if not isinstance(row, list) or len(row) != width:
                raise BadState(f"{path} is {_shown(row)}.", remedy=f"It must be a list of {width} integers.")
            rows.append(tuple(_integer(value, f"{path}[{n}]", low, below) for n, value in enumerate(row)))
        return tuple(rows)

    def items(self, name: str) -> list[Any]:
        value = self.raw(name)
        if not isinstance(value, list):
            raise BadState(f"{self.path}.{name} is {_shown(value)}.", remedy="It must be a list.")
        return value

    def done(self) -> None:
        """Raises BadState for keys that nobody read: a misspelt field must not be lost in silence."""
        unknown = sorted(str(key) for key in self._value if key not in self._read)
        if unknown:
            raise BadState(
                f"{self.path} has unknown fields: {listed(unknown)}.",
                remedy=f"Remove or rename them; known here: {', '.join(sorted(self._read)) or 'none'}.",
            )


def printable(text: str) -> str:
    """Words of a document for people: no character that steers a terminal or breaks the line."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def listed(names: Collection[str]) -> str:
    """Names of a document for an error, as many and as much of each as a reader takes in; "none" of none."""
    first = [
        name if len(name) <= MOST_SHOWN else f"{name[:MOST_SHOWN]}…" for name in islice(names, MOST_LISTED)
    ]
    more = f" and {len(names) - len(first):,} more" if len(names) > len(first) else ""
    return printable(", ".join(first)) + more if first else "none"


def _is_text(value: object) -> bool:
    if not isinstance(value, str) or not value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _integer(value: object, path: str, low: int, below: int) -> int:
    if isinstance(value, str) and INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadState(f"{path} is {_shown(value)}.", remedy="It must be an integer, as digits.")
    if not low <= value < below:
        raise BadState(f"{path} is {_shown(value)}.", remedy=f"It must be from {low} to below {below}.")
    return value


def _shown(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > MOST_SHOWN_BITS:
        return f"an integer of {value.bit_length()} bits"
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


MOST_LISTED = 20
"""Names that an error lists."""

MOST_SHOWN = 60
"""Characters of a wrong value that an error repeats."""

MOST_SHOWN_BITS = 1_000
"""Python refuses to print integers of over 4300 digits; far smaller ones are no use in an error either."""
