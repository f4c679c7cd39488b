import pytest

from defimon.apps.cli._destination import refuse_bad_file, refuse_bad_folder
from defimon.core.errors import FixSettings


def test_a_file_that_can_be_written_leaves_no_trace_of_the_question(tmp_path):
    refuse_bad_file(tmp_path / "forecasts.parquet", ".parquet")
    refuse_bad_file(None, ".parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_format_is_refused(tmp_path):
    with pytest.raises(FixSettings, match=r"does not end in \.csv or \.parquet"):
        refuse_bad_file(tmp_path / "forecasts.txt", ".csv", ".parquet")


def test_a_file_in_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FixSettings, match="cannot be written"):
        refuse_bad_file(tmp_path / "nowhere" / "forecasts.parquet", ".parquet")


def test_a_folder_in_place_of_a_file_is_refused(tmp_path):
    folder = tmp_path / "forecasts.parquet"
    folder.mkdir()
    with pytest.raises(FixSettings, match="is a folder"):
        refuse_bad_file(folder, ".parquet")


def test_a_file_in_place_of_a_folder_is_refused(tmp_path):
    file = tmp_path / "out"
    file.touch()
    with pytest.raises(FixSettings, match="cannot be written"):
        refuse_bad_folder(file)
    refuse_bad_folder(tmp_path / "made" / "on the way")
    refuse_bad_folder(None)
