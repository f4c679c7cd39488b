"""Pool states and recordings from files."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from defimon.amm.pools._errors import BadState
from defimon.amm.state.document import State
from defimon.amm.state.recorded import read_pools
from defimon.amm.state.text import MOST_BYTES, parse


def read_state_file(path: Path) -> State:
    """The pools in a file: a `defimon.pools` document, or any recording of pools.

    Raises BadState, which names the file, and OSError when it cannot be read.
    """
    try:
        return read_pools(read_json(path))
    except BadState as error:
        raise in_file(path, error) from None


def read_json(path: Path) -> Any:
    """Values of a JSON file. Raises BadState for what is no strict JSON."""
    with path.open("rb") as file:
        return parse(file.read(MOST_BYTES + 1), name="The file")


def in_file(path: Path, error: BadState) -> BadState:
    """The same error with the file's name."""
    return BadState(f"{path}: {error.message}", remedy=error.remedy)


def json_files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files themselves, and for a folder every *.json below it, sorted. Raises BadState for none."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(one for one in path.rglob("*.json") if one.is_file())
        if not found:
            raise BadState(f"{path} has no *.json below it.", remedy="Name a file, or another folder.")
        yield from found
