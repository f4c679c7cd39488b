"""What must hold of a record, read from the store as it lies there."""

from itertools import pairwise

import polars as pl
import sqlalchemy as sa

from defimon.core.provenance import content_hash
from defimon.core.tables import TABLES
from defimon.flows.known_content import OF_THE_RUN, RECORD

NOT_COMPARED = {
    # What was refused tells of answers that only one of the two records met.
    "quarantine": None,
    # Counts of the moment of a visit, which a later visit cannot have.
    "development_activity": ("stars", "contributors"),
    # When a contract was described.
    "contracts": ("ts",),
}
MOMENTS = ("yields", "pools")
"""Tables whose rows of a snapshot have the time of fetching: they are compared by the minute."""


def differences(found, expected):
    """Tables whose content hashes differ, with the first rows that only one of two records holds."""
    told = []
    for name in sorted(found.keys() | expected.keys()):
        one, other = (side.get(name, TABLES[name].empty().drop(OF_THE_RUN)) for side in (found, expected))
        if content_hash(one, key=TABLES[name].key) != content_hash(other, key=TABLES[name].key):
            more = one.join(other, on=one.columns, how="anti", nulls_equal=True)
            less = other.join(one, on=one.columns, how="anti", nulls_equal=True)
            told.append(
                f"{name} differs: {more.height} row(s) that should not be, {less.height} that lack, such as"
                f" {more.head(1).to_dicts()} and {less.head(1).to_dicts()}"
            )
    return told


class Record:
    """A store as the checks read it."""

    def __init__(self, store):
        self.store = store

    def rows(self, statement, *values):
        return self.store._open().rows(sa.text(statement.format(*values)))

    def tables(self):
        """Names of the tables that hold rows."""
        parts = [f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in TABLES]
        return [name for (name,) in self.rows(" UNION ALL ".join(parts))]

    def content(self, comparable):
        """By table of the record, what two records of one world must share."""
        names = [name for name in self.tables() if name in RECORD and NOT_COMPARED.get(name, ()) is not None]
        return {name: self.said(name, comparable) for name in names}

    def said(self, name, comparable):
        rows = comparable(name, self.store.read(name).drop(OF_THE_RUN))
        blank = [
            pl.lit(None, dtype=rows.schema[column]).alias(column) for column in NOT_COMPARED.get(name, ())
        ]
        rows = rows.with_columns(blank)
        if name in MOMENTS:
            rows = rows.with_columns(pl.col("ts").dt.truncate("1m"))
        if name == "pools":
            same = pl.all_horizontal(
                pl.col(column).eq_missing(pl.col(column).shift(1))
                for column in rows.columns
                if column != "ts"
            )
            rows = rows.sort("pool_id", "source", "ts").filter(~same)
        return rows

    def doubled(self):
        """Tables in which a version of a row says the same as the version before it."""
        found = []
        for name in self.tables():
            table = TABLES[name]
            same = [column for column in table.names if column not in {"known_at", "ingested_at"}]
            columns = ", ".join(f'"{column}"' for column in same)
            key = ", ".join(f'"{column}"' for column in table.key)
            before = ", ".join(f'lag("{column}") OVER w AS "was_{column}"' for column in same)
            equal = " AND ".join(f'"{column}" IS "was_{column}"' for column in same)
            (count,) = self.rows(
                f"SELECT count(*) FROM (SELECT {columns}, {before}, row_number() OVER w AS turn FROM {name}"
                f" WINDOW w AS (PARTITION BY {key} ORDER BY known_at)) WHERE turn > 1 AND {equal}"
            )[0]
            found += [f"{count} row(s) of {name} are stored twice"] if count else []
        return found

    def backward(self):
        """Positions in time that went back: nothing but a reorganisation may do that."""
        found = []
        stands = self.rows("SELECT series, number FROM cursors ORDER BY series, known_at")
        for (series, before), (same, after) in pairwise(stands):
            if series == same and after < before and not series.endswith(":blocks"):
                found.append(f"{series} went back from {before} to {after}")
        return found

    def snapshots(self, world):
        """Positions of the series that only tell what is now."""
        stands = self.rows("SELECT series, max(number) FROM cursors GROUP BY series")
        return {name: at for name, at in stands if world.is_snapshot(name)}

    def open_gaps(self):
        gaps = self.rows(
            'SELECT series, start, "end", status, max(known_at) FROM gaps GROUP BY series, start'
        )
        return [gap[:3] for gap in gaps if gap[3] == "open"]

    def lost(self, series):
        """Stretches of a series that are said to be lost, in order."""
        gaps = self.rows(
            "SELECT start, \"end\", status, max(known_at) FROM gaps WHERE series = '{0}' GROUP BY start",
            series,
        )
        return sorted(gap[:2] for gap in gaps if gap[2] == "lost")
