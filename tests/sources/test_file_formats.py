import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defimon.core.errors import BadData
from defimon.core.tables import PANEL
from defimon.sources._base import as_panel, file_sources, reader_for
from defimon.sources._sheet import columns_of, open_sheet
from defimon.sources.standard_panel import StandardPanel

HEADER = "pool_id,ts,apy,tvl_usd,symbol\n"


def written(folder: Path, text: str, name: str = "panel.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def read(path: Path) -> pl.DataFrame:
    return StandardPanel().read(path)


def test_a_standard_panel_comes_out_in_the_contract_of_the_panel(tmp_path):
    panel = read(written(tmp_path, HEADER + "a,2025-07-23T00:35:32Z,0.052,1000000,USDC\n"))
    assert panel.schema == PANEL.schema
    row = panel.row(0, named=True)
    assert row["ts"] == datetime(2025, 7, 23, 0, 35, 32, tzinfo=UTC)
    assert (row["apy"], row["tvl_usd"], row["stablecoin"]) == (0.052, 1e6, True)
    assert (row["source"], row["origin"]) == ("standard_panel", "observed")
    assert row["known_at"] == row["ts"]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2025-07-23 00:35:32", datetime(2025, 7, 23, 0, 35, 32, tzinfo=UTC)),
        ("2025-07-23T00:35:32.250", datetime(2025, 7, 23, 0, 35, 32, 250_000, tzinfo=UTC)),
        ("2025-07-23T02:35:32+02:00", datetime(2025, 7, 23, 0, 35, 32, tzinfo=UTC)),
        ("2025-07-22T22:35+0000", datetime(2025, 7, 22, 22, 35, tzinfo=UTC)),
        ("2025-07-23 00:35:32 UTC", datetime(2025, 7, 23, 0, 35, 32, tzinfo=UTC)),
        ("1753230932", datetime(2025, 7, 23, 0, 35, 32, tzinfo=UTC)),
        ("1753230932000", datetime(2025, 7, 23, 0, 35, 32, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_every_usual_spelling_and_without_a_zone_is_utc(tmp_path, cell, expected):
    assert read(written(tmp_path, HEADER + f"a,{cell},0.05,,\n"))["ts"].item() == expected


def test_a_date_without_a_time_of_day_is_known_when_its_day_is_over(tmp_path):
    row = read(written(tmp_path, HEADER + "a,2025-07-23,0.05,,\n")).row(0, named=True)
    assert row["ts"] == datetime(2025, 7, 23, tzinfo=UTC)
    assert row["known_at"] == datetime(2025, 7, 24, tzinfo=UTC)


def test_a_panel_may_carry_its_own_known_at(tmp_path):
    text = "pool_id,ts,apy,known_at\na,2025-07-23,0.05,2025-07-29\nb,2025-07-23,0.05,\n"
    known = read(written(tmp_path, text))["known_at"].to_list()
    assert known == [datetime(2025, 7, 29, tzinfo=UTC), datetime(2025, 7, 24, tzinfo=UTC)]


def test_a_mark_at_the_start_semicolons_and_decimal_commas_are_understood(tmp_path):
    text = "\ufeffpool_id;ts;apy\r\na;2025-07-23;0,052\r\n"
    assert read(written(tmp_path, text))["apy"].item() == 0.052


def test_quoted_cells_may_hold_the_delimiter(tmp_path):
    panel = read(written(tmp_path, HEADER + '"a,b",2025-07-23,0.05,,"X ""Y"""\n'))
    assert panel.row(0, named=True)["pool_id"] == "a,b"
    assert panel.row(0, named=True)["symbol"] == 'X "Y"'


def test_a_compressed_file_is_read_like_a_plain_one(tmp_path):
    path = tmp_path / "panel.csv.gz"
    path.write_bytes(gzip.compress((HEADER + "a,2025-07-23,0.05,,\n").encode()))
    assert read(path).height == 1


@pytest.mark.parametrize("cell", ["", "NaN", "null", "N/A", "None"])
def test_an_empty_cell_stays_a_gap_and_is_not_zero(tmp_path, cell):
    row = read(written(tmp_path, HEADER + f"a,2025-07-23,{cell},{cell},\n")).row(0, named=True)
    assert row["apy"] is None
    assert row["tvl_usd"] is None


def test_percent_on_request_becomes_fractions_for_rates_alone(tmp_path):
    path = written(tmp_path, "pool_id,ts,apy,borrow_apy,tvl_usd\na,2025-07-23,5.2,7,100\n")
    row = StandardPanel(percent=True).read(path).row(0, named=True)
    assert (row["apy"], row["borrow_apy"], row["tvl_usd"]) == (pytest.approx(0.052), 0.07, 100.0)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (HEADER + "a,2025-07-23,0.05,1,\nb,2025-07-23,high,2,\n", "row 2, column apy: found 'high'"),
        (HEADER + "a,23.07.2025,0.05,,\n", "row 1, column ts: found '23.07.2025'"),
        (HEADER + "a,inf,0.05,,\n", "row 1, column ts: found 'inf'"),
        (HEADER + "a,1e300,0.05,,\n", "row 1, column ts: found '1e300'"),
        (HEADER + "a,2025-02-30,0.05,,\n", "row 1, column ts: found '2025-02-30'"),
        (HEADER + ",2025-07-23,0.05,,\n", "row 1, column pool_id: found nothing"),
        (HEADER + "a,,0.05,,\n", "row 1, column ts: found nothing"),
        (HEADER + "a,2025-07-23,0.05\n", "row 1 has 3 cells, expected 5"),
        (HEADER + 'a,2025-07-23,0.05,,"USDC\n', "never closed"),
        (HEADER, "a header but no row"),
        ("pool_id,ts,apy,apy\na,2025-07-23,1,1\n", "column apy is there more than once"),
        ("pool_id,ts,apy,yield\na,2025-07-23,1,1\n", "no column yield"),
        ("pool_id,ts,apy,status\na,2025-07-23,1,closed\n", "found 'closed', expected one of active, frozen"),
        ("pool_id,ts,apy,stablecoin\na,2025-07-23,1,maybe\n", "found 'maybe', expected true or false"),
    ],
)
def test_an_off_format_file_is_refused_by_file_row_and_column(tmp_path, text, named):
    path = written(tmp_path, text)
    with pytest.raises(BadData) as refusal:
        read(path)
    assert str(path) in str(refusal.value)
    assert named in str(refusal.value)


def test_an_absent_an_empty_and_a_foreign_file_are_refused_by_name(tmp_path):
    with pytest.raises(BadData, match="no such file"):
        columns_of(tmp_path / "absent.csv")
    with pytest.raises(BadData, match="empty"):
        columns_of(written(tmp_path, ""))
    with pytest.raises(BadData, match=r"only \.csv"):
        columns_of(written(tmp_path, "x", "panel.xlsx"))


def test_a_truncated_parquet_and_a_truncated_gzip_are_refused(tmp_path):
    whole = tmp_path / "whole.parquet"
    pl.DataFrame({"pool_id": ["a"] * 500, "ts": ["2025-07-23"] * 500, "apy": [0.1] * 500}).write_parquet(
        whole
    )
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(whole.read_bytes()[:-20])
    for look in (columns_of, open_sheet):
        with pytest.raises(BadData, match="not a whole Parquet file"):
            look(cut)
    zipped = tmp_path / "cut.csv.gz"
    zipped.write_bytes(gzip.compress(b"pool_id,ts,apy\n" + b"a,2025-07-23,0.1\n" * 500)[:-30])
    with pytest.raises(BadData, match="not a whole gzip file"):
        open_sheet(zipped)


def test_a_parquet_with_columns_of_a_foreign_kind_is_refused_by_column(tmp_path):
    path = tmp_path / "panel.parquet"
    pl.DataFrame(
        {"pool_id": ["a"], "ts": ["2025-07-23"], "apy": [0.1], "symbol": [["USDC", "DAI"]]}
    ).write_parquet(path)
    with pytest.raises(BadData, match="column symbol holds List"):
        read(path)
    pl.DataFrame({"pool_id": ["a"], "ts": [1e300], "apy": [0.1]}).write_parquet(path)
    with pytest.raises(BadData, match="row 1, column ts: found 1e"):
        read(path)


def test_times_of_a_parquet_are_utc_in_whatever_unit_or_zone(tmp_path):
    path = tmp_path / "panel.parquet"
    naive = pl.Series("ts", [datetime(2025, 7, 23, 2)], dtype=pl.Datetime("ns"))  # noqa: DTZ001
    zoned = naive.dt.replace_time_zone("Europe/Paris").dt.cast_time_unit("ms")
    for series, hour in ((naive, 2), (zoned, 0)):
        pl.DataFrame({"pool_id": ["a"], "ts": series, "apy": [0.1]}).write_parquet(path)
        assert read(path)["ts"].item() == datetime(2025, 7, 23, hour, tzinfo=UTC)


def test_text_of_another_encoding_is_refused_with_its_row(tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes(
        HEADER.encode() + b"a,2025-07-23,0.05,,USDC\n" + "b,2025-07-23,0.05,,é\n".encode("latin-1")
    )
    with pytest.raises(BadData, match=r"not UTF-8 \(row 2"):
        open_sheet(path)


def test_an_unknown_format_lists_every_reader_and_what_it_needs(tmp_path):
    path = written(tmp_path, "when,rate\n1,2\n")
    with pytest.raises(BadData) as refusal:
        reader_for(path, columns_of(path))
    for reader in file_sources():
        assert f"{reader.name}: needs" in str(refusal.value)


@pytest.mark.parametrize("reader", file_sources(), ids=lambda reader: reader.name)
def test_every_reader_keeps_the_contract_of_a_file_source(reader):
    assert reader.title
    assert reader.lag >= timedelta(0)
    assert reader.needs
    assert reader.__doc__
    assert reader.recognises(Path("any.csv"), [*reader.needs, "more"])
    assert not reader.recognises(Path("any.csv"), reader.needs[1:])


def test_a_panel_written_and_read_again_is_the_same(tmp_path):
    frame = pl.DataFrame(
        {
            "pool_id": ["a", "a", "b"],
            "ts": [datetime(2025, 1, day, 3, tzinfo=UTC) for day in (1, 2, 1)],
            "apy": [0.1, 1 / 3, 1e-17],
            "stablecoin": [True, None, False],
            "symbol": ["USDC", None, "USD₮0"],
            "status": ["active", None, "frozen"],
        }
    )
    panel = as_panel(frame, StandardPanel, where="test")
    panel.write_csv(tmp_path / "p.csv", datetime_format="%Y-%m-%dT%H:%M:%S%.fZ")
    panel.write_parquet(tmp_path / "p.parquet")
    assert read(tmp_path / "p.csv").equals(panel)
    assert read(tmp_path / "p.parquet").equals(panel)


@given(
    st.lists(st.tuples(st.text(max_size=12), st.text(alphabet="0123456789-:TZ .+e", max_size=25)), max_size=4)
)
def test_whatever_a_cell_holds_the_answer_is_a_panel_or_a_reason(tmp_path_factory, cells):
    path = tmp_path_factory.mktemp("cells") / "panel.csv"
    text = "".join(f"{pool},{time},{time}\n" for pool, time in cells)
    path.write_text("pool_id,ts,apy\n" + text, encoding="utf-8", errors="surrogatepass")
    try:
        panel = read(path)
    except BadData:
        return
    assert panel.schema == PANEL.schema
    assert len(panel.rows()) == panel.height


@given(st.binary(max_size=300))
def test_whatever_bytes_a_file_holds_the_answer_is_a_panel_or_a_reason(tmp_path_factory, body):
    path = tmp_path_factory.mktemp("bytes") / "panel.csv"
    path.write_bytes(b"pool_id,ts,apy\n" + body)
    try:
        panel = read(path)
    except BadData:
        return
    assert panel.schema == PANEL.schema
