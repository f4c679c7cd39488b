"""Where a result comes from: the hash of its data and the version of the code."""

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from defimon import __version__


@cache
def code_version() -> str:
    """Version of the package and a hash of its sources, so that results of other code never pass for its."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"


def text_hash(*parts: object) -> str:
    """SHA-256 of the parts' texts, each told from its neighbour."""
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()


def content_hash(
    frame: pl.DataFrame, *, key: Sequence[str] = (), leave_out: Sequence[str] = ("ingested_at",)
) -> str:
    """SHA-256 over the values of a frame, whatever the order of its rows and columns.

    `key` names columns that fix the order of rows (all columns when empty). Nulls are told from zeros; time
    counts in microseconds UTC. The same content gives the same hash on every machine.
    """
    columns = sorted(set(frame.columns) - set(leave_out))
    order = [name for name in key if name in columns] or columns
    ordered = frame.lazy().select(columns).sort(order, nulls_last=True, maintain_order=True)
    held = ordered.select(part for name in columns for part in _parts(name, frame.schema[name])).collect()
    digest = hashlib.sha256()
    for name in columns:
        digest.update(f"{name}:{held.height};".encode())
        _update(digest, held, name)
    return digest.hexdigest()


NULLS, LENGTHS = "\x1fnulls", "\x1flengths"
"""Behind a column's name, what is hashed with its values."""


def _parts(name: str, dtype: pl.DataType) -> list[pl.Expr]:
    """What of a column is hashed: where it is null, and its values with a blank there."""
    column = pl.col(name)
    nulls = column.is_null().name.suffix(NULLS)
    if dtype == pl.String:
        return [nulls, column.str.len_bytes().fill_null(0).name.suffix(LENGTHS), column.fill_null("")]
    if dtype == pl.Binary:
        return [nulls, column.bin.size().fill_null(0).name.suffix(LENGTHS), column.fill_null(b"")]
    if dtype.is_float():
        return [nulls, column.cast(pl.Float64).fill_null(0.0)]
    return [nulls, column.to_physical().cast(pl.Int64).fill_null(0)]


def _update(digest: "hashlib._Hash", held: pl.DataFrame, name: str) -> None:
    values = held[name]
    digest.update(np.packbits(held[name + NULLS].to_numpy()).tobytes())
    if name + LENGTHS in held.columns:
        digest.update(held[name + LENGTHS].to_numpy().astype("<i8").tobytes())
        listed = values.to_list()
        digest.update("".join(listed).encode() if values.dtype == pl.String else b"".join(listed))
    else:
        digest.update(values.to_numpy().astype("<f8" if values.dtype.is_float() else "<i8").tobytes())
