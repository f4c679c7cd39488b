"""Recorded trades from files, taken into the statistics of impact: those that a golden pair executed."""

import csv
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from typer.testing import CliRunner

from defimon.amm.pools._fields import Fields
from defimon.amm.state.recorded_v2 import read_v2
from defimon.apps.cli.main import build
from defimon.core.errors import BadData
from defimon.flows.impact import read_statistics
from defimon.flows.observed_trades import FIELDS, Taken, observe_files

FILE = Path(__file__).resolve().parents[1] / "golden" / "v2_pairs.json"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
AHEAD = timezone(timedelta(hours=14))


@pytest.fixture(scope="module")
def trades():
    """Executed swaps of one pair as somebody would record them, forecast by the exact quote give or take."""
    recording = read_v2(Fields(json.loads(FILE.read_text()), "file"), "golden")
    found = []
    for answer in recording.answers:
        if answer.kind != "executed" or answer.exact != "in" or not answer.expected:
            continue
        pool = recording.state.pools[answer.pool]
        quote = pool.quote_exact_in(answer.sell, answer.buy, answer.amount)
        shortfall = float(quote.slippage)
        found.append(
            {"venue": answer.pool, "sell": answer.sell, "buy": answer.buy,
             "ts": (START + timedelta(minutes=len(found))).isoformat(),
             "impact": float(quote.price_impact), "shortfall": shortfall, "yardstick": shortfall,
             "low": shortfall - 0.001, "median": shortfall + 0.0001, "high": shortfall + 0.001}
        )  # fmt: skip
    assert len(found) > 10
    return found


def lines(path, trades):
    path.write_text("\n".join(json.dumps(one) for one in trades) + "\n\n")
    return path


def table(path, trades):
    with path.open("w", newline="") as file:
        made = csv.DictWriter(file, FIELDS)
        made.writeheader()
        made.writerows(trades)
    return path


@pytest.mark.parametrize(("form", "name"), [(lines, "trades.jsonl"), (table, "trades.CSV")])
def test_a_file_of_trades_is_taken_in_once(store, trades, tmp_path, form, name):
    path = form(tmp_path / name, trades)
    assert observe_files(store, [path]) == Taken(len(trades), 0)
    kept = store.content_hash("impact_statistics")
    assert observe_files(store, [path]) == Taken(0, len(trades))
    assert store.content_hash("impact_statistics") == kept
    side = tuple(trades[0][name] for name in ("venue", "sell", "buy"))
    own = [one for one in trades if tuple(one[name] for name in ("venue", "sell", "buy")) == side]
    told = read_statistics(store, *side)
    assert told.count == len(own)
    assert told.impact.mean == pytest.approx(sum(one["impact"] for one in own) / len(own))
    assert told.absolute_error.mean == pytest.approx(0.0001)
    assert told.yardstick_absolute_error.mean == 0.0
    assert told.accuracy == 1.0


def test_trades_of_one_time_are_all_taken_in_and_later_files_go_on(store, trades, tmp_path):
    one = trades[0]
    observe_files(store, [lines(tmp_path / "a.jsonl", [one, {**one, "impact": 0.5}])])
    later = {**one, "ts": (START + timedelta(days=1)).isoformat()}
    assert observe_files(store, [lines(tmp_path / "b.jsonl", [one, later])]) == Taken(1, 1)
    assert read_statistics(store, one["venue"], one["sell"], one["buy"]).count == 3


def test_of_trades_that_are_taken_in_at_once_the_last_of_each_day_makes_a_version(store, trades, tmp_path):
    one = trades[0]
    times = [START + timedelta(minutes=10 * n) for n in range(100)]  # noon to 4:30 in the morning
    observe_files(
        store,
        [lines(tmp_path / "a.jsonl", [{**one, "ts": ts.astimezone(AHEAD).isoformat()} for ts in times])],
    )
    assert store.count("impact_statistics") == 2
    then = store.read("impact_statistics", as_of=times[71])
    assert (then["count"][0], then["ts"][0]) == (72, times[71])
    assert store.read("impact_statistics", as_of=times[70]).is_empty()
    assert read_statistics(store, one["venue"], one["sell"], one["buy"]).count == 100


def test_files_that_do_not_follow_each_other_in_time_are_refused_before_anything_is_taken_in(
    store, trades, tmp_path
):
    one = trades[0]
    days = [
        [{**one, "ts": (START + timedelta(days=day + n)).isoformat()} for n in range(3)] for day in (0, 9)
    ]
    first, later = (lines(tmp_path / f"{name}.jsonl", day) for name, day in zip("ab", days, strict=True))
    overlap = lines(tmp_path / "c.jsonl", days[0][2:] + days[1])
    for paths in ([later, first], [first, first], [first, overlap]):
        with pytest.raises(BadData) as refused:
            observe_files(store, paths)
        assert str(paths[1]) in str(refused.value)
        assert "order of time" in refused.value.remedy
        assert store.count("impact_statistics") == 0
    assert observe_files(store, [first, later]) == Taken(6, 0)
    assert observe_files(store, [first, later]) == Taken(0, 6)
    other = lines(tmp_path / "d.jsonl", [{**trade, "venue": "other"} for trade in days[0]])
    assert observe_files(store, [later, other]) == Taken(3, 3)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"impact": None}, "impact is missing"),
        ({"venue": ""}, "venue is missing"),
        ({"colour": 1}, "a field 'colour'"),
        ({"impact": "much"}, "impact is 'much'"),
        ({"impact": True}, "impact is 'True'"),
        ({"shortfall": 30}, "shortfall is '30'"),
        ({"high": float("nan")}, "high is 'nan'"),
        ({"low": 1.0}, "low is '1.0'"),
        ({"high": -1.0}, "high is '-1.0'"),
        ({"ts": "yesterday"}, "ts is 'yesterday'"),
        ({"ts": "2026-03-01T12:00:00"}, "ts is '2026-03-01T12:00:00'"),
        ({"ts": "2999-03-01T12:00:00Z"}, "ts is '2999-03-01T12:00:00Z'"),
        ({"ts": "2026-01-01T12:00:00Z"}, "ts is '2026-01-01T12:00:00Z'"),
        ({"sell": 7}, "sell is '7'"),
        ({"venue": "a\x1b[2J"}, "venue is"),
    ],
)
def test_a_line_that_does_not_fit_is_refused_by_line_and_field(store, trades, tmp_path, changed, named):
    path = lines(tmp_path / "trades.jsonl", [trades[0], {**trades[0], **changed}])
    with pytest.raises(BadData) as refused:
        observe_files(store, [path])
    assert f"{path}, line 2" in str(refused.value)
    assert named in str(refused.value)
    assert refused.value.remedy
    assert store.count("impact_statistics") == 0


@pytest.mark.parametrize("ts", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_no_clock_of_utc_shows_is_refused_by_line_and_field(store, trades, tmp_path, ts):
    path = lines(tmp_path / "trades.jsonl", [{**trades[0], "ts": ts}])
    with pytest.raises(BadData, match=re.escape(f"{path}, line 1: ts is '{ts}'")):
        observe_files(store, [path])


def test_what_is_no_line_of_trades_is_refused(store, tmp_path):
    for name, text, told in (
        ("a.jsonl", b"{", "line 1 is no JSON"),
        ("a.jsonl", b"[1]", "line 1 is no object"),
        ("a.jsonl", b"\xff\xfe", "cannot be read"),
        ("a.csv", b"venue,sell\nx,y,z\n", "line 2"),
    ):
        path = tmp_path / name
        path.write_bytes(text)
        with pytest.raises(BadData, match=told):
            observe_files(store, [path])


def test_the_command_takes_trades_in_and_shows_the_statistics(settings, trades, tmp_path, monkeypatch):
    monkeypatch.setenv("DEFIMON_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("COLUMNS", "200")
    path = lines(tmp_path / "trades.jsonl", trades)
    for told in (f"{len(trades)} trades taken in, 0 were known", f"0 trades taken in, {len(trades)} were"):
        done = CliRunner().invoke(build(), ["impact", "observe", str(path)])
        assert done.exit_code == 0, done.output
        assert told in done.output
        assert trades[0]["venue"][:8] in done.output
    done = CliRunner().invoke(build(), ["impact", "observe"])
    assert "0 swaps taken in" in done.output
    bad = lines(tmp_path / "bad.jsonl", [{**trades[0], "impact": 30}])
    assert isinstance(CliRunner().invoke(build(), ["impact", "observe", str(bad)]).exception, BadData)


def test_a_forecast_needs_no_name_of_its_own():
    for words in (["impact", "forecast", "--help"], ["impact", "state.json", "--help"]):
        done = CliRunner().invoke(build(), words)
        assert done.exit_code == 0
        assert "--delay" in done.output
