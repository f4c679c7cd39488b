"""Memory of every setting that was ever tried, without which a best result cannot be judged."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from defimon.core.errors import BadData


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting on one data set: `data` is the hash of the panel, `sharpe` of one period against hold."""

    data: str
    settings: Mapping[str, object]
    sharpe: float

    @property
    def key(self) -> str:
        """Hash of data and settings: the same trial run again counts once."""
        text = json.dumps([self.data, dict(self.settings)], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class TrialLog:
    """A file of JSON lines that is only ever appended to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, trials: list[Trial]) -> None:
        """Append the trials that are not there yet; each line is on disk before this returns."""
        known = self._read()
        fresh = {trial.key: trial for trial in trials if trial.key not in known}
        if not fresh:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            for key, trial in fresh.items():
                line = {"key": key, "data": trial.data, "sharpe": trial.sharpe, **trial.settings}
                file.write(json.dumps(line, sort_keys=True, default=str) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def sharpes(self, data: str) -> list[float]:
        """One-period Sharpe ratios of every trial on the panel with hash `data`."""
        return [float(str(line["sharpe"])) for line in self._read().values() if line["data"] == data]

    def _read(self) -> dict[str, dict[str, object]]:
        if not self.path.exists():
            return {}
        lines: dict[str, dict[str, object]] = {}
        text = self.path.read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), start=1):
            try:
                trial = json.loads(line)
                lines[trial["key"]] = trial
            except (json.JSONDecodeError, KeyError, TypeError) as error:
                raise BadData(
                    f"{self.path}: line {number} is not a trial.", remedy="Mend or remove that line."
                ) from error
        return lines
