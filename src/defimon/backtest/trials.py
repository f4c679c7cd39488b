"""Memory of every setting that was ever tried, without which a best result cannot be judged."""

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from defimon.core.errors import BadData

if sys.platform != "win32":
    import fcntl


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting that was tried: `sharpe` of one period against hold, `data` the hash of the panel it was
    last tried on. The same settings on newer data are the same trial.
    """

    settings: Mapping[str, object]
    sharpe: float
    data: str

    @property
    def key(self) -> str:
        """Hash of the settings."""
        text = json.dumps(dict(self.settings), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class TrialLog:
    """A file of JSON lines that is only ever appended to, by one process at a time.

    A last line that was torn when its writer died is no trial; whoever writes next removes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, trials: list[Trial]) -> None:
        """Append trials that are new or came out differently; they are on disk before this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            _lock(file)
            known = self._read()
            fresh = [
                {
                    "key": trial.key,
                    "data": trial.data,
                    "sharpe": trial.sharpe,
                    "settings": dict(trial.settings),
                }
                for trial in trials
                if known.get(trial.key, {}).get("sharpe") != trial.sharpe
            ]
            if not fresh:
                return
            file.truncate(len(self._whole()))
            lines = (json.dumps(line, sort_keys=True, default=str) for line in fresh)
            file.write("".join(f"{line}\n" for line in lines).encode())
            file.flush()
            os.fsync(file.fileno())

    def sharpes(self) -> list[float]:
        """One-period Sharpe ratio of every setting ever tried, as it last came out."""
        return [float(str(line["sharpe"])) for line in self._read().values()]

    def _read(self) -> dict[str, dict[str, object]]:
        if not self.path.exists():
            return {}
        lines: dict[str, dict[str, object]] = {}
        for number, line in enumerate(self._whole().splitlines(), start=1):
            try:
                trial = json.loads(line)
                lines[trial["key"]] = trial
            except (ValueError, KeyError, TypeError) as error:
                raise BadData(
                    f"{self.path}: line {number} is not a trial.", remedy="Mend or remove that line."
                ) from error
        return lines

    def _whole(self) -> bytes:
        """The file up to the end of its last whole line."""
        content = self.path.read_bytes()
        return content[: content.rfind(b"\n") + 1]


def _lock(file: IO[bytes]) -> None:
    """Wait until no other process writes; until the file is closed none does. Windows has no such lock."""
    if sys.platform != "win32":
        fcntl.flock(file, fcntl.LOCK_EX)
