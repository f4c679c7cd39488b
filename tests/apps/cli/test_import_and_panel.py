from pathlib import Path

import pytest
from typer.testing import CliRunner

from defimon.apps.cli.main import build
from defimon.core.errors import BadData, FixSettings

ROWS = "pool_id,ts,apy,symbol\na,2025-01-01,0.05,USDC\na,2025-01-02,0.40,USDC\na,2025-01-03,-7,USDC\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("DEFIMON_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("DEFIMON_DATA_SETS", raising=False)

    def invoke(*words):
        result = CliRunner().invoke(build(), [str(word) for word in words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.stdout

    return invoke


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "panel.csv"
    path.write_text(ROWS)
    return path


def test_import_prints_rows_dates_and_what_every_rule_found(run, file):
    told = run("import", file)
    for words in (
        "panel.csv",
        "standard_panel",
        "2025-01-01 .. 2025-01-02",
        "1 rises, 0 falls",
        "out_of_range",
    ):
        assert words in told
    assert "unchanged" in run("import", file)


def test_the_embedded_sample_is_imported_by_its_name(run):
    told = run("import", "sample")
    assert "panel.parquet" in told
    assert "stored" in told


def test_panel_writes_a_file_and_the_store_gives_the_same(run, file, tmp_path):
    assert "2 rows of 1 pools, 2025-01-01 .. 2025-01-02" in run("panel", file, "--out", tmp_path / "one.csv")
    run("import", file)
    run("panel", "all", "--from-store", "--out", tmp_path / "two.csv")
    run("panel", "standard_panel", "--from-store", "--out", tmp_path / "three.csv")
    one, two, three = ((tmp_path / f"{name}.csv").read_text() for name in ("one", "two", "three"))
    assert one == two == three


def test_percent_is_taken_at_ones_word(run, tmp_path):
    path = tmp_path / "percent.csv"
    path.write_text("pool_id,ts,apy\na,2025-01-01,5.2\na,2025-01-02,5.3\n")
    with pytest.raises(BadData, match="--percent"):
        run("import", path)
    run("import", "--percent", path)
    run("panel", "all", "--from-store", "--out", tmp_path / "out.csv")
    assert ",0.053," in (tmp_path / "out.csv").read_text()


def test_a_data_set_without_its_folder_names_the_setting(run, tmp_path):
    with pytest.raises(FixSettings, match="DEFIMON_DATA_SETS"):
        run("panel", "aave", "--out", tmp_path / "out.csv")
