"""What the product has to offer: strategies by name, fitted models by version."""

import inspect
import json
from dataclasses import dataclass, fields
from typing import Any

from defimon.core.tables import MODEL_VERSIONS
from defimon.flows.not_known import not_known
from defimon.models._base import FAMILY as MODELS
from defimon.store.database import Store
from defimon.strategies._base import FAMILY as STRATEGIES
from defimon.strategies._base import Choices


@dataclass(frozen=True, slots=True)
class Offer:
    """A strategy: what it does, the columns that it needs, and the settings that it may read."""

    name: str
    doc: str
    needs: tuple[str, ...]
    settings: dict[str, str]


def offered_strategies() -> list[Offer]:
    """Every strategy, by name."""
    found = [STRATEGIES.load(name) for name in STRATEGIES.names()]
    settings = {field.name: str(field.default) for field in fields(Choices)}
    return [Offer(one.name, inspect.getdoc(one) or "", one.needs, dict(settings)) for one in found]


def kept_versions(store: Store) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows of `model_versions`, newest first, with `scores` read and without `folder`; kinds of models."""
    rows = store.read(MODEL_VERSIONS.name).sort("ts", "model", "version", descending=[True, False, False])
    return [_told(row) for row in rows.iter_rows(named=True)], MODELS.names()


def kept_model(store: Store, version: str) -> dict[str, Any]:
    """One row of them. Raises NotKnown."""
    rows, _ = kept_versions(store)
    for row in rows:
        if row["version"] == version:
            return row
    raise not_known("model version", version, [row["version"] for row in rows], variable="version")


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """Where it lies on the disk is nobody's business."""
    hidden = ("folder", "ingested_at")
    scores = json.loads(row["scores"]) if row["scores"] else {}
    return {name: value for name, value in row.items() if name not in hidden} | {"scores": scores}
