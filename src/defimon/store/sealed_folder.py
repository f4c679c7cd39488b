"""A folder of files sealed by a manifest of their sizes and hashes; refused whole when a byte is off."""

import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from defimon.core.errors import BadData, FixSettings

FORMAT_VERSION = 1
MANIFEST = "manifest.json"

SUFFIXES = (".json", ".safetensors", ".ubj")
"""Formats that hold data only: JSON, safetensors, XGBoost's UBJSON."""

LARGEST_FILE = 1 << 30
LARGEST_MANIFEST = 1 << 20
MOST_FILES = 100
LARGEST_FOLDER = 1 << 30
"""Bounds on what a folder may make a reader load, all its files together at once; the largest model of
defimon stays below 100 MB."""

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}(\.[a-z0-9_-]{1,64}){0,4}\.[a-z0-9]{1,16}")
"""A plain name; inner dots tell the parts of a model that is made of others, as in `0.point.ubj`."""


def seal(folder: Path, description: Mapping[str, object], contents: Mapping[str, bytes]) -> str:
    """Write `contents` and a manifest to `folder`, which must not exist; the version of what was written.

    The folder appears complete or not at all. Raises BadData for a name that is not safe, FixSettings when
    the place is taken or cannot be written.
    """
    for name, body in contents.items():
        _refuse_name(name, "an artefact")
        if len(body) > LARGEST_FILE:
            raise BadData(f"{name} has {len(body)} bytes, more than the {LARGEST_FILE} that are allowed.")
    _refuse_sum(sum(map(len, contents.values())), "an artefact")
    facts = {name: {"sha256": _sha256(body), "bytes": len(body)} for name, body in sorted(contents.items())}
    manifest = to_json({"format_version": FORMAT_VERSION, **description, "files": facts}, MANIFEST)
    if folder.exists() or folder.is_symlink():
        raise FixSettings(f"{folder} exists already.", variable="folder", remedy="Choose a new folder.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(folder, {**contents, MANIFEST: manifest})
    except OSError as error:
        raise FixSettings(
            f"{folder} cannot be written: {error.strerror}.",
            variable="DEFIMON_DATA_DIR",
            remedy="Choose a folder that you may write to, with room left.",
        ) from None
    return version_of(manifest)


def version_of(manifest: bytes) -> str:
    """First 12 characters of the manifest's hash, which covers the hash of every file."""
    return _sha256(manifest)[:12]


def unseal(folder: Path) -> tuple[str, dict[str, Any], dict[str, bytes]]:
    """Version, description and contents. Raises BadData naming the file that is missing, extra, or changed.

    Names, sizes and hashes are held to the manifest before any content is interpreted.
    """
    version, description, listed = described(folder)
    expected, found = {*listed, MANIFEST}, {entry.name for entry in folder.iterdir()}
    for name in sorted(expected - found):
        raise BadData(f"{folder / name} is missing.", remedy="Train the model again.")
    for name in sorted(found - expected):
        raise BadData(f"{folder / name} does not belong to the artefact.", remedy="Take it out.")
    contents = {name: _checked(folder / name, facts) for name, facts in sorted(listed.items())}
    return version, description, contents


def described(folder: Path) -> tuple[str, dict[str, Any], dict[str, dict[str, Any]]]:
    """Version, description and list of files of a folder, from its manifest alone. Raises BadData."""
    path = folder / MANIFEST
    body = _plain_file(path, LARGEST_MANIFEST)
    description = from_json(body, path)
    if description.pop("format_version", None) != FORMAT_VERSION:
        raise BadData(
            f"{path} is not of format version {FORMAT_VERSION}.",
            remedy="Train the model again with this defimon.",
        )
    files = description.pop("files", None)
    if not isinstance(files, dict) or len(files) > MOST_FILES:
        raise BadData(f"{path} does not list its files.")
    for name, facts in files.items():
        _refuse_name(name, str(path))
        if not isinstance(facts, dict) or set(facts) != {"sha256", "bytes"}:
            raise BadData(f"{path} gives no hash and size for {name}.")
        if type(facts["bytes"]) is not int or not 0 <= facts["bytes"] <= LARGEST_FILE:
            raise BadData(f"{path} lists {name} with {facts['bytes']!r} bytes, which is not allowed.")
    _refuse_sum(sum(facts["bytes"] for facts in files.values()), str(path))
    return version_of(body), description, files


def to_json(value: object, name: str) -> bytes:
    """Raises BadData for what JSON cannot hold, NaN and infinity included."""
    try:
        return json.dumps(value, sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise BadData(f"{name} cannot be written as JSON: {error}.") from None


def from_json(body: bytes, path: Path) -> dict[str, Any]:
    """A JSON object. Raises BadData for anything else."""
    try:
        value = json.loads(body, parse_constant=_refused)
    except (ValueError, RecursionError):
        raise BadData(f"{path} is no JSON.") from None
    if not isinstance(value, dict):
        raise BadData(f"{path} holds no JSON object.")
    return value


def _refused(name: str) -> float:
    """NaN and infinity, which Python would read."""
    raise ValueError(name)


def _refuse_name(name: str, where: str) -> None:
    if not _FILE_NAME.fullmatch(name) or name == MANIFEST:
        raise BadData(f"{where}: {name!r} is no plain file name.")
    if Path(name).suffix not in SUFFIXES:
        raise BadData(f"{where}: {name} is of no safe format.", remedy=f"Known: {', '.join(SUFFIXES)}.")


def _refuse_sum(size: int, where: str) -> None:
    if size > LARGEST_FOLDER:
        raise BadData(f"{where}: {size} bytes in all, more than the {LARGEST_FOLDER} that are allowed.")


def _checked(path: Path, facts: Mapping[str, Any]) -> bytes:
    body = _plain_file(path, int(facts["bytes"]))
    if len(body) != facts["bytes"] or _sha256(body) != facts["sha256"]:
        raise BadData(f"{path} is not what was saved: its hash differs.", remedy="Train the model again.")
    return body


def _plain_file(path: Path, most: int) -> bytes:
    """Bytes of a regular file, opened without following a link. Raises BadData above `most` bytes."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise BadData(f"{path} cannot be read as a plain file: {error.strerror}.") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise BadData(f"{path} is no plain file.")
    with os.fdopen(handle, "rb") as file:
        body = file.read(most + 1)
    if len(body) > most:
        raise BadData(f"{path} is larger than the {most} bytes it may have.")
    return body


def _write_whole(folder: Path, contents: Mapping[str, bytes]) -> None:
    started = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, body in contents.items():
            with (started / name).open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
        started.chmod(0o755)
        started.rename(folder)
    except BaseException:
        shutil.rmtree(started, ignore_errors=True)
        raise


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
