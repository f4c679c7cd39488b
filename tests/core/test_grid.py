from datetime import date

import polars as pl
import pytest

from defimon.core.errors import BadData
from defimon.core.grid import OBSERVED, day_grid, observed_rows

DAILY = pl.DataFrame(
    {
        "pool_id": ["a", "a", "b"],
        "day": [date(2025, 1, 1), date(2025, 1, 4), date(2025, 1, 2)],
        "apy": [1.0, 2.0, 3.0],
    }
)


def test_a_day_that_was_not_observed_is_an_empty_row_and_pools_stand_apart():
    grid = day_grid(DAILY, ["apy"], apart=2)
    assert grid["apy"].to_list() == [None, None, 1.0, None, None, 2.0, None, None, 3.0, None, None]


def test_the_observed_rows_are_the_panels_own():
    grid = day_grid(DAILY, ["pool_id", "day", "apy"], apart=30)
    assert observed_rows(grid).equals(DAILY)
    assert grid[OBSERVED].drop_nulls().to_list() == [0, 1, 2]


def test_an_empty_panel_is_an_empty_grid():
    assert day_grid(DAILY.clear(), ["apy"], apart=3).is_empty()


@pytest.mark.parametrize("daily", [DAILY.reverse(), pl.concat([DAILY[:1], DAILY]), DAILY[[1, 0, 2]]])
def test_a_panel_out_of_order_is_refused(daily):
    with pytest.raises(BadData, match="not sorted"):
        day_grid(daily, ["apy"], apart=1)
