from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from defimon.core.errors import BadData, FixSettings
from defimon.core.settings import load_settings
from defimon.core.tables import PANEL
from defimon.flows.panel import DATA_SETS, build_panel, find_panel, judged_file, write_panel


def csv_of(folder, values, name="panel.csv"):
    path = folder / name
    start = datetime(2025, 1, 1, tzinfo=UTC)
    pl.DataFrame(
        {
            "pool_id": ["a"] * len(values),
            "ts": [start + timedelta(days=day) for day in range(len(values))],
            "apy": values,
        }
    ).write_csv(path, datetime_format="%Y-%m-%dT%H:%M:%SZ")
    return path


def test_a_panel_in_percent_is_refused_with_its_remedy(tmp_path):
    path = csv_of(tmp_path, [5.2, 5.1, 5.3])
    with pytest.raises(BadData, match="looks like percent in 3 of 3 rows") as refusal:
        build_panel(path)
    assert "--percent" in refusal.value.remedy
    assert build_panel(path, percent=True)["apy"].to_list() == pytest.approx([0.052, 0.051, 0.053])


def test_a_panel_of_huge_yields_is_taken_at_ones_word_and_not_asked_again(tmp_path):
    path = csv_of(tmp_path, [2.2, 2.1, 2.3])
    panel = build_panel(path, percent=False)
    assert panel["flags"].to_list() == ["percent_not_fraction"] * 3
    write_panel(panel, tmp_path / "out.csv")
    assert build_panel(tmp_path / "out.csv").equals(panel)


@pytest.mark.real_data
def test_a_lending_panel_in_percent_is_told_by_the_growth_of_its_index(data_sets, tmp_path):
    panel = build_panel(find_panel("aave", load_settings({}, data_sets=data_sets)))
    percent = panel.with_columns(pl.col("apy") * 100.0, flags=pl.lit(None, dtype=pl.String))
    write_panel(percent, tmp_path / "percent.parquet")
    with pytest.raises(BadData, match="looks like percent"):
        build_panel(tmp_path / "percent.parquet")


def test_a_panel_with_one_pool_in_percent_is_kept_and_that_pool_flagged(tmp_path):
    path = tmp_path / "panel.csv"
    rows = [
        f"p{pool},2025-01-0{day},{5.2 if pool == 0 else 0.05 + day / 1e3}"
        for pool in range(4)
        for day in (1, 2)
    ]
    path.write_text("pool_id,ts,apy\n" + "\n".join(rows))
    panel = build_panel(path)
    assert panel.filter(pl.col("flags").is_not_null())["pool_id"].unique().to_list() == ["p0"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_written_panel_builds_the_same_panel_again(tmp_path, suffix):
    panel = build_panel(csv_of(tmp_path, [0.01, 0.06, 0.0, 1 / 3]))
    write_panel(panel, tmp_path / f"out{suffix}")
    assert build_panel(tmp_path / f"out{suffix}").equals(panel)


def test_a_panel_is_written_whole_or_not_at_all(tmp_path):
    panel = build_panel(csv_of(tmp_path, [0.01, 0.02]))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(FixSettings, match="no known format"):
        write_panel(panel, tmp_path / "out.xlsx")
    with pytest.raises(FixSettings, match="cannot be written"):
        write_panel(panel, tmp_path / "absent" / "out.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(FixSettings, match="cannot be written"):
        write_panel(panel, tmp_path / "folder.csv")
    assert [path for path in sorted(tmp_path.iterdir()) if path.suffix != ".csv" or path.is_file()] == before


def test_a_panel_is_found_by_its_data_set_or_its_path(tmp_path):
    (tmp_path / "open").mkdir()
    recorded = tmp_path / "open" / DATA_SETS["lido"]
    recorded.write_text("date,Lido_APY,Lido_TVL\n2022-05-03,3.6,1e10\n")
    settings = load_settings({}, data_sets=tmp_path)
    assert find_panel("lido", settings) == recorded
    assert find_panel(str(recorded), settings) == recorded
    assert build_panel(recorded)["apy"].item() == pytest.approx(0.036)


def test_a_data_set_that_is_not_there_names_the_setting(tmp_path):
    for settings in (load_settings({}), load_settings({}, data_sets=tmp_path)):
        with pytest.raises(FixSettings, match="DEFIMON_DATA_SETS"):
            find_panel("aave", settings)
    with pytest.raises(BadData, match="neither a file nor a data set"):
        find_panel("aeve", load_settings({}))


@pytest.mark.real_data
@pytest.mark.parametrize("name", DATA_SETS)
def test_every_data_set_becomes_a_standard_panel_that_stays_the_same(data_sets, tmp_path, name):
    panel = build_panel(find_panel(name, load_settings({}, data_sets=data_sets)))
    assert panel.schema == PANEL.schema
    write_panel(panel, tmp_path / "panel.parquet")
    assert judged_file(tmp_path / "panel.parquet").kept.drop("flags").equals(panel.drop("flags"))
