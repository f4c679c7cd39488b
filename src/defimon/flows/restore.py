"""Kept models taken back unchanged, with what a walk taught about their answers."""

from dataclasses import dataclass
from pathlib import Path

from defimon.core.errors import BadData, FixSettings
from defimon.core.last_used import LastUsed
from defimon.features._base import catalogue
from defimon.flows.calibrate import Calibration, calibration_from
from defimon.flows.train import ModelSpec
from defimon.models._base import FAMILY, Fitting, Model, State
from defimon.store.artefacts import Artefact, Manifest
from defimon.store.registry import Registry, Version
from defimon.store.sealed_folder import from_json

CALIBRATION = "calibration.json"
SHOWN_NAMES = 5
UNREADABLE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What a model raises whose values, arrays or files are not those that it would have written."""

AGAIN = "Train the model again with this defimon."

MOST_MODELS = 6
"""A champion and a challenger of each target that is forecast every day."""

MOST_BYTES = 256 << 20
"""Of the files of all that are held; the largest model of defimon stays below 100 MB."""

LOADED: LastUsed[tuple[Path, str, Fitting | None], tuple[Model, Calibration | None]] = LastUsed(
    MOST_MODELS, MOST_BYTES
)
"""What this process restored last, by folder, version and fitting: a daily job restores each model once."""


def load_model(
    registry: Registry, target: str, horizon: int, name: str, *, fitting: Fitting | None = None
) -> tuple[Manifest, Model]:
    """The model that `name` (an alias, or the start of a version) calls, as it was fitted.

    It answers as its own fit does; `load_kept` gives what a walk taught about its answers too. Raises
    FixSettings for a name that is no version, and BadData, before a line of the model runs, when a byte was
    changed, the format is another, or the features are not today's.
    """
    kept = load_kept(registry, target, horizon, name, fitting=fitting)
    return kept.version.manifest, kept.model


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept model, restored; `calibration` is None where none was kept with it."""

    version: Version
    model: Model
    calibration: Calibration | None

    @property
    def named(self) -> str:
        """How its forecasts are signed: name@version."""
        return signature(self.version)


def signature(version: Version) -> str:
    """How forecasts of a kept model are signed: name@version."""
    about = version.manifest
    return f"{ModelSpec(about.model, about.variant)}@{version.version}"


def load_kept(
    registry: Registry, target: str, horizon: int, name: str, *, fitting: Fitting | None = None
) -> Kept:
    """The same with what a walk taught about its answers. Raises as `load_model`.

    Every byte is read and checked each time; a model that was restored from the same bytes lately is given
    again, so it is to be asked, not fitted.
    """
    version, artefact = registry.load(target, horizon, name)
    manifest = artefact.manifest
    if (manifest.target, manifest.horizon) != (target, horizon):
        raise BadData(
            f"{version.folder} is a model of {manifest.target}, {manifest.horizon} days, not of {target}, "
            f"{horizon} days.",
            remedy="Move it back.",
        )
    _refuse_other_features(manifest, version.folder)
    key = (version.folder, version.version, fitting)
    held = LOADED.get(key)
    if held is None:
        held = _restored(artefact, version.folder, fitting)
        LOADED.put(key, held, sum(file.stat().st_size for file in version.folder.iterdir()))
    return Kept(version, *held)


def _restored(artefact: Artefact, folder: Path, fitting: Fitting | None) -> tuple[Model, Calibration | None]:
    manifest = artefact.manifest
    model = _unfitted(manifest, folder, fitting)
    files, known = dict(artefact.files), None
    if CALIBRATION in files:
        where = folder / CALIBRATION
        known = calibration_from(from_json(files.pop(CALIBRATION), where), str(where))
    try:
        model.restore(State(artefact.values, artefact.arrays, files))
    except UNREADABLE as error:
        raise BadData(
            f"{folder} holds no {manifest.model} that this defimon reads; it was written by "
            f"{manifest.code_version}: {error}.",
            remedy=AGAIN,
        ) from error
    return model, known


def _refuse_other_features(manifest: Manifest, folder: Path) -> None:
    """The same names in another order are others too: a model may read its columns by place."""
    known = tuple(feature.name for feature in catalogue())
    if manifest.features == known:
        return
    gone = [name for name in manifest.features if name not in known]
    new = [name for name in known if name not in manifest.features]
    parts = [
        f"{what} {', '.join(names[:SHOWN_NAMES])}{', …' if len(names) > SHOWN_NAMES else ''}"
        for what, names in (("it learnt from", gone), ("it does not know", new))
        if names
    ]
    raise BadData(
        f"{folder} learnt from other features than those of this defimon: "
        f"{'; '.join(parts) or 'their order differs'}.",
        remedy=AGAIN,
    )


def _unfitted(manifest: Manifest, folder: Path, fitting: Fitting | None) -> Model:
    try:
        return FAMILY.load(manifest.model)(variant=manifest.variant, fitting=fitting)
    except FixSettings as error:
        raise BadData(f"{folder} is of a model that is not here: {error.message}", remedy=AGAIN) from error
