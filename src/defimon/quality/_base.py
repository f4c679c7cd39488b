"""What a quality rule is, and how a panel is judged by all of them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal

import polars as pl

from defimon.core.plugins import Family
from defimon.core.tables import PANEL

REPORT_SCHEMA = pl.Schema(
    {
        "rule": pl.String(),
        "action": pl.String(),
        "rows": pl.Int64(),
        "pools": pl.Int64(),
        "found": pl.String(),
        "doc": pl.String(),
    }
)

_MARK = "marked by "


class Rule(ABC):
    """One reason to doubt a row.

    `action`: a flagged row stays in the panel and names the rule in `flags`; a quarantined one cannot be
    true, or is not the last word on its day, and is kept apart, whole. `looks_at` says what the rule is
    shown: every row by itself, days (after rows that cannot be true were set apart), or the series of each
    pool (after duplicates of a day were set apart too).
    """

    name: ClassVar[str]
    action: ClassVar[Literal["flag", "quarantine"]] = "flag"
    looks_at: ClassVar[Literal["row", "day", "series"]] = "series"
    hindsight: ClassVar[bool] = False

    @abstractmethod
    def caught(self, panel: pl.DataFrame) -> pl.Series:
        """One boolean a row of a panel that is sorted by pool and time; never null."""

    def found(self, panel: pl.DataFrame, caught: pl.DataFrame) -> str:
        """What was found beyond the number of rows, for the report; empty when nothing is to be said."""
        _ = panel, caught
        return ""


FAMILY: Family[Rule] = Family("defimon.quality", Rule)  # type: ignore[type-abstract]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judged panel.

    `kept`: the panel's rows that may be used, `flags` naming the rules that doubt them. `quarantined`: the
    other rows, whole, with the column `rule`. `report`: one row a rule with its rows, pools, what it found
    and why it exists.
    """

    kept: pl.DataFrame
    quarantined: pl.DataFrame
    report: pl.DataFrame


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, by name; looked up once, since a rule holds no state."""
    return tuple(FAMILY.load(name)() for name in FAMILY.names())


SCOPES = ("row", "day", "series")
"""What rules look at, in the order in which they judge."""


def check(panel: pl.DataFrame, scopes: Sequence[str] = SCOPES) -> Verdict:
    """Judges a standard panel by every rule; each row comes out once, kept or quarantined.

    The kept rows come out sorted by pool and time and hold the panel's contract. `scopes` leaves rules out
    that look at something else: a batch of a longer series says nothing about a row's neighbours.
    """
    left = panel.sort("pool_id", "ts", maintain_order=True)
    apart: list[pl.DataFrame] = []
    report: list[dict[str, object]] = []
    everyone = rules()
    for scope in scopes:
        shown, taken = left, pl.repeat(value=False, n=left.height, dtype=pl.Boolean, eager=True)
        for rule in (rule for rule in everyone if rule.looks_at == scope):
            caught = rule.caught(shown)
            hit = shown.filter(caught)
            report.append(_line(rule, hit, rule.found(shown, hit) if hit.height else ""))
            if rule.action == "quarantine":
                apart.append(shown.filter(caught & ~taken).with_columns(pl.lit(rule.name).alias("rule")))
                taken = taken | caught
            elif hit.height:
                left = left.with_columns(caught.alias(_MARK + rule.name))
        left = left.filter(~taken)
    return Verdict(
        kept=PANEL.validate(_with_flags(left)),
        quarantined=pl.concat(frame.select(*PANEL.names, "rule") for frame in apart),
        report=pl.DataFrame(report, schema=REPORT_SCHEMA).sort("rule"),
    )


def without_hindsight(panel: pl.DataFrame) -> pl.DataFrame:
    """The panel with only those flags that later rows do not change."""
    names = [rule.name for rule in rules() if rule.hindsight]
    left = pl.col("flags").str.split(",").list.set_difference(pl.lit(names, dtype=pl.List(pl.String)))
    joined = left.list.sort().list.join(",")
    return panel.with_columns(pl.when(joined != "").then(joined).alias("flags"))


def with_hindsight(panel: pl.DataFrame) -> pl.DataFrame:
    """A panel, sorted by pool and time, with the flags of the rules that look at neighbouring rows.

    Those that later rows may change are renewed; others are added to what a row was stored with, since rows
    that came in batches were stored before their neighbours were known.
    """
    judges = [rule for rule in rules() if rule.looks_at == "series"]
    marks = [rule.caught(panel).alias(_MARK + rule.name) for rule in judges]
    return _with_flags(without_hindsight(panel).with_columns(marks))


def _line(rule: Rule, hit: pl.DataFrame, found: str) -> dict[str, object]:
    return {
        "rule": rule.name,
        "action": rule.action,
        "rows": hit.height,
        "pools": hit["pool_id"].n_unique(),
        "found": found,
        "doc": " ".join((type(rule).__doc__ or "").split()),
    }


def _with_flags(frame: pl.DataFrame) -> pl.DataFrame:
    """The panel, `flags` naming the rules that marked a row beside those it came with."""
    marks = sorted(name for name in frame.columns if name.startswith(_MARK))
    names = pl.concat_str(
        [pl.col("flags"), *(pl.when(mark).then(pl.lit(mark.removeprefix(_MARK))) for mark in marks)],
        separator=",",
        ignore_nulls=True,
    )
    joined = frame.with_columns(names.alias("flags")).select(PANEL.names)
    if marks and frame["flags"].null_count() < frame.height:
        joined = joined.with_columns(pl.col("flags").str.split(",").list.unique().list.sort().list.join(","))
    return joined.with_columns(pl.when(pl.col("flags") != "").then("flags").alias("flags"))
