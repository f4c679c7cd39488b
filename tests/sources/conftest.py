"""A migrated store for every test that collects into one, copied rather than made anew; scripted nodes."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # so that the scripted nodes can be imported

from anvil_nodes import GENESIS, collected
from scripted_nodes import HEAD, ScriptedNode, SmallChain

from defimon.sources import _evm_deeper
from defimon.store.database import Store


@pytest.fixture(scope="session")
def migrated_store(tmp_path_factory):
    path = tmp_path_factory.mktemp("migrated") / "store.db"
    with Store(f"sqlite:///{path}") as opened:
        opened.migrate()
    return path


@pytest.fixture
def store(migrated_store, tmp_path):
    path = shutil.copy(migrated_store, tmp_path / "store.db")
    with Store(f"sqlite:///{path}") as opened:
        yield opened


@pytest.fixture
def node(httpserver):
    """Makes nodes of one chain of 40 blocks, or of another one."""
    chain = SmallChain(40)

    def make(*acts, of=chain, path=None):
        return ScriptedNode(httpserver, of, *acts, path=path)

    return make


@pytest.fixture
def followed(httpserver, store, monkeypatch):
    """A node of a longer chain that is stored whole; roots of forks are sought in steps of 50."""
    monkeypatch.setattr(_evm_deeper, "STRETCH", 50)
    one = ScriptedNode(httpserver, SmallChain(HEAD, transactions=1))
    assert collected(store, one.url, since=GENESIS).inserted == HEAD + 1
    return one
