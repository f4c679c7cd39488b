"""The running API against its own description: made-up requests of every kind, alone and in chains."""

import subprocess
import sys
from pathlib import Path

import pytest

CONFIGURED = Path(__file__).with_name("schemathesis.toml")
MOST_EXAMPLES = "4"
"""A request of every kind by each phase; hours of it are for the bench."""


def test_no_request_that_can_be_made_up_breaks_what_is_described(data, serve_on):
    pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    program = Path(sys.executable).with_name("schemathesis")
    with serve_on(data.folder, api_open="never") as client:
        done = subprocess.run(
            [
                program, "--config-file", CONFIGURED, "run", f"{client.base_url}/v1/openapi.json",
                "--header", f"Authorization: Bearer {data.keys['admin']}", "--checks", "all",
                "--max-examples", MOST_EXAMPLES, "--seed", "7", "--no-color", "--continue-on-failure",
            ],
            capture_output=True, text=True, check=False, cwd=data.folder,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6_000:]
