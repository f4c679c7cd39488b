"""What happened to models: one row a change or warning, so that nobody has to guess why an answer changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

import polars as pl

from defimon.core.tables import MODEL_EVENTS
from defimon.core.units import utc_now
from defimon.store.database import Store

COMMAND_LINE = "the command line"


@dataclass(frozen=True, slots=True)
class About:
    """What an event is about: target, horizon in days, and the model and version, empty where there is none.

    `origin` is "simulated" where it follows from simulated rows.
    """

    target: str
    horizon: int
    model: str = ""
    version: str = ""
    origin: str = "derived"


def note_event(
    store: Store,
    kind: str,
    about: About,
    reason: str,
    *,
    author: str,
    figures: Mapping[str, float | None] | None = None,
    at: datetime | None = None,
) -> None:
    """Write an event. Figures that are no numbers are left out."""
    moment = at or utc_now()
    told = {name: value for name, value in (figures or {}).items() if value is not None and isfinite(value)}
    row = {
        "target": about.target,
        "horizon": about.horizon,
        "ts": moment,
        "kind": kind,
        "model": about.model or None,
        "version": about.version or None,
        "figures": json.dumps(told, sort_keys=True),
        "reason": reason,
        "author": author,
        "known_at": moment,
        "source": "defimon",
        "origin": about.origin,
    }
    store.write(MODEL_EVENTS.name, MODEL_EVENTS.rows([row]))


def model_events(
    store: Store,
    *,
    target: str = "",
    horizon: int | None = None,
    kind: str = "",
    version: str = "",
    most: int = 100,
) -> list[dict[str, Any]]:
    """Events, the newest first, `figures` read; empty texts and None take all."""
    wanted = {"target": target, "kind": kind, "version": version}
    rows = store.read(MODEL_EVENTS.name, where={name: [text] for name, text in wanted.items() if text})
    if horizon is not None:
        rows = rows.filter(pl.col("horizon") == horizon)
    newest = rows.sort("ts", "target", "kind", descending=[True, False, False]).head(most)
    return [
        {**row, "figures": json.loads(row["figures"] or "{}")}
        for row in newest.drop("source", "known_at", "ingested_at").iter_rows(named=True)
    ]
