"""Who answers: promotion through the gate alone, and the way back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from defimon.core.errors import Doubtful
from defimon.core.tables import MODEL_VERSIONS
from defimon.core.units import start_of
from defimon.evaluation.gate import CRITICAL_T
from defimon.features._base import catalogue
from defimon.flows.answers import YARDSTICK
from defimon.flows.artefacts import Version, find_kept, note_aliases
from defimon.flows.boards import standings
from defimon.flows.compare import champion_or_walk, compare
from defimon.flows.model_events import About, note_event
from defimon.flows.not_known import NotKnown
from defimon.flows.prepare import target_of
from defimon.flows.restore import CALIBRATION, signature
from defimon.store.database import Store
from defimon.store.registry import Registry

WORSE_T = -CRITICAL_T
"""A t value above it proves a model worse, as one below CRITICAL_T proves it better."""


@dataclass(frozen=True, slots=True)
class Check:
    """One figure that a version had to reach, and whether it did; `value` is None where nothing is known."""

    name: str
    passed: bool
    value: float | None
    needed: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a version was promoted, and every check; `reason` is the first that failed, or all figures."""

    version: Version
    passed: bool
    reason: str
    checks: tuple[Check, ...]

    @property
    def figures(self) -> dict[str, float | None]:
        return {check.name: check.value for check in self.checks}

    def refused(self) -> Doubtful:
        """The error for who must not go on."""
        failed = next(check for check in self.checks if not check.passed)
        return Doubtful(
            f"{signature(self.version)} is not promoted: {self.reason}.",
            figure=failed.value if failed.value is not None else 0.0,
            remedy="Let it stand in shadow until its figures suffice, or train another.",
        )


def promote(store: Store, registry: Registry, version: str, *, author: str) -> Decision:
    """Make a version champion if it passes every check of `checks_of`; either is an event.

    Raises FixSettings for text that begins no version, and BadData for a model that was changed on disk.
    """
    found = find_kept(registry, version)
    about = about_version(store, found)
    checks = tuple(checks_of(store, registry, found))
    failed = [check for check in checks if not check.passed]
    if failed:
        first = failed[0]
        value = "missing or another" if first.value is None else f"{first.value:+.3f}"
        reason = f"{first.name} is {value}, needed is {first.needed}"
        decision = Decision(found, passed=False, reason=reason, checks=checks)
        note_event(store, "refused", about, reason, author=author, figures=decision.figures)
        return decision
    registry.crown(about.target, about.horizon, found.version)
    note_aliases(store, registry, about.target, about.horizon)
    told = (f"{one.name} {one.value:+.3f}" for one in checks if one.value is not None)
    reason = f"passed the gate: {', '.join(told)}"
    decision = Decision(found, passed=True, reason=reason, checks=checks)
    note_event(store, "promoted", about, reason, author=author, figures=decision.figures)
    return decision


def name_challenger(store: Store, registry: Registry, about: About, *, author: str) -> None:
    """Let the version that `about` names stand in shadow beside what is served; an event."""
    registry.set_alias(about.target, about.horizon, "challenger", about.version)
    note_aliases(store, registry, about.target, about.horizon)
    note_event(store, "challenger", about, "stands in shadow beside what is served", author=author)


def rollback(
    store: Store,
    registry: Registry,
    target: str,
    horizon: int,
    *,
    author: str,
    reason: str = "asked for",
    figures: Mapping[str, float | None] | None = None,
) -> Version | None:
    """Make the version that was champion before champion again; None when there was none: then the walk of
    each day decides, and serves the yardstick unless a model beats it. An event either way. Raises
    NotKnown while nobody is champion, since there is nothing to take back.
    """
    before = registry.aliases(target_of(target, horizon).name, horizon).get("champion")
    if before is None:
        raise NotKnown(
            f"Nobody is champion of {target}, {horizon} days: there is nothing to take back.",
            variable="target",
            unknown={},
        )
    again = registry.step_back(target, horizon)
    note_aliases(store, registry, target, horizon)
    version = None if again is None else registry.find(target, horizon, again)
    now = "nobody is champion" if version is None else f"{signature(version)} is champion again"
    about = About(target, horizon) if version is None else about_version(store, version)
    told = f"{reason}; {before} was champion, {now}"
    note_event(store, "rolled_back", about, told, author=author, figures=figures)
    return version


def checks_of(store: Store, registry: Registry, version: Version) -> list[Check]:
    """What the gate asks of a version: to beat the yardstick on the walk that taught it and on the newest one
    of its kind; and, once it has stood in shadow for long enough, not to be proved worse than the yardstick
    or the champion by what came true.
    """
    return [
        *_can_answer(registry, version),
        *_walk(version),
        *_newest_walk(store, version),
        *_came_true(store, registry, version),
    ]


def proven(version: Version) -> bool:
    """Whether it beat the yardstick on the walk that taught it."""
    return all(check.passed for check in _walk(version))


def _can_answer(registry: Registry, version: Version) -> list[Check]:
    """Reads every byte of it. Raises BadData when one was changed."""
    about = version.manifest
    _, artefact = registry.load(about.target, about.horizon, version.version)
    known = about.features == tuple(feature.name for feature in catalogue())
    return [
        Check("calibration", CALIBRATION in artefact.files, None, "one kept with the model"),
        Check("features", known, None, "those of this defimon"),
    ]


def _walk(version: Version) -> list[Check]:
    return _beats("walk", version.manifest.scores)


def _newest_walk(store: Store, version: Version) -> list[Check]:
    """Of the newest walk-forward in the store, if it is younger than the model."""
    about = version.manifest
    name = signature(version).partition("@")[0]
    for one in standings(store):
        same = (one.target, one.horizon, one.model) == (about.target, about.horizon, name)
        if same and one.ts > start_of(date.fromisoformat(about.fitted_on)):
            return _beats("newest walk", one.scores)
    return []


def _beats(where: str, scores: Mapping[str, float]) -> list[Check]:
    """What the gate said of the model alone on a walk."""
    gained, t = scores.get("gate_skill"), scores.get("gate_dm_t")
    needed = scores.get("gate_needed", CRITICAL_T)
    return [
        Check(f"{where}'s skill", gained is not None and gained > 0.0, gained, "above 0"),
        Check(f"{where}'s DM t", t is not None and t < needed, t, f"below {needed:.2f}"),
    ]


def _came_true(store: Store, registry: Registry, version: Version) -> list[Check]:
    """Forecasts of the version whose days are over, against the yardstick's and the champion's."""
    about = version.manifest
    found = []
    for other in (YARDSTICK, champion_or_walk(registry, about.target, about.horizon)):
        if other == version.version:
            continue
        beside = compare(store, registry, version.version, other, about.target, about.horizon)
        if beside.dm_t is not None:
            name = f"DM t against {beside.other} by what came true"
            found.append(Check(name, beside.dm_t < WORSE_T, beside.dm_t, f"below {WORSE_T:.2f}"))
    return found


def about_version(store: Store, version: Version) -> About:
    """What an event says of a version; its origin is that of its row in `model_versions`."""
    about, model = version.manifest, signature(version).partition("@")[0]
    rows = store.read(MODEL_VERSIONS.name, where={"version": [version.version]}, columns=["origin"])
    origin = str(rows["origin"][0]) if rows.height else "derived"
    return About(about.target, about.horizon, model, version.version, origin)
