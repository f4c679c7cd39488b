"""Fixtures that every room's tests may ask for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Where the recorded data sets lie when they lie beside the checkout."""


@pytest.fixture(scope="session")
def data_sets() -> Path:
    """Folder of the recorded real data sets; a test that asks for it skips where there is none."""
    folder = Path(os.environ.get("DEFIMON_DATA_SETS") or BESIDE)
    if not (folder / "open").is_dir():
        pytest.skip("needs real data: set DEFIMON_DATA_SETS to the folder of the data sets")
    return folder


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the person's own store, whatever the environment says."""
    for variable in [name for name in os.environ if name.startswith("DEFIMON_")]:
        if variable != "DEFIMON_DATA_SETS":
            monkeypatch.delenv(variable)
    monkeypatch.setenv("DEFIMON_DATA_DIR", str(tmp_path_factory.mktemp("data")))


@pytest.fixture(autouse=True)
def _own_log_settings() -> Iterator[None]:
    """What a command's start says about log lines ends with the test that started it."""
    yield
    structlog.reset_defaults()
