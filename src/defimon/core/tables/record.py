"""Tables of the record itself: raw answers, rows kept apart."""

import polars as pl

from defimon.core.table import Column, Table
from defimon.core.tables._columns import PROVENANCE, REAL, WHOLE, count, text, time

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
        Column("body", pl.Binary(), "body by zstd, once by zlib; empty where it was dropped to save room"),
        Column("length", WHOLE, "length uncompressed", unit="bytes", low=0),
        *PROVENANCE,
    ),
    ("sha256", "request"),
)

CURSORS = Table(
    "cursors",
    "How far a series has been collected; written together with the rows it counts.",
    (
        text("series", "source, and what of it, joined by colons", required=True),
        time("ts", "time of the position"),
        Column("number", WHOLE, "position: a block's height, or microseconds since 1970", low=0),
        text("detail", "what the source needs besides, such as the block's hash"),
        *PROVENANCE,
    ),
    ("series",),
)

GAP_STATUSES = ("open", "filled", "lost")

GAPS = Table(
    "gaps",
    "A stretch of a series that was not collected, and what became of it.",
    (
        text("series", "source, and what of it, joined by colons", required=True),
        Column("start", WHOLE, "first position that is missing", low=0),
        Column("end", WHOLE, "first position after it", low=0),
        time("ts", "when it was noticed"),
        text(
            "status", "missing, filled since, or not to be had any more", required=True, choices=GAP_STATUSES
        ),
        text("reason", "why it is missing"),
        *PROVENANCE,
    ),
    ("series", "start"),
)

JOB_STATUSES = ("running", "done", "failed")

JOB_RUNS = Table(
    "job_runs",
    "One run of a job for one slot of its schedule; the row decides who runs it.",
    (
        text("job", "name of the job", required=True),
        time("ts", "slot of the schedule"),
        text("status", "how it stands", required=True, choices=JOB_STATUSES),
        text("owner", "worker that runs it", required=True),
        count("attempt", "how often it was begun", required=True),
        time("started_at", "when this attempt began"),
        time("lease_until", "when another worker may take it over"),
        time("ended_at", "when it ended", required=False),
        count("rows", "rows that were new or corrected"),
        text("warnings", "what to know, one a line"),
        text("error", "why it failed"),
        time("next_at", "slot after this one", required=False),
        *PROVENANCE,
    ),
    ("job", "ts"),
)

SOURCE_HEALTH = Table(
    "source_health",
    "How an endpoint did over the interval that ends at `ts`.",
    (
        text("endpoint", "source and host, secrets masked", required=True),
        time("ts", "end of the interval"),
        count("calls", "calls that were made", required=True),
        count("failures", "calls that failed", required=True),
        Column("latency_s", REAL, "mean time of an answer", unit="seconds", nullable=True, low=0.0),
        text("state", "resting after failures, or not", choices=("closed", "open")),
        text("note", "the last fault"),
        *PROVENANCE,
    ),
    ("endpoint", "ts"),
)

POOL_ALIASES = Table(
    "pool_aliases",
    "A pool that goes by another id since `ts`.",
    (
        text("pool_id", "id it had", required=True),
        time("ts", "since when"),
        text("alias_of", "id it has now", required=True),
        text("reason", "how that is known"),
        *PROVENANCE,
    ),
    ("pool_id", "source"),
)
