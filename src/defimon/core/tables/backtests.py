"""Tables of backtests that the worker runs: how each stands, and what came of it."""

import polars as pl

from defimon.core.table import Column, Table
from defimon.core.tables._columns import FLAG, PROVENANCE, REAL, WHOLE, count, text, time

BACKTEST_STATES = ("queued", "running", "done", "failed", "cancelled")

BACKTESTS = Table(
    "backtests",
    "A backtest that somebody asked for; the row decides which worker runs it.",
    (
        time("ts", "when it was asked for"),
        text("backtest_id", "its name, which opens with `ts`", required=True),
        text("owner", "name on the key that asked", required=True),
        text("form", "what was asked, as JSON", required=True),
        text("form_hash", "hash of the form: equal for equal questions", required=True),
        text("state", "how it stands", required=True, choices=BACKTEST_STATES),
        Column("progress", REAL, "share that is done", unit="fraction", low=0.0, high=1.0),
        text("doing", "what is being done, in words"),
        text("worker", "worker that runs it"),
        count("attempt", "how often it was begun", required=True),
        time("lease_until", "when another worker may take it over", required=False),
        time("started_at", "when this attempt began", required=False),
        time("ended_at", "when it ended", required=False),
        text("result_id", "its result; equal questions on equal data have one together"),
        text("error", "why it failed"),
        text("field", "part of the form to mend"),
        text("remedy", "how to mend it"),
        Column("removed", FLAG, "its owner took it off the list", nullable=True),
        *PROVENANCE,
    ),
    ("ts", "backtest_id"),
)

BACKTEST_RESULTS = Table(
    "backtest_results",
    "What came of a form on data: figures and curves, and trades.",
    (
        text("result_id", "hash of form, data and code", required=True),
        text("part", "document or trades", required=True),
        time("ts", "when it was reckoned"),
        Column("body", pl.Binary(), "JSON, compressed by zlib, or Parquet"),
        Column("length", WHOLE, "length of the body", unit="bytes", low=0),
        *PROVENANCE,
    ),
    ("result_id", "part"),
)
