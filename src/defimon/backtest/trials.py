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
    """A file of JSON lines that is only ever appended to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, trials: list[Trial]) -> None:
        """Append trials that are new or came out differently; they are on disk before this returns."""
        known = self._read()
        fresh = [
            {"key": trial.key, "data": trial.data, "sharpe": trial.sharpe, "settings": dict(trial.settings)}
            for trial in trials
            if known.get(trial.key, {}).get("sharpe") != trial.sharpe
        ]
        if not fresh:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(line, sort_keys=True, default=str) + "\n" for line in fresh)
            file.flush()
            os.fsync(file.fileno())

    def sharpes(self) -> list[float]:
        """One-period Sharpe ratio of every setting ever tried, as it last came out."""
        return [float(str(line["sharpe"])) for line in self._read().values()]

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
