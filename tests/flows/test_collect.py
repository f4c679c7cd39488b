import json
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from defimon.core.errors import BadData
from defimon.core.settings import load_settings
from defimon.flows._store import open_store
from defimon.flows.collect import import_files
from defimon.flows.panel import build_panel
from defimon.flows.stored import stored_panel

TABLES = ("yields", "pools", "quarantine")
ROWS = """pool_id,ts,apy,symbol,protocol,index
a,2025-01-01,0.05,USDC,aave-v3,1.0
a,2025-01-02,0.40,USDC,aave-v3,1.1
a,2025-01-03,0.41,USDC.e,aave-v3,1.2
a,2025-01-04,-7,USDC.e,aave-v3,1.3
b:0xab,2025-01-01,,WETH,,
b:0xab,2025-01-02,0.01,WETH,,
b:0xab,2025-01-02,0.02,WETH,,
"""


@pytest.fixture
def store(tmp_path):
    with open_store(load_settings({}, data_dir=tmp_path / "data")) as opened:
        yield opened


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "panel.csv"
    path.write_text(ROWS)
    return path


def hashes(store):
    return [store.content_hash(table) for table in TABLES]


def test_an_import_tells_what_came_of_every_row(store, file):
    (result,) = import_files([file], store)
    assert (result.source, result.rows_in, result.written.inserted, result.quarantined) == (
        "standard_panel",
        7,
        4,
        3,
    )
    assert (result.pools, result.first_day, result.last_day) == (2, date(2025, 1, 1), date(2025, 1, 3))
    caught = dict(result.report.filter(pl.col("rows") > 0).select("rule", "rows").iter_rows())
    assert caught == {"duplicate_of_day": 1, "jump": 1, "missing_yield": 1, "out_of_range": 1,
                      "symbol_change": 1, "late_arrival": 1}  # fmt: skip


def test_importing_again_changes_nothing(store, file):
    import_files([file], store)
    before = hashes(store)
    (again,) = import_files([file], store)
    assert (again.written.inserted, again.written.corrected, again.written.unchanged) == (0, 0, 4)
    assert hashes(store) == before


def test_a_quarantined_row_is_kept_whole_with_its_rule(store, file):
    import_files([file], store)
    apart = store.read("quarantine").sort("rule")
    assert apart["rule"].to_list() == ["duplicate_of_day", "missing_yield", "out_of_range"]
    row = json.loads(apart["row_json"][2])
    assert (row["pool_id"], row["apy"], row["index"]) == ("a", -7.0, 1.3)


def test_rows_of_one_time_that_are_kept_apart_stay_distinct(store, tmp_path):
    path = tmp_path / "twice.csv"
    path.write_text(
        "pool_id,ts,apy\n" + "a,2025-01-01,0.1\n" * 3 + "a,2025-01-02,-9\na,2025-01-02,-9\na,2025-01-02,1\n"
    )
    (result,) = import_files([path], store)
    assert result.quarantined == 4
    assert store.count("quarantine") == 4


def test_attributes_of_a_pool_are_stored_from_when_they_held(store, file):
    import_files([file], store)
    pools = store.read("pools").select(
        "pool_id", pl.col("ts").dt.day().alias("day"), "symbol", "kind", "address"
    )
    assert pools.rows() == [
        ("a", 1, "USDC", "lending", None),
        ("a", 3, "USDC.e", "lending", None),
        ("b:0xab", 2, "WETH", None, "0xab"),
    ]


def test_a_broken_file_stores_nothing_and_leaves_the_files_before_it(store, file, tmp_path):
    broken = tmp_path / "broken.csv"
    broken.write_text("pool_id,ts,apy\nc,2025-01-01,0.1\nc,2025-01-02,oops\n")
    with pytest.raises(BadData, match="row 2, column apy"):
        import_files([file, broken], store)
    assert store.read("yields")["pool_id"].unique().sort().to_list() == ["a", "b:0xab"]


def test_an_import_that_is_killed_stores_nothing_and_goes_through_when_run_again(store, file, tmp_path):
    import_files([file], store)
    whole = hashes(store)
    script = """
import os, signal, sys
from pathlib import Path
from defimon.core.settings import load_settings
from defimon.flows._store import open_store
from defimon.flows.collect import import_files
store = open_store(load_settings({}, data_dir=Path(sys.argv[2])))
with store.transaction():
    import_files([Path(sys.argv[1])], store)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    folder = tmp_path / "killed"
    killed = subprocess.run([sys.executable, "-c", script, file, folder], check=False)
    assert killed.returncode == -signal.SIGKILL
    with open_store(load_settings({}, data_dir=folder)) as again:
        assert again.count("yields") == again.count("quarantine") == 0
        import_files([file], again)
        assert hashes(again) == whole


def test_progress_is_told_for_every_file(store, file):
    seen = []
    import_files([file], store, lambda *step: seen.append(step))
    assert seen == [("panel.csv", 0, 2), ("panel.csv", 1, 2), ("panel.csv", 2, 2)]


def test_the_store_gives_back_the_panel_that_was_imported(store, file):
    import_files([file], store)
    assert stored_panel(store).equals(build_panel(file))
    assert stored_panel(store, sources=["standard_panel"]).height == 4


def test_a_flag_that_later_rows_change_is_no_correction(store, tmp_path):
    path = tmp_path / "panel.csv"
    lines = [f"a,2025-01-{day:02},0.03" for day in range(1, 16)]
    path.write_text("\n".join(["pool_id,ts,apy", *lines]))
    import_files([path], store)
    path.write_text("\n".join(["pool_id,ts,apy", *lines, "a,2025-01-16,0.04"]))
    (result,) = import_files([path], store)
    assert (result.written.inserted, result.written.corrected, result.written.unchanged) == (1, 0, 15)
    assert stored_panel(store).equals(build_panel(path))
    assert stored_panel(store)["flags"][0] == "backfilled_constant"


def test_the_store_shows_only_what_was_known_then(store, file):
    import_files([file], store)
    then = stored_panel(store, as_of=datetime(2025, 1, 2, 12, tzinfo=UTC))
    assert then.select("pool_id", "apy").rows() == [("a", 0.05)]


def test_an_empty_store_says_what_to_do(store):
    with pytest.raises(BadData, match="holds no yields of source lido_daily"):
        stored_panel(store, sources=["lido_daily"])


def test_a_pool_that_two_sources_tell_of_comes_from_the_fuller_one(store, tmp_path):
    start = date(2025, 1, 1)
    for source, days in (("few", 2), ("many", 4)):
        path = tmp_path / f"{source}.csv"
        lines = [f"a,{start + timedelta(days=day)},0.1,{source}" for day in range(days)]
        path.write_text("pool_id,ts,apy,source\n" + "\n".join(lines))
        import_files([path], store)
    assert stored_panel(store)["source"].to_list() == ["many"] * 4
    assert stored_panel(store, sources=["few"]).height == 2


@pytest.mark.real_data
def test_the_recorded_sets_are_stored_once_and_come_back_as_they_went_in(store, data_sets):
    paths = [data_sets / "open" / name for name in ("aave_v3_snapshots.parquet", "lido_steth_daily.csv")]
    first = import_files(paths, store)
    assert [result.written.inserted for result in first] == [64_490, 1_261]
    before = hashes(store)
    again = import_files(paths, store)
    assert [result.written.unchanged for result in again] == [64_490, 1_261]
    assert hashes(store) == before
    assert stored_panel(store, sources=["aave_snapshots"]).equals(build_panel(paths[0]))
