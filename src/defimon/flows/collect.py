"""Into the store: rows are read, judged, and written together with what was kept apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from defimon.core.tables import PANEL, POOLS, YIELDS
from defimon.flows.panel import judged_file
from defimon.quality._base import Verdict, without_hindsight
from defimon.sources._defillama_kinds import kind_of
from defimon.store.database import Store, Written

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many steps are done, and how many there are."""

ATTRIBUTES = ("protocol", "chain", "symbol", "stablecoin")
UNTOLD = ("meta", "listed", "ingested_at")
"""Columns of `pools` that no panel tells of."""
STEPS = 2
"""Of one file: reading and judging, then writing."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of one file.

    `rows_in` rows were read; of those kept, `written` says how many were new, unchanged or corrected, and
    `flagged` are doubted by a rule; `quarantined` were kept apart. `report` is the verdict's: rule, action,
    rows, pools, found, doc.
    """

    path: Path
    source: str
    rows_in: int
    written: Written
    flagged: int
    quarantined: int
    report: pl.DataFrame
    pools: int
    first_day: date | None
    last_day: date | None


def import_files(
    paths: Sequence[Path], store: Store, progress: Progress = lambda *_: None, *, percent: bool | None = None
) -> list[ImportResult]:
    """Read, judge and store files one after the other, each in one transaction.

    Raises BadData for a file that cannot be used: nothing of it is stored, files before it stay stored.
    """
    results = []
    for path in paths:
        progress(path.name, 0, STEPS)
        verdict = judged_file(path, percent=percent)
        progress(path.name, 1, STEPS)
        results.append(_result(path, verdict, store_verdict(store, verdict)))
        progress(path.name, STEPS, STEPS)
    return results


def store_verdict(store: Store, verdict: Verdict, *, told_now: bool = False) -> Written:
    """Write a judged panel, all or nothing: kept rows to `yields`, their pools to `pools`, the others to
    `quarantine`. Flags that later rows may change are left out, since each change would be a correction.

    Answers with what happened in `yields`. The same verdict again changes nothing. `told_now` as in
    `Store.write`.
    """
    with store.transaction():
        store.write("pools", _new_attributes(store, pool_rows(verdict.kept)), told_now=told_now)
        facts = without_hindsight(verdict.kept)
        yields = facts.select(name for name in YIELDS.names if name in PANEL.names)
        written = store.write("yields", yields, told_now=told_now)
        store.write("quarantine", quarantine_rows(verdict.quarantined))
    return written


def pool_rows(kept: pl.DataFrame) -> pl.DataFrame:
    """Rows of `pools`: one a pool and source, at the first row of a panel on which its attributes hold."""
    same = pl.all_horizontal(
        pl.col(name).eq_missing(pl.col(name).shift(1)) for name in ("pool_id", "source", *ATTRIBUTES)
    )
    last_part = pl.col("pool_id").str.split(":").list.last()
    return (
        kept.sort("pool_id", "source", "ts", maintain_order=True)
        .filter(~same)
        .with_columns(
            pl.when(pl.col("protocol").is_not_null()).then(kind_of(pl.col("protocol"))).alias("kind"),
            pl.when(last_part.str.starts_with("0x")).then(last_part).alias("address"),
        )
        .select(name for name in POOLS.names if name not in UNTOLD)
    )


def _new_attributes(store: Store, rows: pl.DataFrame) -> pl.DataFrame:
    """Those of the rows of `pools` that say something else than the stored one before them."""
    where = {"source": rows["source"].unique().to_list()}
    stored = store.read("pools", where=where, columns=["pool_id", "source", "ts", *ATTRIBUTES])
    before = rows.sort("ts").join_asof(
        stored.sort("ts").with_columns(known=pl.lit(value=True)),
        on="ts",
        by=["pool_id", "source"],
        strategy="backward",
        suffix="_before",
        check_sortedness=False,
    )
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_before")) for name in ATTRIBUTES)
    return before.filter(~(same & pl.col("known").fill_null(value=False))).select(rows.columns)


def quarantine_rows(quarantined: pl.DataFrame) -> pl.DataFrame:
    """Rows of `quarantine`; rows of one pool and time are told apart by their place among them.

    `known_at` is told beside the row and not in it: the same row fetched again says nothing new.
    """
    place = pl.int_range(pl.len()).over("pool_id", "ts", "source", "rule")
    values = quarantined.select(name for name in PANEL.names if name != "known_at")
    return quarantined.select(
        pl.lit("yields").alias("row_table"),
        pl.format("{} {}", "pool_id", place).alias("row_key"),
        "ts",
        "rule",
        values.select(row_json=pl.struct(pl.all()).struct.json_encode())["row_json"],
        "known_at",
        "source",
        "origin",
    )


def _result(path: Path, verdict: Verdict, written: Written) -> ImportResult:
    kept, apart = verdict.kept, verdict.quarantined
    days = kept.select(first=pl.col("ts").min().dt.date(), last=pl.col("ts").max().dt.date()).row(0)
    return ImportResult(
        path=path,
        source=next(iter(pl.concat([kept["source"], apart["source"]])), ""),
        rows_in=kept.height + apart.height,
        written=written,
        flagged=kept.height - kept["flags"].null_count(),
        quarantined=apart.height,
        report=verdict.report,
        pools=kept["pool_id"].n_unique(),
        first_day=days[0],
        last_day=days[1],
    )
