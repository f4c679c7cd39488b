"""What of the dashboard needs no browser: its own tests, by Node's runner."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 300


def test_the_dashboards_own_tests_pass():
    if not (ROOT / "web" / "node_modules" / "vite").is_dir():
        pytest.skip("the dashboard's packages are not installed: npm --prefix web ci")
    done = subprocess.run(
        ["npm", "--prefix", "web", "test"],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"\bpass (\d+)$", done.stdout, re.MULTILINE)[1]) > 20
    assert re.search(r"\bfail 0$", done.stdout, re.MULTILINE)
