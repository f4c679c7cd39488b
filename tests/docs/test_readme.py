"""What the documents tell a reader to type works."""

import os
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from defimon.apps.cli.main import build

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), flags=re.DOTALL)


def commands():
    for page in PAGES:
        for block in blocks(page, "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("defimon "):
                    yield pytest.param(shlex.split(line, comments=True)[1:], id=f"{page.name}: {line[:60]}")


@pytest.mark.parametrize("words", list(commands()))
def test_every_command_of_the_documents_exists_with_its_options(words):
    command = typer.main.get_command(build())
    path = []
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, words[0]
        command = command.commands[words[0]]
        path.append(words.pop(0))
    known = {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert {word.split("=")[0] for word in words if word.startswith("--")} <= known | {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_python_lines_of_the_readme_print_forecasts(tmp_path):
    rng = np.random.default_rng(1)
    days = [datetime(2025, 9, 1, tzinfo=UTC) + timedelta(days=day) for day in range(170)]
    panel = pl.concat(
        pl.DataFrame({"pool_id": name, "ts": days, "apy": 0.04 + 0.01 * rng.random(170)}) for name in "abc"
    )
    panel.write_csv(tmp_path / "yields.csv")
    (code,) = blocks(ROOT / "README.md", "python")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "DEFIMON_DATA_DIR": str(tmp_path / "data"), "DEFIMON_PROCESSES": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "yhat" in done.stdout


def test_help_is_shown_for_every_command():
    runner, app = CliRunner(), build()
    for name in typer.main.get_command(app).commands:
        assert runner.invoke(app, [name, "--help"]).exit_code == 0, name
