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


def check_files(paths: Sequence[Path], progress: Progress = lambda *_: None) -> list[Verdict]:
    """A verdict a file, in the order given; a folder stands for every *.json below it.

    A file that holds states alone is checked for consistency and has 0 answers. Raises BadState, which
    names the file, for one that is no state and no recording.
    """
    files = list(json_files(paths))
    verdicts = []
    for done, path in enumerate(files):
        progress("Replay", done, len(files))
        verdicts.append(replay(read_recording_file(path)))
    progress("Replay", len(files), len(files))
    return verdicts


def read_recording_file(path: Path) -> Recording:
    """The states and answers in a file; pools that quotes of mainnet ask are looked for beside it."""
    try:
        document = read_json(path)
        pools = _pools_beside(path) if holds_questions_only(document) else None
        return read_recording(document, str(path), pools)
    except BadState as error:
        raise in_file(path, error) from None
    except BadData as error:
        raise BadState(f"{path}: {error.message}", remedy=error.remedy) from None


def _pools_beside(path: Path) -> dict[str, State]:
    """States of one pool each, by its id in lower case, from the other files of the folder."""
    pools: dict[str, State] = {}
    for other in sorted(path.parent.glob("*.json")):
        try:
            document = read_json(other)
            if other == path or holds_questions_only(document):
                continue
            state = read_pools(document)
        except BadState:
            # Whatever else lies in the folder is not asked about; its reader names a pool that is missed.
            continue
        pools |= {name.lower(): replace(state, pools={name: pool}) for name, pool in state.pools.items()}
    return pools
