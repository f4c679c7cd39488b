"""The laboratory: one local EVM a test process, and the seed of everything random in it."""

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1]))  # so that `laboratory.chain` can be imported

from laboratory.chain import Chain, binary  # noqa: E402

SEED = int(os.environ.get("LABORATORY_SEED") or random.SystemRandom().randrange(1 << 15))


@pytest.fixture(scope="session")
def laboratory_seed() -> int:
    """Set LABORATORY_SEED to repeat a run; scripts/test chooses one for all its processes and prints it."""
    return SEED


@pytest.fixture(autouse=True)
def _say_the_seed() -> None:
    print(f"LABORATORY_SEED={SEED}")  # noqa: T201 - pytest shows it with a test that fails


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """A fresh local EVM; a test that asks for it skips where npm has not installed one."""
    try:
        binary()
    except FileNotFoundError as missing:
        pytest.skip(f"needs npm: 'npm ci --ignore-scripts' in tests/laboratory did not bring {missing}")
    running = Chain.start(tmp_path_factory.mktemp("anvil"))
    yield running
    running.stop()
