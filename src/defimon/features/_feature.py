"""What a feature is, and how features that build on each other are put in order."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import polars as pl

from defimon.core.errors import FixSettings


@dataclass(frozen=True, slots=True)
class Feature:
    """One column that a model may look at.

    `inputs` are columns of the standard panel, or other features, that `how` reads. `look_back_days` is how
    many days before today the oldest panel row lies that it can depend on, inputs' own look-back included
    (0: today's row alone). A feature whose name opens with an underscore is a step towards others and never
    an output; one that bears the name of a panel column is that column. `how` is evaluated on a grid with
    one row for every calendar day of a pool.
    """

    name: str
    inputs: tuple[str, ...]
    look_back_days: int
    doc: str
    how: pl.Expr = field(repr=False, compare=False)

    @property
    def public(self) -> bool:
        return not self.name.startswith("_")


class FeatureGroup(ABC):
    """Features of one kind; a group may build on features of another by name."""

    name: ClassVar[str]

    @abstractmethod
    def features(self) -> list[Feature]:
        """The group's features and steps; names are unique over all groups."""


def with_inputs(names: Iterable[str], known: Mapping[str, Feature]) -> dict[str, Feature]:
    """The named features and all that they build on, each after its inputs."""
    found: dict[str, Feature] = {}

    def add(name: str) -> None:
        if name in found or name not in known:
            return
        for source in known[name].inputs:
            if source != name:
                add(source)
        found[name] = known[name]

    for name in names:
        add(name)
    return found


def panel_columns(features: Mapping[str, Feature]) -> list[str]:
    """Columns of the panel that the features read."""
    return sorted(
        {
            source
            for name, feature in features.items()
            for source in feature.inputs
            if source == name or source not in features
        }
    )


def levels(features: Mapping[str, Feature]) -> list[list[Feature]]:
    """Features in rounds, each of which needs only the panel and earlier rounds."""
    depth: dict[str, int] = {}
    for name, feature in features.items():
        built = [depth[source] for source in feature.inputs if source != name and source in depth]
        depth[name] = 1 + max(built, default=-1)
    rounds: list[list[Feature]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name, feature in features.items():
        rounds[depth[name]].append(feature)
    return rounds


def chosen(names: Sequence[str] | None, known: Mapping[str, Feature]) -> list[str]:
    """Public names in the order of `names`, or all of them. Raises FixSettings for an unknown one."""
    public = [feature.name for feature in known.values() if feature.public]
    if names is None:
        return public
    unknown = sorted(set(names) - set(public))
    if unknown:
        raise FixSettings(
            f"There is no feature {', '.join(unknown)}.",
            variable="features",
            remedy="docs/features.md lists them all.",
        )
    return list(names)
