"""Times that no calendar has are told apart, whatever their dtype, and can be shown."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from defimon.core.calendar import outside, shown
from defimon.core.errors import BadData
from defimon.core.tables import PANEL
from defimon.sources._sheet import open_sheet

KINDS = [
    pl.Date(), *(pl.Datetime(unit, zone) for unit in ("us", "ms") for zone in (None, "UTC", "Europe/Berlin"))
]  # fmt: skip
ENDS = {
    pl.Date(): ((date.min - date(1970, 1, 1)).days, (date.max - date(1970, 1, 1)).days),
    "us": (-62_135_596_800_000_000, 253_402_300_799_999_999),
    "ms": (-62_135_596_800_000, 253_402_300_799_999),
}
"""First and last number of the years 1 to 9999."""


def wild(kind):
    return (2**31 - 1, -(2**31)) if kind == pl.Date else (2**63 - 1, -(2**63))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_first_and_the_last_time_of_the_calendar_are_inside_and_those_beside_them_outside(kind):
    first, last = ENDS[kind if kind == pl.Date else kind.time_unit]
    numbers = [first, last, None, 0, first - 1, last + 1, *wild(kind)]
    values = pl.Series("ts", numbers, dtype=pl.Int64).cast(kind)
    assert outside(values).to_list() == [False] * 4 + [True] * 4
    for row in (4, 5, 6, 7):
        assert shown(values, row).startswith(f"{numbers[row]} ")
    assert shown(values, 2) == "None"
    assert "1970" in shown(values, 3)


@pytest.mark.parametrize("values", [pl.Series([2**63 - 1]), pl.Series([2**63 - 1]).cast(pl.Datetime("ns"))])
def test_numbers_and_nanoseconds_are_never_outside(values):
    assert outside(values).to_list() == [False]


@pytest.mark.parametrize("column", ["ts", "symbol"])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_file_and_a_frame_with_such_a_time_are_refused_with_its_row(tmp_path, kind, column):
    day = datetime(2026, 1, 1, tzinfo=UTC)
    given = {"pool_id": ["a", "b"], "ts": [day, day], "apy": [0.1, 0.1]}
    given[column] = pl.Series([0, wild(kind)[0]], dtype=pl.Int64).cast(kind)
    frame = pl.DataFrame(given)
    with pytest.raises(BadData, match=rf"row 2, column {column}: {wild(kind)[0]} "):
        PANEL.validate(frame)
    frame.write_parquet(tmp_path / "panel.parquet")
    with pytest.raises(BadData, match=rf"row 2, column {column}: found {wild(kind)[0]} "):
        open_sheet(tmp_path / "panel.parquet")
