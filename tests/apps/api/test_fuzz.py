"""The running API against its own description: made-up requests of every kind, alone and in chains."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from defimon.core.settings import load_settings
from defimon.flows._store import open_store
from defimon.flows.baskets import remove_basket

CONFIGURED = Path(__file__).with_name("schemathesis.toml")
MOST_EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "48")
"""Requests of every kind by each phase: about two minutes. `scripts/bench api-fuzz` goes on for longer."""


def test_no_request_that_can_be_made_up_breaks_what_is_described(data, serve_on):
    pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    program = Path(sys.executable).with_name("schemathesis")
    with open_store(load_settings({}, data_dir=data.folder)) as store:
        # An admin who removes a basket of their own would see another's of the same name in its place.
        for name in ("theirs", "open"):
            remove_basket(store, "other", name, every=False)
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
