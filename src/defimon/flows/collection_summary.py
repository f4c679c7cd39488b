"""The summary of a collection as a JSON document: what came, where each series stands, what chains did."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from defimon.core.settings import Settings
from defimon.core.units import utc_now
from defimon.flows._store import open_store
from defimon.flows.collection import SeriesResult
from defimon.flows.latest_aggregates import DAY, HOUR, aggregated_chains, latest_figures
from defimon.store.database import Store

FORMAT = "defimon.collection"
VERSION = 1


def collection_summary(
    settings: Settings,
    results: Sequence[SeriesResult],
    health: pl.DataFrame,
    *,
    began: datetime,
    chains: Sequence[str] = (),
) -> dict[str, Any]:
    """The document that docs/collecting.md describes; `chains` narrows whose aggregates are told."""
    with open_store(settings) as store:
        places = [name for name in aggregated_chains(store) if not chains or name in chains]
        told = {name: _chain(store, name) for name in places}
    return {
        "format": FORMAT,
        "version": VERSION,
        "began_at": began.isoformat(),
        "ended_at": utc_now().isoformat(),
        "totals": _totals(results),
        "series": [_series(one) for one in results],
        "chains": told,
        "health": [_plain(row) for row in health.select(HEALTH).iter_rows(named=True)],
    }


HEALTH = ("endpoint", "calls", "failures", "latency_s", "state", "note")


def write_summary(summary: dict[str, Any], path: Path) -> None:
    """Write the document, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(summary, indent=2, allow_nan=False) + "\n", "utf-8")
    partial.replace(path)


def _totals(results: Iterable[SeriesResult]) -> dict[str, int]:
    every = list(results)
    return {
        "series": len(every),
        "failed": sum(bool(one.error) for one in every),
        "rows_in": sum(one.rows_in for one in every),
        "inserted": sum(one.inserted for one in every),
        "corrected": sum(one.corrected for one in every),
        "unchanged": sum(one.unchanged for one in every),
        "quarantined": sum(one.quarantined for one in every),
        "gaps_open": sum(one.gaps_open for one in every),
        "gaps_filled": sum(one.gaps_filled for one in every),
    }


def _series(result: SeriesResult) -> dict[str, Any]:
    told = asdict(result)
    cursor = told.pop("cursor")
    position = None if cursor is None else {"number": cursor["number"], "ts": cursor["ts"]}
    return {name: _plain(value) for name, value in {**told, "position": position}.items()}


def _chain(store: Store, chain: str) -> dict[str, Any]:
    now = utc_now()
    return {"hour": _figures(store, chain, HOUR, now), "day": _figures(store, chain, DAY, now)}


def _figures(store: Store, chain: str, length: timedelta, now: datetime) -> list[dict[str, Any]]:
    return [_plain(asdict(one)) for one in latest_figures(store, chain, length, until=now)]


def _plain(value: Any) -> Any:
    """Values as JSON has them: times as ISO 8601 in UTC."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value.isoformat() if isinstance(value, datetime) else value
