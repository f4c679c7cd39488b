"""Is the place that a result is to go to any good? Asked before the work, not after it."""

import tempfile
from pathlib import Path

from defimon.core.errors import FixSettings


def refuse_bad_file(
    path: Path | None, *suffixes: str, option: str = "--out", source: Path | None = None
) -> None:
    """Raises FixSettings unless `path` is None, or can be written, ends as said and is not `source`."""
    if path is None:
        return
    if path.suffix not in suffixes:
        raise FixSettings(
            f"{option} {path} does not end in {' or '.join(suffixes)}.",
            variable=option,
            remedy="Name the file so that it says its format.",
        )
    if path.is_dir():
        raise FixSettings(f"{option} {path} is a folder.", variable=option, remedy="Name a file in it.")
    if source is not None and path.exists() and source.exists() and path.samefile(source):
        raise FixSettings(
            f"{option} {path} is the file that is read.", variable=option, remedy="Name another file."
        )
    _refuse_shut(path, path.parent, option)


def refuse_bad_folder(path: Path | None) -> None:
    """Raises FixSettings unless `path` is None, or a folder that can be made or written."""
    if path is None:
        return
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error, "--out") from error
    _refuse_shut(path, path, "--out")


def _refuse_shut(path: Path, folder: Path, option: str) -> None:
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise _unwritable(path, error, option) from error


def _unwritable(path: Path, error: OSError, option: str) -> FixSettings:
    return FixSettings(
        f"{option} {path} cannot be written ({error.strerror}).",
        variable=option,
        remedy="Choose a folder that is there and that you may write to.",
    )
