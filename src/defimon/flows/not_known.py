"""Names that are not there, each with its near matches."""

import difflib
from collections.abc import Iterable, Mapping

from defimon.core.errors import FixSettings

MOST_NEAR = 3
MOST_COMPARED = 60
"""Characters of a name that are compared: a longer one is no slip of the pen."""

MOST_SOUGHT = 20
"""Names of one question for which near matches are sought."""


class NotKnown(FixSettings):
    """Nothing is called so; `unknown` gives near matches by the name that was asked for."""

    def __init__(self, message: str, *, variable: str, unknown: Mapping[str, list[str]]) -> None:
        near = sorted({name for names in unknown.values() for name in names})
        remedy = f"Did you mean {', '.join(near)}?" if near else ""
        super().__init__(message, variable=variable, remedy=remedy)
        self.unknown = {name: list(names) for name, names in unknown.items()}


def near(name: str, known: Iterable[str]) -> list[str]:
    """The names most like `name`, whatever their case, best first."""
    by_case = {one.casefold(): one for one in known}
    wanted = name[:MOST_COMPARED].casefold()
    found = difflib.get_close_matches(wanted, by_case, n=MOST_NEAR)
    return [by_case[one] for one in found]


def all_near(names: Iterable[str], known: Iterable[str]) -> dict[str, list[str]]:
    """Near matches by name, sought for the first MOST_SOUGHT names: looking takes a while for each."""
    every = list(known)
    return {name: near(name, every) if n < MOST_SOUGHT else [] for n, name in enumerate(names)}


def not_known(what: str, name: str, known: Iterable[str], *, variable: str) -> NotKnown:
    """The error for one name of a kind of thing."""
    return NotKnown(
        f"There is no {what} {name[:MOST_COMPARED]!r}.",
        variable=variable,
        unknown={name[:MOST_COMPARED]: near(name, known)},
    )
