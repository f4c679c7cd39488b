"""Model artefacts: a fitted model as one sealed folder, and the registry that names versions.

A folder holds `manifest.json`, `values.json`, `arrays.safetensors` if there are arrays, and weights in a
library's own safe format. Nothing in it is code.
"""

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from defimon.core.errors import BadData
from defimon.core.provenance import code_version
from defimon.store.sealed_folder import described, from_json, seal, to_json, unseal

VALUES, ARRAYS = "values.json", "arrays.safetensors"
LARGEST_ITEM = 8
"""Bytes of the widest number that safetensors holds."""

LONGEST_HORIZON = 36_500
"""Days; a target has bounds of its own, far below."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an artefact is: the model, what it learnt from and for, and how it scored.

    `data_hash` is the content hash of the panel, `fitted_on` the last day it learnt from (YYYY-MM-DD);
    `scores` holds the model's and the yardstick's figures by name, `settings` those of the fit and the walk
    (empty in artefacts of an earlier defimon).
    """

    model: str
    variant: str
    target: str
    horizon: int
    features: tuple[str, ...]
    data_hash: str
    fitted_on: str
    scores: Mapping[str, float] = field(default_factory=dict)
    code_version: str = field(default_factory=code_version)
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Artefact:
    """A fitted model as plain parts: JSON-able `values`, `arrays`, and weight `files` by name."""

    manifest: Manifest
    values: dict[str, object] = field(default_factory=dict)
    arrays: dict[str, NDArray[np.generic]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def save(folder: Path, artefact: Artefact) -> str:
    """Write the artefact to `folder`, complete or not at all; its version, a hash over every byte.

    Raises BadData for a part that has no safe form, FixSettings when the place is taken or not writable.
    """
    for name in artefact.files:
        if name in {VALUES, ARRAYS}:
            raise BadData(f"{name} is a name of the artefact's own.", remedy="Rename the file of weights.")
    contents = {VALUES: to_json(artefact.values, VALUES), **artefact.files}
    if artefact.arrays:
        contents[ARRAYS] = _packed(artefact.arrays)
    return seal(folder, asdict(artefact.manifest), contents)


def load(folder: Path) -> Artefact:
    """Read an artefact. Raises BadData naming the file when anything is missing, extra, changed or unsafe."""
    return load_version(folder)[1]


def load_version(folder: Path) -> tuple[str, Artefact]:
    """The same with the version of the very bytes that were read."""
    version, description, contents = unseal(folder)
    manifest = _manifest(description, folder)
    if VALUES not in contents:
        raise BadData(f"{folder} lists no {VALUES}.")
    values = from_json(contents.pop(VALUES), folder / VALUES)
    arrays = _unpacked(contents.pop(ARRAYS), folder / ARRAYS) if ARRAYS in contents else {}
    return version, Artefact(manifest, values, arrays, contents)


def read_manifest(folder: Path) -> tuple[str, Manifest]:
    """Version and manifest of an artefact, without reading its weights. Raises BadData as `load`."""
    version, description, _ = described(folder)
    return version, _manifest(description, folder)


def _manifest(description: dict[str, Any], folder: Path) -> Manifest:
    words = ("model", "variant", "target", "data_hash", "fitted_on", "code_version")
    kinds: dict[str, type] = {**dict.fromkeys(words, str), "horizon": int, "features": list}
    kinds |= {"scores": dict, "settings": dict}
    description, path = {"settings": {}, **description}, folder / "manifest.json"
    if set(description) != set(kinds):
        wrong = ", ".join(sorted(set(description) ^ set(kinds)))
        raise BadData(f"{path} lacks, or does not know: {wrong}.")
    for name, kind in kinds.items():
        if not isinstance(description[name], kind):
            raise BadData(f"{path} holds no {kind.__name__} in {name}.")
    right = {
        "horizon": type(description["horizon"]) is int and 0 < description["horizon"] <= LONGEST_HORIZON,
        "features": all(_is_word(name) for name in description["features"]),
        "fitted_on": _is_day(description["fitted_on"]),
        "scores": all(_is_figure(value) for value in description["scores"].values()),
        **{name: _is_word(description[name]) for name in words if name != "fitted_on"},
    }
    for name in (name for name, fits in right.items() if not fits):
        raise BadData(f"{path} holds something in {name} that cannot stand there.")
    return Manifest(**{**description, "features": tuple(description["features"])})


def _is_word(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_figure(value: object) -> bool:
    """Whether it is a number, neither NaN nor infinite."""
    most = sys.float_info.max
    return isinstance(value, int | float) and not isinstance(value, bool) and -most <= value <= most


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_plain(array: NDArray[np.generic]) -> bool:
    return array.dtype.kind in "biuf" and array.dtype.itemsize <= LARGEST_ITEM


def _packed(arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    from safetensors.numpy import save as pack

    for name, array in arrays.items():
        if not _is_plain(array):
            raise BadData(f"array {name} holds {array.dtype}, which has no safe form.")
    native = {name: array.astype(array.dtype.newbyteorder("="), order="C") for name, array in arrays.items()}
    return pack(dict(sorted(native.items())))


def _unpacked(body: bytes, path: Path) -> dict[str, NDArray[np.generic]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load as unpack

    try:
        arrays = dict(unpack(body))
    except SafetensorError as error:
        raise BadData(f"{path} is no safetensors file: {error}.") from None
    except KeyError as error:
        raise BadData(f"{path} holds an array of {error}, a kind of number that is not read.") from None
    if not all(_is_plain(array) for array in arrays.values()):
        raise BadData(f"{path} holds an array of something other than plain numbers.")
    return arrays
