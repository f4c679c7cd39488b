"""One server and one clock for all seeds that a file of tests plays."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # so that the modules of the world can be imported


@pytest.fixture(scope="module")
def player(tmp_path_factory):
    from simulation import playing

    with playing(tmp_path_factory.mktemp("seeds")) as found:
        yield found
