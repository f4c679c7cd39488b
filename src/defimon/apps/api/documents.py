"""Shapes of answers, made from the contracts of the tables, and answers written out."""

from datetime import datetime
from typing import Any, Literal, Optional

import orjson
import polars as pl
from fastapi import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, create_model

from defimon.core.table import Column, Table

KINDS: dict[type[pl.DataType], Any] = {
    pl.String: str,
    pl.Float64: float,
    pl.Int64: int,
    pl.Boolean: bool,
    pl.Datetime: AwareDatetime,
}


class Document(BaseModel):
    """An answer with exactly the members that are described."""

    model_config = ConfigDict(extra="forbid")


def row_model(
    name: str, doc: str, table: Table, columns: tuple[str, ...], optional: tuple[str, ...] = ()
) -> type[Document]:
    """The model of a row with these columns of a table, each with the contract's type, unit and range.

    Those in `optional` may be null here although the table says never.
    """
    fields: dict[str, Any] = {
        column: _field(table.column(column), optional=column in optional) for column in columns
    }
    return create_model(name, __base__=Document, __doc__=doc, **fields)


def _field(column: Column, *, optional: bool) -> tuple[Any, Any]:
    kind = Literal[column.choices] if column.choices else KINDS[type(column.dtype)]
    if column.nullable or optional:
        kind = Optional[kind]  # noqa: UP045 - a type that is made at run time
    unit = f" ({column.unit})" if column.unit else ""
    return kind, Field(description=f"{column.doc}{unit}", ge=column.low, le=column.high)


class Answer(Response):
    """A JSON answer, kept by the caller for `seconds` before it asks again."""

    media_type = "application/json"

    def __init__(self, content: Any, *, seconds: int = 0, status: int = 200) -> None:
        kept = f"private, max-age={seconds}" if seconds else "private, no-cache"
        super().__init__(content, status, {"Cache-Control": kept})

    def render(self, content: Any) -> bytes:
        """Times in UTC with Z; a figure that is no number is null."""
        return orjson.dumps(content, _plain, orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_DATACLASS)


def rows_of(frame: pl.DataFrame) -> orjson.Fragment:
    """Rows of a frame as a JSON list, for a member of an answer: four times as fast as by way of Python."""
    moments = pl.col(pl.Datetime).dt.to_string("%Y-%m-%dT%H:%M:%S%.fZ")
    return orjson.Fragment(frame.with_columns(moments).write_json())


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError


def in_utc(moment: datetime) -> str:
    """ISO 8601 with Z."""
    return moment.isoformat().replace("+00:00", "Z")
