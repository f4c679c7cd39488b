"""The registry of model artefacts: versions on disk, and which one is champion or challenger."""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from defimon.core.errors import BadData, FixSettings
from defimon.store.artefacts import Artefact, Manifest, load_version, read_manifest, save
from defimon.store.sealed_folder import from_json

Alias = Literal["champion", "challenger", "previous"]
ALIASES: tuple[Alias, ...] = ("champion", "challenger", "previous")
ALIAS_FILE = "aliases.json"
SHORTEST_PREFIX = 4


@dataclass(frozen=True, slots=True)
class Version:
    """A stored artefact: its version (a hash of its content), folder, manifest and alias, if any."""

    version: str
    folder: Path
    manifest: Manifest
    alias: Alias | None = None


class Registry:
    """Artefacts below one folder, as `<target>-<horizon>/<model>-<version>`.

    Each target and horizon has at most one champion, one challenger and one previous champion, kept in
    `aliases.json` beside them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, artefact: Artefact) -> Version:
        """Store an artefact; one that is there already is not stored twice. Raises as `artefacts.save`."""
        manifest = artefact.manifest
        home = self._home(manifest.target, manifest.horizon)
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=home) as started:
            version = save(Path(started) / "artefact", artefact)
            place = home / f"{_name(manifest.model)}-{version}"
            if not place.exists():
                (Path(started) / "artefact").rename(place)
        return self.find(manifest.target, manifest.horizon, version)

    def list(self, target: str, horizon: int) -> list[Version]:
        """Every version for a target and horizon, sorted by model, day of fit and version."""
        home = self._home(target, horizon)
        if not home.is_dir():
            return []
        aliases = {version: alias for alias, version in self._aliases(target, horizon).items()}
        found = []
        for place in home.iterdir():
            if place.is_dir() and not place.is_symlink() and not place.name.startswith("."):
                version, manifest = read_manifest(place)
                if place.name != f"{manifest.model}-{version}":
                    raise BadData(f"{place / 'manifest.json'} is not what was saved: its hash differs.")
                found.append(Version(version, place, manifest, aliases.get(version)))
        return sorted(found, key=lambda one: (one.manifest.model, one.manifest.fitted_on, one.version))

    def find(self, target: str, horizon: int, name: str) -> Version:
        """Version by alias, or by four or more first characters of its hash. Raises FixSettings else."""
        found = [
            one
            for one in self.list(target, horizon)
            if one.alias == name or (len(name) >= SHORTEST_PREFIX and one.version.startswith(name))
        ]
        if len(found) != 1:
            known = ", ".join(one.version for one in self.list(target, horizon)) or "none"
            raise FixSettings(
                f"{len(found)} models of {target}, {horizon} days, are called {name!r}.",
                variable="version",
                remedy=f"Known: {known}.",
            )
        return found[0]

    def load(self, target: str, horizon: int, name: str) -> tuple[Version, Artefact]:
        """The artefact that `find` names. Raises BadData when anything of it was changed."""
        version = self.find(target, horizon, name)
        read, artefact = load_version(version.folder)
        if read != version.version:
            raise BadData(f"{version.folder} was changed while it was read.", remedy="Try again.")
        return version, artefact

    def set_alias(self, target: str, horizon: int, alias: Alias, version: str) -> Version:
        """Call a version champion or challenger; whichever was so called before no longer is."""
        if alias not in ALIASES:
            raise FixSettings(
                f"{alias!r} is no alias.", variable="alias", remedy=f"Known: {', '.join(ALIASES)}."
            )
        chosen = self.find(target, horizon, version)
        kept = {name: one for name, one in self._aliases(target, horizon).items() if one != chosen.version}
        self._write_aliases(self._home(target, horizon) / ALIAS_FILE, {**kept, alias: chosen.version})
        return self.find(target, horizon, chosen.version)

    def crown(self, target: str, horizon: int, version: str | None) -> None:
        """Make a version champion, and the one before it `previous`, at once; None: nobody is champion."""
        before = self._aliases(target, horizon)
        chosen = None if version is None else self.find(target, horizon, version).version
        old = before.get("champion")
        if chosen == old:
            return
        after: dict[Alias, str] = {}
        if "challenger" in before and before["challenger"] != chosen:
            after["challenger"] = before["challenger"]
        if chosen is not None:
            after["champion"] = chosen
        if old is not None:
            after["previous"] = old
        self._replace(target, horizon, after)

    def step_back(self, target: str, horizon: int) -> str | None:
        """Make the previous champion champion again, or nobody when there is none; which version it is."""
        before = self._aliases(target, horizon)
        again = before.pop("previous", None)
        if before.pop("champion", again) is None:
            return None
        if again is not None:
            before["champion"] = again
        self._replace(target, horizon, before)
        return again

    def aliases(self, target: str, horizon: int) -> dict[Alias, str]:
        """Versions by alias."""
        return self._aliases(target, horizon)

    def drop_alias(self, target: str, horizon: int, alias: Alias) -> None:
        """No version of the target and horizon is called `alias` any longer."""
        aliases = self._aliases(target, horizon)
        if aliases.pop(alias, None) is not None:
            self._write_aliases(self._home(target, horizon) / ALIAS_FILE, aliases)

    def _replace(self, target: str, horizon: int, aliases: dict[Alias, str]) -> None:
        home = self._home(target, horizon)
        home.mkdir(parents=True, exist_ok=True)
        self._write_aliases(home / ALIAS_FILE, aliases)

    def _home(self, target: str, horizon: int) -> Path:
        return self.folder / f"{_name(target)}-{horizon:d}"

    def _aliases(self, target: str, horizon: int) -> dict[Alias, str]:
        path = self._home(target, horizon) / ALIAS_FILE
        if not path.exists():
            return {}
        found = from_json(path.read_bytes(), path)
        if not set(found) <= set(ALIASES) or not all(isinstance(one, str) for one in found.values()):
            raise BadData(f"{path} holds something other than aliases.", remedy="Delete it, name them again.")
        return {alias: found[alias] for alias in ALIASES if alias in found}

    @staticmethod
    def _write_aliases(path: Path, aliases: dict[Alias, str]) -> None:
        handle, started = tempfile.mkstemp(prefix=".aliases-", dir=path.parent)
        with os.fdopen(handle, "w") as file:
            json.dump(aliases, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(handle)
        Path(started).replace(path)


def _name(name: str) -> str:
    """A plug-in's name, safe as part of a path."""
    if not name.isidentifier() or not name.isascii():
        raise FixSettings(f"{name!r} is no name of a plug-in.", variable="name", remedy="Use a plain name.")
    return name
