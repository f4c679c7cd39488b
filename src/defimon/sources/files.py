"""A folder of files: each is read by the reader that knows its format, once, and again when it changes."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Self

import polars as pl
import structlog

from defimon.core.errors import BadData, FixSettings
from defimon.core.settings import Settings
from defimon.core.units import EPOCH, utc_now
from defimon.sources._base import reader_for
from defimon.sources._http import Answer, Http
from defimon.sources._manners import Manners
from defimon.sources._series import Batch, Cursor, Keep, Series, SeriesSource, Wanted
from defimon.sources._sheet import CSV_SUFFIXES, PARQUET_SUFFIXES, columns_of
from defimon.sources.standard_panel import StandardPanel

LARGEST_KEPT = Manners().largest_bytes
"""Up to this size a file is kept as it came, as answers are: it may be gone tomorrow."""
LARGEST_USUAL = 1.0
MOST = 0.5
"""A usual yield of over 100 % a year in most of a file's rows is percent taken for a fraction."""

log = structlog.get_logger(__name__)


class Files(SeriesSource):
    """Files below DEFIMON_FILES; series `files:<path below it>`, positions by time of change and content.

    A file that cannot be read says so in its own result, and the others go on; one that is gone says so once.
    Hidden files, and those of other suffixes than CSV and Parquet, are left alone; those whose names are no
    UTF-8 too, with a warning, since no store holds such a name.
    """

    name = "files"
    title = "A folder of files"
    lag: ClassVar[timedelta] = timedelta(0)
    configured_by = ("DEFIMON_FILES",)

    def __init__(self, folder: Path | None, every: timedelta, keep: Keep = lambda _: None) -> None:
        self._folder = folder
        self._every = every
        self._keep = keep
        self._gone: set[str] = set()
        self._not_named: set[str] = set()

    @classmethod
    def opened(cls, http: Http, settings: Settings, keep: Keep = lambda _: None) -> Self:
        _ = http
        if settings.files is not None and not settings.files.is_dir():
            raise FixSettings(
                f"DEFIMON_FILES names no folder: {settings.files}.",
                variable="DEFIMON_FILES",
                remedy="Name a folder that is there, or leave it out.",
            )
        return cls(settings.files, timedelta(seconds=settings.yields_every_s), keep)

    def series(self) -> list[Series]:
        if self._folder is None:
            return []
        found = [path.relative_to(self._folder) for path in _files_below(self._folder)]
        return [
            Series(f"{self.name}:{path.as_posix()}", self.name, self._every, judged="yields", rarely=True)
            for path in sorted(found)
            if path.name.lower().endswith(CSV_SUFFIXES + PARQUET_SUFFIXES)
            and not any(part.startswith(".") for part in path.parts)
            and self._can_be_named(path)
        ]

    def _can_be_named(self, path: Path) -> bool:
        shown = str(path).encode(errors="backslashreplace").decode()
        if shown == str(path):
            return True
        if shown not in self._not_named:
            self._not_named.add(shown)
            log.warning("a file is left out: its name is no UTF-8", path=shown)
        return False

    async def batches(self, series: Series, wanted: Wanted) -> AsyncIterator[Batch]:
        """The rows of the file, unless its content is stored already. Raises BadData for a broken one."""
        if self._folder is None:
            return
        path = self._folder / series.name.removeprefix(f"{self.name}:")
        try:
            batch = await self._batch(series.name, path, wanted.cursor)
        except OSError as error:
            if not isinstance(error, FileNotFoundError) or not await asyncio.to_thread(self._folder.is_dir):
                raise _unreadable(path, error) from error
            told = Batch(warnings=(f"{path.name} is gone: its rows stay",))
            batch = None if series.name in self._gone else told
            self._gone.add(series.name)
        else:
            self._gone.discard(series.name)
        if batch is not None:
            yield batch

    async def _batch(self, name: str, path: Path, stood: Cursor | None) -> Batch | None:
        before = stood.detail.split(" ", 1) if stood else ["", ""]
        status = await asyncio.to_thread(path.stat)
        changed_us = status.st_mtime_ns // 1_000
        look = f"{changed_us} {status.st_size}"
        if look == before[-1]:
            return None
        digest = await asyncio.to_thread(_digest, path)
        number = max(changed_us, stood.number + 1 if stood else 0)
        cursor = Cursor(number, EPOCH + timedelta(microseconds=number), f"{digest} {look}")
        if digest == before[0]:
            return Batch(cursor=cursor, done=1, total=1)
        if status.st_size <= LARGEST_KEPT:
            self._keep(Answer(name, await asyncio.to_thread(path.read_bytes), "", utc_now()))
        panel = await asyncio.to_thread(_panel, path)
        warning = f"{path.name} has changed since it was read last: it was read again"
        return Batch(panel=panel, cursor=cursor, warnings=(warning,) if before[0] else (), done=1, total=1)


def _files_below(folder: Path) -> list[Path]:
    """Files, as far as their folders may be looked into; a folder may go while it is looked through."""
    found = [Path(at, name) for at, _, names in os.walk(folder) for name in names]
    return [path for path in found if os.path.isfile(path)]  # noqa: PTH113 - Path.is_file raises when refused


def _unreadable(path: Path, error: OSError) -> BadData:
    return BadData(
        f"{path}: the file cannot be read ({error.strerror or error}).",
        remedy="Check that it is there, and that the user who runs defimon may read it.",
    )


def _digest(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _panel(path: Path) -> pl.DataFrame:
    """Rows of a file in the format that is recognised. Raises BadData that says why it cannot be used."""
    reader = reader_for(path, columns_of(path))
    panel = reader().read(path)
    if reader is StandardPanel:
        _refuse_percent(path, panel)
    return panel


def _refuse_percent(path: Path, panel: pl.DataFrame) -> None:
    usual = pl.col("apy").filter(pl.col("apy") > 0.0).median().over("pool_id")
    large = panel.select((usual > LARGEST_USUAL).fill_null(value=False).mean()).item()
    if large > MOST and panel["flags"].is_null().all():
        raise BadData(
            f"{path}: column apy looks like percent in {large:.0%} of the rows; expected a fraction a year,"
            " such as 0.052 for 5.2 %.",
            remedy="Use `defimon import` with --percent if the rates are percent, or with --fraction if not.",
        )
