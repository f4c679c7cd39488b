import errno
import sys
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from defimon.apps.cli.main import FAULT, main


@pytest.fixture
def panel(tmp_path):
    """Two months of one dollar pool."""
    first = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        {
            "pool_id": "usdc",
            "ts": first + timedelta(days=day),
            "apy": 0.04,
            "chain": "ethereum",
            "symbol": "USDC",
            "stablecoin": True,
        }
        for day in range(60)
    ]
    path = tmp_path / "panel.parquet"
    pl.DataFrame(rows).write_parquet(path)
    return path


def refused(monkeypatch, capsys, *words) -> str:
    """What a command that must fail prints, once its exit status is checked."""
    monkeypatch.setattr(sys, "argv", ["defimon", *(str(word) for word in words)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == FAULT
    return capsys.readouterr().err


def test_a_fault_of_the_data_is_a_message_and_status_2(tmp_path, monkeypatch, capsys):
    told = refused(monkeypatch, capsys, "panel", tmp_path / "[/]", "--out", tmp_path / "x.csv")
    assert "[/] is neither a file nor a data set" in told


def test_a_data_folder_that_cannot_be_used_is_named_with_what_to_check(panel, tmp_path, monkeypatch, capsys):
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("DEFIMON_DATA_DIR", str(file))
    window = ("--from", "2026-02-01", "--to", "2026-02-10", "--min-days", "20", "--warm-up-days", "0")
    told = refused(
        monkeypatch,
        capsys,
        "evaluate",
        "--panel",
        panel,
        *window,
        "--models",
        "persistence",
        "--processes",
        "1",
    )
    assert str(file) in told
    assert "DEFIMON_DATA_DIR" in told


def test_an_error_of_a_setting_names_it(monkeypatch, capsys):
    monkeypatch.setenv("DEFIMON_CONTRACTS", "0x12")
    assert "DEFIMON_CONTRACTS" in refused(monkeypatch, capsys, "status")
    monkeypatch.delenv("DEFIMON_CONTRACTS")
    monkeypatch.setenv("DEFIMON_RPC_ASTRA", "http://127.0.0.1:1")
    told = refused(monkeypatch, capsys, "status")
    assert "DEFIMON_RPC_ASTRA" in told
    assert "Did you mean astar?" in told


def test_a_full_disk_behind_standard_output_is_told(monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("typer.echo", full)
    assert "No space left on device" in refused(monkeypatch, capsys, "status", "--json")
