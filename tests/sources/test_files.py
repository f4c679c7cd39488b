"""A folder of files: each read once, again when it changes; a broken one stops no other."""

import os
import shutil
import zlib

import polars as pl
import pytest

from defimon.core.errors import FixSettings
from defimon.core.settings import Settings
from defimon.flows.collect_sources import collect_sources

HEAD = "pool_id,ts,apy,symbol\n"
ROWS = "a,2026-01-01,0.04,USDC\na,2026-01-02,0.05,USDC\n"


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "dumps"
    (path / "older").mkdir(parents=True)
    (path / "panel.csv").write_text(HEAD + ROWS)
    (path / "older" / "b.csv").write_text(HEAD + ROWS.replace("a,", "b,"))
    return path


def collected(store, folder):
    """Results by file."""
    done = collect_sources(Settings(files=folder), ["files"], store=store)
    return {result.series.removeprefix("files:"): result for result in done.results}


def touch(path, seconds):
    status = path.stat()
    os.utime(path, (status.st_atime, status.st_mtime + seconds))


def test_each_file_is_read_by_the_reader_that_knows_it(store, folder):
    found = collected(store, folder)
    assert {name: result.inserted for name, result in found.items()} == {"older/b.csv": 2, "panel.csv": 2}
    assert store.read("yields")["source"].unique().to_list() == ["standard_panel"]
    raw = store.read("raw_answers", where={"request": ["files:panel.csv"]})
    assert zlib.decompress(raw["body"][0]).decode() == HEAD + ROWS


def test_a_file_that_did_not_change_is_not_read_again(store, folder):
    collected(store, folder)
    again = collected(store, folder)["panel.csv"]
    assert (again.rows_in, store.count("cursors")) == (0, 2)


def test_the_same_content_at_another_time_is_not_stored_again(store, folder):
    collected(store, folder)
    touch(folder / "panel.csv", 60)
    again = collected(store, folder)["panel.csv"]
    assert (again.rows_in, again.warnings) == (0, ())
    assert collected(store, folder)["panel.csv"].rows_in == 0


@pytest.mark.parametrize("seconds", [60, 0, -3_600])
def test_a_file_that_changed_is_told_and_read_again_whatever_its_time(store, folder, seconds):
    collected(store, folder)
    path = folder / "panel.csv"
    before = path.stat().st_mtime
    path.write_text(HEAD + ROWS.replace("0.05", "0.06") + "a,2026-01-03,0.07,USDC\n")
    os.utime(path, (before, before + seconds))
    result = collected(store, folder)["panel.csv"]
    assert (result.inserted, result.corrected, result.unchanged) == (1, 1, 1)
    assert "has changed" in result.warnings[0]
    assert result.error == ""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "the file is empty"),
        ("x,y\n1,2\n", "no reader knows this format"),
        (HEAD + "a,2026-01-01,much,USDC\n", "found 'much', expected a number"),
        (HEAD + "a,2026-01-01\n", "row 1 has 2 cells"),
        (HEAD + ROWS.replace("0.0", ""), "looks like percent"),
    ],
)
def test_a_broken_file_says_so_and_the_others_go_on(store, folder, body, words):
    (folder / "panel.csv").write_text(body)
    found = collected(store, folder)
    assert words in found["panel.csv"].error
    assert found["panel.csv"].cursor is None
    assert found["older/b.csv"].inserted == 2
    (folder / "panel.csv").write_text(HEAD + ROWS)
    touch(folder / "panel.csv", 60)
    assert collected(store, folder)["panel.csv"].inserted == 2


def test_doubtful_rows_are_set_apart(store, folder):
    (folder / "panel.csv").write_text(HEAD + ROWS + "a,2026-01-03,-5,USDC\n")
    assert collected(store, folder)["panel.csv"].quarantined == 1


def test_hidden_files_and_other_suffixes_are_left_alone(store, folder):
    (folder / ".hidden.csv").write_text("x")
    (folder / ".git").mkdir()
    (folder / ".git" / "a.csv").write_text("x")
    (folder / "README.md").write_text("x")
    assert set(collected(store, folder)) == {"older/b.csv", "panel.csv"}


def test_a_file_that_is_gone_keeps_its_rows(store, folder):
    collected(store, folder)
    (folder / "panel.csv").unlink()
    assert set(collected(store, folder)) == {"older/b.csv"}
    assert store.read("yields")["pool_id"].unique().sort().to_list() == ["a", "b"]


def test_a_folder_that_is_none_is_refused_naming_the_setting(store, tmp_path):
    with pytest.raises(FixSettings, match="DEFIMON_FILES"):
        collect_sources(Settings(files=tmp_path / "nowhere"), ["files"], store=store)


@pytest.mark.real_data
def test_recorded_files_come_in_by_their_own_readers(store, tmp_path, data_sets):
    folder = tmp_path / "recorded"
    folder.mkdir()
    for name in ("lido_steth_daily.csv", "aave_v3_usdc_daily.csv"):
        shutil.copy(data_sets / "open" / name, folder / name)
    found = collected(store, folder)
    assert [result.error for result in found.values()] == ["", ""]
    assert sum(result.inserted + result.quarantined for result in found.values()) > 2_000
    assert store.read("yields").select(pl.col("source").n_unique()).item() == 2
