import subprocess
import sys

import pytest

from defimon.core.errors import FixSettings, TryAgain
from defimon.store.address import Address
from defimon.store.database import Store

SECRET = "pass word/1"
LOCKED_URL = "postgresql://me:pass%20word%2F1@127.0.0.1:1/x?sslpassword=deep%20secret"


@pytest.mark.parametrize(
    "url", ["nonsense", "mysql://me:secret@host/x", "", "sqlite://", "sqlite:///:memory:"]
)
def test_an_address_of_another_kind_is_refused_without_repeating_it(url):
    with pytest.raises(FixSettings) as caught:
        Store(url)
    assert "sqlite:///" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.variable == "DEFIMON_DATABASE_URL"


def test_the_password_is_in_no_repr_and_no_error():
    store = Store(LOCKED_URL)
    with pytest.raises(FixSettings) as caught:
        store.count("yields")
    texts = [repr(store), repr(Address.parse(LOCKED_URL)), str(caught.value), repr(caught.value.__dict__)]
    for text in texts:
        assert "127.0.0.1" in text
        for secret in (SECRET, "pass%20word", "deep secret", "deep%20secret"):
            assert secret not in text
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_folder_that_cannot_be_made_is_an_error_that_names_the_setting(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(FixSettings, match="DEFIMON_DATA_DIR"):
        Store(f"sqlite:///{tmp_path / 'file' / 'store.db'}").migrate()


def test_a_file_that_is_no_database_is_an_error_that_says_so(tmp_path):
    path = tmp_path / "store.db"
    path.write_bytes(b"these are not the bytes of a database" * 100)
    with pytest.raises(FixSettings, match="not a database of defimon"):
        Store(f"sqlite:///{path}").migrate()
    assert path.read_bytes().startswith(b"these are not")


def test_a_path_with_odd_letters_is_one_file(tmp_path, yields):
    with Store(f"sqlite:///{tmp_path / 'a b' / '100%25#é.db'}") as store:
        store.migrate()
        assert store.write("yields", yields(("a", 1, 0.1))).inserted == 1
    assert [entry.name for entry in (tmp_path / "a b").iterdir()] == ["100%#é.db"]


def test_a_disk_that_is_full_stores_nothing_and_says_so(sqlite_url, yields):
    with Store(sqlite_url) as store:
        store.migrate()
        store.write("yields", yields(("a", 1, 0.1)))
    code = """
import resource, signal, sys
import polars as pl
from defimon.core.errors import FixSettings
from defimon.store.database import Store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Store(sys.argv[1]) as store:
    frame = store.read("yields")
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
    many = pl.concat([frame.with_columns(pool_id=pl.lit(f"{n:060d}")) for n in range(3_000)] * 4)
    many = many.with_columns(pool_id=pl.col("pool_id") + pl.int_range(pl.len()).cast(pl.String))
    try:
        store.write("yields", many)
    except FixSettings as error:
        print(error)
"""
    answer = subprocess.run(
        [sys.executable, "-c", code, sqlite_url], capture_output=True, text=True, timeout=120, check=True
    )
    assert "no room left" in answer.stdout
    with Store(sqlite_url) as store:
        assert store.count("yields") == 1


def test_a_writer_that_waits_too_long_is_told_to_try_again(url, yields, monkeypatch):
    monkeypatch.setattr("defimon.store.connection.BUSY_SECONDS", 1)
    with Store(url) as holder, Store(url) as waiting:
        holder.migrate()
        with holder.transaction(), pytest.raises(TryAgain, match="another process"):
            waiting.write("yields", yields(("a", 1, 0.1)))
        assert waiting.write("yields", yields(("a", 1, 0.1))).inserted == 1


def test_a_writer_that_fell_asleep_loses_its_turn_and_what_it_had_begun(postgres_url, yields, monkeypatch):
    monkeypatch.setattr("defimon.store.connection.ASLEEP_SECONDS", 1)
    with Store(postgres_url) as asleep, Store(postgres_url) as waiting:
        asleep.migrate()
        turn = asleep.transaction()
        turn.__enter__()
        asleep.write("yields", yields(("a", 1, 0.1)))
        assert waiting.write("yields", yields(("b", 1, 0.2))).inserted == 1
        with pytest.raises(FixSettings, match="does not answer"):
            turn.__exit__(None, None, None)
        assert waiting.read("yields")["pool_id"].to_list() == ["b"]
        asleep.close()
        assert asleep.write("yields", yields(("c", 1, 0.3))).inserted == 1
