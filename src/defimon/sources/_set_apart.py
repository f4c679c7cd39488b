"""Rows of a service that cannot be used, as rows of `quarantine`: the others of their answer are stored."""

import json
from collections.abc import Sequence
from datetime import datetime

import polars as pl

from defimon.core.tables import QUARANTINE

UNREADABLE = "unreadable"
"""Stands in place of a quality rule where a row has another shape than documented."""

SHOWN = 100
"""Characters of a name by which a row is told."""


def set_apart(table: str, rows: Sequence[tuple[str, object]], told_at: datetime, source: str) -> pl.DataFrame:
    """Name and row each, whole, as they came for the table."""
    return QUARANTINE.rows(
        {
            "row_table": table,
            "row_key": f"{name[:SHOWN]} {place}" if table == "yields" else name[:SHOWN],
            "ts": told_at,
            "rule": UNREADABLE,
            "row_json": json.dumps(row),
            "known_at": told_at,
            "source": source,
            "origin": "observed",
        }
        for place, (name, row) in enumerate(rows)
    )
