"""A folder of files: each read once, again when it changes; a broken one stops no other."""

import os
import shutil
import signal

import polars as pl
import pytest
from structlog.testing import capture_logs

from defimon.core.errors import FixSettings
from defimon.core.settings import Settings, load_settings
from defimon.flows._raw_answers import whole
from defimon.flows.collect_sources import collect_sources
from defimon.flows.follow_sources import Followed, follow_sources

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


def follow(tmp_path, folder, enough):
    """Sums by file of a folder that is followed until `enough` of a result, asked of each as it comes."""
    settings = load_settings({}, data_dir=tmp_path / "data", files=folder)
    followed = Followed()

    def told(result, _):
        if enough(result):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        follow_sources(
            settings.model_copy(update={"yields_every_s": 0.02}),
            ["files"],
            told=told,
            followed=followed,
            account_s=0.02,
        )
    return {name.removeprefix("files:"): result for name, result in followed.results.items()}


def touch(path, seconds):
    status = path.stat()
    os.utime(path, (status.st_atime, status.st_mtime + seconds))


def test_each_file_is_read_by_the_reader_that_knows_it(store, folder):
    found = collected(store, folder)
    assert {name: result.inserted for name, result in found.items()} == {"older/b.csv": 2, "panel.csv": 2}
    assert store.read("yields")["source"].unique().to_list() == ["standard_panel"]
    raw = store.read("raw_answers", where={"request": ["files:panel.csv"]})
    assert whole(raw.row(0, named=True)).decode() == HEAD + ROWS


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


def test_a_file_whose_name_is_no_utf_8_is_left_out_with_one_warning_and_the_others_go_on(
    store, folder, tmp_path
):
    with open(os.fsencode(folder) + b"/\xff.csv", "w") as opened:  # noqa: PTH123 - Path takes no bytes
        opened.write(HEAD + ROWS)
    (folder / "\xe9.csv").write_text(HEAD + ROWS.replace("a,", "c,"))
    found = collected(store, folder)
    assert {name: (result.inserted, result.error) for name, result in found.items()} == dict.fromkeys(
        ("older/b.csv", "panel.csv", "\xe9.csv"), (2, "")
    )
    visits = []
    with capture_logs() as lines:
        follow(tmp_path, folder, lambda result: visits.append(result) or len(visits) > 9)
    told = [line["path"] for line in lines if "no UTF-8" in line["event"]]
    assert told == ["\\udcff.csv"]


def test_a_file_that_is_gone_keeps_its_rows(store, folder):
    collected(store, folder)
    (folder / "panel.csv").unlink()
    assert set(collected(store, folder)) == {"older/b.csv"}
    assert store.read("yields")["pool_id"].unique().sort().to_list() == ["a", "b"]


def test_a_file_that_goes_while_its_folder_is_followed_is_told_once_and_the_others_go_on(tmp_path, folder):
    visits = []

    def enough(result):
        visits.append(result)
        (folder / "panel.csv").unlink(missing_ok=True)
        others = [one for one in visits if one.series == "files:older/b.csv"]
        return len(others) > 3 and len(visits) - len(others) > 3

    found = follow(tmp_path, folder, enough)
    assert [one.error for one in visits] == [""] * len(visits)
    assert found["older/b.csv"].inserted == 2
    assert [one.warnings for one in visits if one.warnings] == [("panel.csv is gone: its rows stay",)]


def test_a_file_that_comes_while_its_folder_is_followed_is_read_and_one_that_comes_back_is_too(
    tmp_path, folder
):
    def enough(result):
        if result.series == "files:panel.csv" and result.inserted:
            (folder / "panel.csv").rename(folder / "new.csv")
        if result.series == "files:new.csv":
            (folder / "panel.csv").write_text(HEAD + ROWS.replace("a,", "c,"))
        return result.series == "files:panel.csv" and "has changed" in " ".join(result.warnings)

    found = follow(tmp_path, folder, enough)
    assert {name: result.error for name, result in found.items()} == dict.fromkeys(found, "")
    assert (found["new.csv"].unchanged, found["panel.csv"].inserted) == (2, 4)


def test_where_the_folder_is_gone_or_a_file_cannot_be_read_its_result_says_so(tmp_path, folder):
    visits = []

    def enough(result):
        visits.append(result)
        if len(visits) == 2:
            (folder / "older").rename(tmp_path / "aside")
            (folder / "older").write_text("")
        if any("older/b.csv: the file cannot be read (Not a directory)" in one.error for one in visits):
            shutil.rmtree(folder, ignore_errors=True)
        return "No such file" in result.error

    found = follow(tmp_path, folder, enough)
    assert "Check that it is there" in " ".join(result.error for result in found.values())


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
