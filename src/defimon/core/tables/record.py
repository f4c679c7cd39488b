"""Tables of the record itself: raw answers, rows kept apart."""

import polars as pl

from defimon.core.table import Column, Table
from defimon.core.tables._columns import PROVENANCE, WHOLE, text, time

QUARANTINE = Table(
    "quarantine",
    "Rows kept out of a table, whole, with the rule that caught them.",
    (
        text("row_table", "table that the row was meant for", required=True),
        text("row_key", "what names the row there", required=True),
        time("ts", "time of the row"),
        text("rule", "name of the quality rule", required=True),
        text("row_json", "the whole row as JSON", required=True),
        *PROVENANCE,
    ),
    ("row_table", "row_key", "ts", "rule", "source"),
)

RAW_ANSWERS = Table(
    "raw_answers",
    "Answers of a service exactly as they came, compressed, by hash.",
    (
        text("sha256", "hash of the uncompressed body", required=True),
        time("ts", "when it was asked"),
        text("request", "what was asked, secrets masked", required=True),
        Column("body", pl.Binary(), "zlib-compressed body"),
        Column("length", WHOLE, "length uncompressed", unit="bytes", low=0),
        *PROVENANCE,
    ),
    ("sha256", "request"),
)
