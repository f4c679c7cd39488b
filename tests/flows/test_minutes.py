from datetime import UTC, datetime

import pytest

from defimon.core.errors import BadData
from defimon.execution.minutes import Minute
from defimon.flows.minutes import read_minutes

HEAD = "timestamp,netAmount0,netAmount1,closeTick,openTick,lowestTick,highestTick,"
HEAD += "inAmount0,inAmount1,currentLiquidity"
ROW = "2023-08-14 00:01:00,-11352392947,36174713530384661323,201149.0,1,1,1,0,"
ROW += "36174713530384661323,2402545990706448841"


def written(folder, *rows):
    path = folder / "a.minute.csv"
    path.write_text("\n".join([HEAD, *rows]))
    return path


def test_amounts_beyond_64_bits_are_read_to_the_last_unit(tmp_path):
    (minute,) = read_minutes(written(tmp_path, ROW))
    assert minute == Minute(
        datetime(2023, 8, 14, 0, 1, tzinfo=UTC),
        (-11352392947, 36174713530384661323),
        (0, 36174713530384661323),
        201149,
        2402545990706448841,
    )
    assert minute.one_way
    assert minute.sold == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("201149.0", "201149.5"),
        ("201149.0", ""),
        ("00:01:00", "noon"),
        (",0,", ",-1,"),
        ("-11352392947", "1e9"),
        ("201149.0", "887273"),
        ("2402545990706448841", "9" * 39),
        ("-11352392947", "9" * 78),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_line(tmp_path, old, new):
    with pytest.raises(BadData, match="line 2"):
        read_minutes(written(tmp_path, ROW.replace(old, new)))


def test_minutes_out_of_order_are_refused(tmp_path):
    with pytest.raises(BadData, match="follows"):
        read_minutes(written(tmp_path, ROW, ROW))


def test_a_file_that_is_no_such_table_is_refused(tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(BadData, match="no column timestamp"):
        read_minutes(other)
    with pytest.raises(BadData, match="cannot be read"):
        read_minutes(tmp_path / "absent.csv")
    with pytest.raises(BadData, match="is a folder"):
        read_minutes(tmp_path)
    (tmp_path / "torn.csv").write_text('a,"b\nc\n"d,e')
    with pytest.raises(BadData) as caught:
        read_minutes(tmp_path / "torn.csv")
    assert "\n" not in str(caught.value)
