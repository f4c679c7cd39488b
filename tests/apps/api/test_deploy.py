"""Files of deploy/ are taken by the programs that they are for; left out where those are not installed."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from defimon.core.settings import PREFIX, Settings

DEPLOY = Path(__file__).parents[3] / "deploy"
FRAME = "pid {0}/pid; error_log stderr; events {{}} http {{ access_log off; include {1}; }}"


def test_nginx_takes_its_file(tmp_path):
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    frame = tmp_path / "nginx.conf"
    frame.write_text(FRAME.format(tmp_path, DEPLOY / "nginx" / "defimon.conf"))
    done = subprocess.run(
        [program, "-t", "-p", str(tmp_path), "-c", str(frame)], capture_output=True, text=True, check=False
    )
    assert "syntax is ok" in done.stderr, done.stderr


@pytest.mark.parametrize("unit", ["defimon-api@", "defimon-worker@"])
def test_systemd_takes_its_units(tmp_path, unit):
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not installed")
    placed = tmp_path / f"{unit}8001.service"
    shutil.copy(DEPLOY / "systemd" / f"{unit}.service", placed)
    done = subprocess.run([program, "verify", str(placed)], capture_output=True, text=True, check=False)
    assert unit not in done.stderr, done.stderr


def test_every_setting_that_is_named_there_is_one():
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    pages = [path.read_text() for path in DEPLOY.rglob("*") if path.is_file()]
    pages += [(DEPLOY.parent / "docs" / f"{name}.md").read_text() for name in ("running", "security")]
    named = {found for page in pages for found in re.findall(r"DEFIMON_[A-Z_]+[A-Z]", page)}
    assert named
    assert named <= known
