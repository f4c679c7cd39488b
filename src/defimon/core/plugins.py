"""Families of plug-ins: one file is one member, found by looking into the family's folder."""

import difflib
import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from defimon.core.errors import FixSettings

T = TypeVar("T")


@cache
def _offered(group: str) -> tuple[EntryPoint, ...]:
    """What other distributions add; asked once, since each asking reads every installed distribution."""
    return tuple(entry_points(group=group))


@dataclass(frozen=True, slots=True)
class Family(Generic[T]):
    """Members of one family, by name; listing them imports none of them.

    `package` is the folder whose files without a leading underscore are members; another distribution
    adds members through entry points of the group `package`. Each file defines one class that is a
    subclass of `base` and carries the file's name in `name`.
    """

    package: str
    base: type[T]

    def names(self) -> list[str]:
        folder = importlib.import_module(self.package)
        own = {module.name for module in pkgutil.iter_modules(folder.__path__) if module.name[0] != "_"}
        return sorted(own | {entry.name for entry in _offered(self.package)})

    def load(self, name: str) -> type[T]:
        """Class of the member `name`. Raises FixSettings with near matches when there is none."""
        known = self.names()
        kind = self.package.rsplit(".", 1)[-1]
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3)
            hint = f"Did you mean {', '.join(near)}?" if near else f"Known: {', '.join(known)}."
            raise FixSettings(f"{kind} has no member named {name!r}.", variable=kind, remedy=hint)
        for entry in _offered(self.package):
            if entry.name == name:
                return self._checked(entry.load())
        module = importlib.import_module(f"{self.package}.{name}")
        for value in vars(module).values():
            if (
                isinstance(value, type)
                and issubclass(value, self.base)
                and value.__module__ == module.__name__
            ):
                return self._checked(value)
        raise FixSettings(
            f"{self.package}.{name} defines no {self.base.__name__}.", variable=kind, remedy="Add the class."
        )

    def _checked(self, value: type[T]) -> type[T]:
        if not issubclass(value, self.base):
            raise FixSettings(
                f"{value!r} is not a {self.base.__name__}.", variable=self.package, remedy="Subclass it."
            )
        return value
