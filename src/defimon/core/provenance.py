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
    ordered = frame.select(columns).sort(order, nulls_last=True, maintain_order=True)
    digest = hashlib.sha256()
    for name in columns:
        digest.update(f"{name}:{ordered.height};".encode())
        _update(digest, ordered[name])
    return digest.hexdigest()


def _update(digest: "hashlib._Hash", series: pl.Series) -> None:
    digest.update(np.packbits(series.is_null().to_numpy()).tobytes())
    if series.dtype == pl.String:
        lengths = series.str.len_bytes().fill_null(0).to_numpy().astype("<i8")
        digest.update(lengths.tobytes())
        digest.update("".join(series.drop_nulls().to_list()).encode())
    elif series.dtype == pl.Binary:
        digest.update(series.bin.size().fill_null(0).to_numpy().astype("<i8").tobytes())
        digest.update(b"".join(series.drop_nulls().to_list()))
    elif series.dtype.is_float():
        digest.update(series.cast(pl.Float64).fill_null(0.0).to_numpy().astype("<f8").tobytes())
    else:
        digest.update(series.to_physical().cast(pl.Int64).fill_null(0).to_numpy().astype("<i8").tobytes())
