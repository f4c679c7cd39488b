"""Fitted models on disk: keep one with what it learnt from and how it scored, and take it back unchanged."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

import polars as pl

from defimon.core.errors import FixSettings
from defimon.core.settings import Settings
from defimon.core.tables import MODEL_VERSIONS
from defimon.core.units import start_of, utc_now
from defimon.evaluation.splits import EPOCH
from defimon.flows.calibrate import Calibration
from defimon.flows.prepare import Prepared
from defimon.flows.restore import CALIBRATION
from defimon.flows.train import ModelSpec
from defimon.models._base import Model
from defimon.store.artefacts import Artefact, Manifest
from defimon.store.database import Store
from defimon.store.registry import Registry, Version
from defimon.store.sealed_folder import to_json

MODELS_FOLDER = "models"


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
    calibration: Calibration | None = None,
    settings: Mapping[str, object] | None = None,
) -> Version:
    """Keep a model that was fitted before the day `first` (days since 1970-01-01), with a row in
    `model_versions`.

    `scores` holds its figures and the yardstick's by name, `data_hash` is the panel's; `origin` is
    "simulated" for a simulated panel. `calibration` is what a walk taught about the model's forecasts:
    without it a restored model answers as its own fit does. The same again is the same version and changes
    nothing.
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
        settings=dict(settings or {}),
    )
    state = model.state()
    files = dict(state.files)
    if calibration is not None:
        files[CALIBRATION] = to_json(calibration.as_json(), CALIBRATION)
    version = registry.add(Artefact(manifest, state.values, state.arrays, files))
    fitted = start_of(EPOCH + timedelta(days=first))
    store.write(MODEL_VERSIONS.name, _row(version, fitted, origin))
    return version


def note_aliases(store: Store, registry: Registry, target: str, horizon: int) -> None:
    """Correct rows of `model_versions` whose alias is another in the registry."""
    aliases = {one.version: one.alias for one in registry.list(target, horizon)}
    stored = store.read(MODEL_VERSIONS.name, where={"target": [target]}).filter(pl.col("horizon") == horizon)
    named = stored.with_columns(
        pl.Series("alias", [aliases.get(one) for one in stored["version"]], dtype=pl.String),
        pl.lit(utc_now()).cast(stored.schema["known_at"]).alias("known_at"),
    )
    changed = named.filter(~named["alias"].eq_missing(stored["alias"]))
    if changed.height:
        store.write(MODEL_VERSIONS.name, changed)


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


__all__ = [
    "Version",
    "find_kept",
    "keep_model",
    "kept_models",
    "note_aliases",
    "registry_of",
]
