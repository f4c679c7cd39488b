"""Fitted models on disk: keep one with what it learnt from and how it scored, and take it back unchanged."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from defimon.core.errors import BadData, FixSettings
from defimon.core.settings import Settings
from defimon.core.tables import MODEL_VERSIONS
from defimon.core.units import start_of, utc_now
from defimon.evaluation.splits import EPOCH
from defimon.features._base import catalogue
from defimon.flows.prepare import Prepared
from defimon.flows.train import ModelSpec
from defimon.models._base import FAMILY, Fitting, Model, State
from defimon.store.artefacts import Artefact, Manifest
from defimon.store.database import Store
from defimon.store.registry import Registry, Version

MODELS_FOLDER = "models"
SHOWN_NAMES = 5
AGAIN = "Train the model again with this defimon."


def registry_of(settings: Settings) -> Registry:
    """The registry of the settings, in `data_dir`."""
    return Registry(settings.data_dir / MODELS_FOLDER)


def keep_model(
    store: Store,
    registry: Registry,
    prepared: Prepared,
    spec: ModelSpec,
    model: Model,
    first: int,
    *,
    scores: Mapping[str, float],
    data_hash: str,
    origin: str = "derived",
) -> Version:
    """Keep a model that was fitted before the day `first` (days since 1970-01-01), with a row in
    `model_versions`.

    `scores` holds its figures and the yardstick's by name, `data_hash` is the panel's; `origin` is
    "simulated" for a simulated panel. The same model again is the same version and changes nothing.
    Raises BadData for a state without a safe form, FixSettings when the folder cannot be written.
    """
    learnt_until = int(prepared.lesson(first).label_end.max())
    manifest = Manifest(
        model=spec.name,
        variant=spec.variant,
        target=prepared.target.name,
        horizon=prepared.target.horizon,
        features=prepared.table.names,
        data_hash=data_hash,
        fitted_on=(EPOCH + timedelta(days=learnt_until)).isoformat(),
        scores=dict(scores),
    )
    state = model.state()
    version = registry.add(Artefact(manifest, state.values, state.arrays, state.files))
    fitted = start_of(EPOCH + timedelta(days=first))
    store.write(MODEL_VERSIONS.name, _row(version, fitted, origin))
    return version


def load_model(
    registry: Registry, target: str, horizon: int, name: str, *, fitting: Fitting | None = None
) -> tuple[Manifest, Model]:
    """The model that `name` (an alias, or the start of a version) calls, as it was fitted.

    It answers as its own fit does: trust in a pool and calibrated bounds come from a walk's forecasts and are
    no part of it. Raises FixSettings for a name that is no version, and BadData, before a line of the model
    runs, when a byte was changed, the format is another, or the features are not today's.
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
    model = _unfitted(manifest, version.folder, fitting)
    try:
        model.restore(State(artefact.values, artefact.arrays, artefact.files))
    except (KeyError, TypeError, ValueError) as error:
        raise BadData(
            f"{version.folder} holds no {manifest.model} that this defimon reads; it was written by "
            f"{manifest.code_version}: {error}.",
            remedy=AGAIN,
        ) from error
    return manifest, model


def name_champion(
    store: Store, registry: Registry, target: str, horizon: int, version: str | None
) -> Version | None:
    """Call a version champion, or nobody when None: then the yardstick answers. The registry decides; rows of
    `model_versions` whose alias changed are corrected.
    """
    champion = None
    if version is None:
        registry.drop_alias(target, horizon, "champion")
    else:
        champion = registry.set_alias(target, horizon, "champion", version)
    aliases = {one.version: one.alias for one in registry.list(target, horizon)}
    stored = store.read(MODEL_VERSIONS.name, where={"target": [target]}).filter(pl.col("horizon") == horizon)
    named = stored.with_columns(
        pl.Series("alias", [aliases.get(one) for one in stored["version"]], dtype=pl.String),
        pl.lit(utc_now()).cast(stored.schema["known_at"]).alias("known_at"),
    )
    changed = named.filter(~named["alias"].eq_missing(stored["alias"]))
    if changed.height:
        store.write(MODEL_VERSIONS.name, changed)
    return champion


def kept_models(registry: Registry) -> list[Version]:
    """Every kept model, sorted by target, horizon, model and day of fit. Raises BadData for a manifest that
    was changed.
    """
    if not registry.folder.is_dir():
        return []
    found = []
    for home in sorted(registry.folder.iterdir()):
        target, _, horizon = home.name.rpartition("-")
        if home.is_dir() and target.isidentifier() and horizon.isdecimal():
            found.append((target, int(horizon)))
    return [one for target, horizon in sorted(found) for one in registry.list(target, horizon)]


def find_kept(registry: Registry, version: str) -> Version:
    """The kept model whose version begins with `version`, four characters or more, of any target.

    Raises FixSettings with the versions that are known.
    """
    kept = kept_models(registry)
    found = [one for one in kept if one.version.startswith(version)]
    if len(version) < 4 or len(found) != 1:
        known = ", ".join(one.version for one in kept) or "none; `defimon train` keeps some"
        raise FixSettings(
            f"{len(found)} kept models have a version that begins with {version!r}.",
            variable="version",
            remedy=f"Give 4 characters or more of one. Known: {known}.",
        )
    return found[0]


def _row(version: Version, fitted: datetime, origin: str) -> pl.DataFrame:
    manifest = version.manifest
    row = {
        "model": manifest.model,
        "version": version.version,
        "ts": fitted,
        "target": manifest.target,
        "horizon": manifest.horizon,
        "alias": version.alias,
        "data_hash": manifest.data_hash,
        "code_version": manifest.code_version,
        "folder": str(version.folder),
        "scores": json.dumps(dict(manifest.scores), sort_keys=True),
        "known_at": utc_now(),
        "source": "defimon",
        "origin": origin,
    }
    return MODEL_VERSIONS.validate(pl.DataFrame([row]))


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


__all__ = [
    "Version",
    "find_kept",
    "keep_model",
    "kept_models",
    "load_model",
    "name_champion",
    "registry_of",
]
