import polars as pl
import pytest

from defimon.apps.cli._forecast import show_forecasts

HOSTILE = ["[/]", "[red]x", ":key:", "\x1b[31mRED", "\\", "<script>"]


@pytest.fixture
def rows() -> pl.DataFrame:
    """One forecast a pool whose name would be markup, an emoji or a terminal's command."""
    figures = {"today": 0.05, "yhat": 0.05, "q05": 0.04, "q95": None, "p_drop20": 0.1, "tvl_usd": None}
    return pl.DataFrame(
        [{"label": name, "model": "persistence", "reason": f"so says {name}", **figures} for name in HOSTILE]
    )


def test_names_are_printed_as_they_stand_and_steer_nothing(rows, capsys):
    show_forecasts(rows, 7)
    told = capsys.readouterr().out
    assert "\x1b" not in told
    for name in HOSTILE:
        assert told.count(name.replace("\x1b", "\N{REPLACEMENT CHARACTER}")) >= 2
