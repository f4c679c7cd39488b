"""The documented shape of DefiLlama's answers, held against what really came."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from defimon.core.errors import BadData, TryAgain
from defimon.core.table import LISTED_ROWS


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a row; `needed` must be in every row and not null, another may be null or absent."""

    name: str
    kind: type[str] | type[float] | type[bool]
    needed: bool = False

    @property
    def dtype(self) -> pl.DataType:
        return {str: pl.String(), float: pl.Float64(), bool: pl.Boolean()}[self.kind]

    @property
    def expected(self) -> str:
        word = {str: "a text", float: "a number", bool: "true or false"}[self.kind]
        return word if self.needed else f"{word} or null"

    def fits(self, value: object) -> bool:
        if value is None:
            return not self.needed
        return type(value) in self.kinds and value != ""

    @property
    def kinds(self) -> frozenset[type]:
        """Types that JSON's values of this kind have; a truth value is no number."""
        return frozenset({int, float}) if self.kind is float else frozenset({self.kind})

    def all_fit(self, values: list[Any]) -> bool:
        """As `fits` for a whole column: twenty times as fast over the 20,000 rows of an answer."""
        found = set(map(type, values))
        allowed = self.kinds if self.needed else self.kinds | {type(None)}
        return found <= allowed and not (str in found and "" in values)


POOL_FIELDS = (
    Field("pool", str, needed=True),
    Field("chain", str, needed=True),
    Field("project", str, needed=True),
    Field("symbol", str, needed=True),
    Field("tvlUsd", float),
    Field("apy", float),
    Field("apyBase", float),
    Field("apyReward", float),
    Field("volumeUsd1d", float),
    Field("stablecoin", bool),
)
CHART_FIELDS = (
    Field("timestamp", str, needed=True),
    Field("tvlUsd", float),
    Field("apy", float),
    Field("apyBase", float),
    Field("apyReward", float),
)
ALWAYS_SENT = ("tvlUsd", "apy")
"""Fields that may be null in a row, yet whose absence from all of them means that the service changed."""


def rows_of(answer: object, fields: tuple[Field, ...], *, where: str) -> pl.DataFrame:
    """Rows of an answer `{"status": "success", "data": [{...}, ...]}`: one column a field, null where null.

    Fields that are not listed are ignored. Raises BadData naming `where`, row and field for another shape,
    and TryAgain with the service's own words when it says that it failed.
    """
    if not isinstance(answer, Mapping):
        raise BadData(f"{where}: the answer is {_shown(answer)}, expected an object with status and data.")
    status = answer.get("status")
    if status != "success":
        said = answer.get("message", answer.get("error", "nothing more"))
        raise TryAgain(f"{where}: the service answers status {_shown(status)} and says {_shown(said)}.")
    data = answer.get("data")
    if not isinstance(data, list):
        raise BadData(f"{where}: field data is {_shown(data)}, expected a list of rows.")
    if not all(isinstance(row, Mapping) for row in data):
        _refuse_broken(data, fields, where)
    columns = {field.name: [row.get(field.name) for row in data] for field in fields}
    if not all(field.all_fit(columns[field.name]) for field in fields):
        _refuse_broken(data, fields, where)
    _refuse_absent(data, columns, where)
    return pl.DataFrame(
        [pl.Series(field.name, columns[field.name], dtype=field.dtype, strict=False) for field in fields]
    )


LONGEST_NAME = 200
"""Characters of a pool's identifier, which are 36 as a rule. PostgreSQL keeps no key of over 2,704 bytes
(https://www.postgresql.org/docs/current/btree.html), and no other pool shall suffer from one that has none.
"""


def without_long_names(answer: object) -> tuple[object, list[Mapping[str, Any]]]:
    """A `/pools` answer without rows whose pool has a longer name, and those rows."""
    data = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(answer, Mapping) or not isinstance(data, list):
        return answer, []
    apart = [row for row in data if isinstance(row, Mapping) and _is_long(row.get("pool"))]
    if not apart:
        return answer, []
    kept = [row for row in data if not (isinstance(row, Mapping) and _is_long(row.get("pool")))]
    return {**answer, "data": kept}, apart


def _is_long(name: object) -> bool:
    return isinstance(name, str) and len(name) > LONGEST_NAME


def metas_of(answer: object) -> pl.DataFrame:
    """`pool_id` and `meta` of the rows of a `/pools` answer that `rows_of` has passed.

    `meta` is what the service writes beside the symbol, such as a fee tier; null where it writes nothing.
    """
    rows = answer["data"] if isinstance(answer, Mapping) else []
    metas = [None if row.get("poolMeta") in (None, "") else str(row["poolMeta"]) for row in rows]
    columns = {"pool_id": [row["pool"] for row in rows], "meta": metas}
    return pl.DataFrame(columns, schema={"pool_id": pl.String, "meta": pl.String})


def _refuse_absent(data: list[Any], columns: Mapping[str, list[Any]], where: str) -> None:
    for name in ALWAYS_SENT:
        if (
            data
            and not any(value is not None for value in columns[name])
            and not any(name in row for row in data)
        ):
            raise BadData(f"{where}: every row, field {name}: absent, expected a number or null.")


def _refuse_broken(data: list[Any], fields: tuple[Field, ...], where: str) -> None:
    broken: list[str] = []
    for place, row in enumerate(data, start=1):
        if not isinstance(row, Mapping):
            broken.append(f"row {place}: found {_shown(row)}, expected an object")
            continue
        broken += [
            f"row {place}, field {field.name}: found {_shown(row.get(field.name))}, expected {field.expected}"
            for field in fields
            if not field.fits(row.get(field.name))
        ]
    if broken:
        raise BadData(
            f"{where}: {len(broken)} value(s) are not of the documented shape:", rows=broken[:LISTED_ROWS]
        )


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
