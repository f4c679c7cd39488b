"""Replay files of recorded contract answers against the pools."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from defimon.amm.pools._errors import BadState
from defimon.amm.state.document import State
from defimon.amm.state.recorded import holds_questions_only, read_pools, read_recording
from defimon.amm.state.recording import Recording
from defimon.amm.state.replay import Difference, Verdict, replay
from defimon.core.errors import BadData
from defimon.flows.states import in_file, json_files, read_json

__all__ = ["Difference", "Verdict", "check_files", "read_recording_file"]

Progress = Callable[[str, int, int], None]

Folders = dict[Path, dict[str, State]]
"""For each folder the pools of its files: states of one pool each, by the pool's id in lower case."""


def check_files(paths: Sequence[Path], progress: Progress = lambda *_: None) -> list[Verdict]:
    """A verdict a file, in the order given; a folder stands for every *.json below it.

    A file that holds states alone is checked for consistency and has 0 answers. Raises BadState, which
    names the file, for one that is no state and no recording.
    """
    files, folders, verdicts = list(json_files(paths)), Folders(), []
    for done, path in enumerate(files):
        progress("Replay", done, len(files))
        verdicts.append(replay(read_recording_file(path, folders)))
    progress("Replay", len(files), len(files))
    return verdicts


def read_recording_file(path: Path, folders: Folders | None = None) -> Recording:
    """The states and answers in a file; pools that quotes of mainnet ask are looked for beside it.

    `folders` remembers what was found beside other files. Raises BadState, which names the file.
    """
    folders = {} if folders is None else folders
    try:
        document = read_json(path)
        if holds_questions_only(document) and path.parent not in folders:
            folders[path.parent] = _pools_in(path.parent)
        return read_recording(document, str(path), folders.get(path.parent))
    except BadState as error:
        raise in_file(path, error) from None
    except BadData as error:
        raise BadState(f"{path}: {error.message}", remedy=error.remedy) from None


def _pools_in(folder: Path) -> dict[str, State]:
    pools: dict[str, State] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            document = read_json(path)
            if holds_questions_only(document):
                continue
            state = read_pools(document)
        except BadState:
            # Whatever else lies in the folder is not asked about; its reader names a pool that is missed.
            continue
        pools |= {name.lower(): replace(state, pools={name: pool}) for name, pool in state.pools.items()}
    return pools
