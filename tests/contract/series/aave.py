"""Three reserves of a market of real contracts on a local chain that goes by Polygon's number."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2]))  # so that the laboratory can be imported

from laboratory.aave_scene import played_scene, settings_for

SINCE = datetime(2023, 11, 1, tzinfo=UTC)


def serve(httpserver, monkeypatch):
    _ = httpserver, monkeypatch
    try:
        return settings_for(played_scene(137).market, "polygon")
    except FileNotFoundError as missing:
        pytest.skip(f"needs npm: 'npm ci --ignore-scripts' in tests/laboratory did not bring {missing}")
