from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from defimon.core.errors import BadData
from defimon.core.tables import PANEL
from defimon.quality._base import FAMILY, REPORT_SCHEMA, check, rules

START = datetime(2025, 1, 1, 23, tzinfo=UTC)


def panel_of(**pools):
    """A panel of pools by name, each a list of yields (None: no row that day) or of mappings."""
    rows = []
    for pool, values in pools.items():
        for day, value in enumerate(values):
            if value is None:
                continue
            row = value if isinstance(value, dict) else {"apy": value}
            ts = START + timedelta(days=day)
            rows.append(
                {"pool_id": pool, "ts": ts, "known_at": ts, "source": "test", "origin": "observed"} | row
            )
    return pl.DataFrame(rows, schema=PANEL.schema)


def flagged(verdict, rule):
    return (
        verdict.kept.filter(pl.col("flags").str.split(",").list.contains(rule)).select("pool_id", "ts").rows()
    )


def on(day, pool="a", hours=0):
    return (pool, START + timedelta(days=day, hours=hours))


def test_a_clean_panel_passes_without_a_flag():
    panel = panel_of(a=[0.050, 0.051, 0.049], b=[0.02, 0.021, 0.0])
    verdict = check(panel)
    assert verdict.kept.equals(panel)
    assert verdict.quarantined.height == 0
    assert verdict.report["rows"].sum() == 0


def test_every_row_comes_out_once_whatever_is_wrong_with_it():
    broken = {"apy": -3.0, "tvl_usd": -1.0, "known_at": START - timedelta(days=9)}
    panel = panel_of(a=[0.05, broken, {"apy": None}, 0.05], b=[0.1, 0.9])
    verdict = check(panel)
    assert verdict.kept.height + verdict.quarantined.height == panel.height
    assert verdict.quarantined.select("pool_id", "ts").is_unique().all()


def test_of_two_rows_of_a_day_the_last_stays_and_the_other_is_kept_apart_whole():
    first, second = (
        {"apy": 0.01, "tvl_usd": 5.0, "ts": START},
        {"apy": 0.02, "ts": START + timedelta(minutes=30)},
    )
    panel = panel_of(a=[first, second, {"apy": 0.03, "ts": START + timedelta(days=1)}], b=[0.1] * 4)
    verdict = check(panel)
    assert verdict.kept.filter(pl.col("pool_id") == "a")["apy"].to_list() == [0.02, 0.03]
    apart = verdict.quarantined.row(0, named=True)
    assert (apart["rule"], apart["apy"], apart["tvl_usd"]) == ("duplicate_of_day", 0.01, 5.0)


def test_a_day_whose_last_row_cannot_be_true_keeps_the_row_before_it():
    good, bad = {"apy": 0.01, "ts": START}, {"apy": -5.0, "ts": START + timedelta(minutes=30)}
    verdict = check(panel_of(a=[good, bad], b=[0.1] * 3))
    assert verdict.kept.filter(pl.col("pool_id") == "a")["apy"].to_list() == [0.01]
    assert verdict.quarantined["rule"].to_list() == ["out_of_range"]


def test_an_hourly_panel_loses_only_rows_of_the_very_same_time():
    hourly = [{"apy": 0.01 + hour / 1e4, "ts": START + timedelta(hours=hour)} for hour in range(48)]
    again = {"apy": 0.5, "ts": START + timedelta(hours=7)}
    verdict = check(panel_of(a=[*hourly, again]))
    assert verdict.kept.height == 48
    assert verdict.quarantined["rule"].to_list() == ["duplicate_of_day"]


@pytest.mark.parametrize(
    "values",
    [
        {"apy": -1.01},
        {"apy": float("inf")},
        {"apy": 1e6},
        {"apy": 0.1, "tvl_usd": -1.0},
        {"apy": 0.1, "utilisation": 1.6},
        {"apy": 0.1, "ts": datetime(1970, 1, 2, tzinfo=UTC)},
        {"apy": 0.1, "ts": datetime(9999, 12, 31, tzinfo=UTC), "known_at": None},
    ],
)
def test_a_value_that_cannot_be_true_is_kept_apart(values):
    verdict = check(panel_of(a=[0.05, values, 0.05]))
    assert verdict.quarantined["rule"].to_list() == ["out_of_range"]


def test_a_row_without_a_yield_is_kept_apart_and_not_filled():
    verdict = check(panel_of(a=[0.05, {"apy": None}, 0.05]))
    assert verdict.quarantined["rule"].to_list() == ["missing_yield"]
    assert flagged(verdict, "missing_days") == [on(2)]


def test_a_row_known_before_it_was_true_is_kept_apart():
    verdict = check(panel_of(a=[0.05, {"apy": 0.05, "known_at": START}]))
    assert verdict.quarantined["rule"].to_list() == ["known_too_early"]


def test_an_index_that_falls_is_flagged_where_it_fell():
    values = [{"apy": 0.05, "index": index} for index in (1.0, 1.1, 1.05, 1.06)]
    assert flagged(check(panel_of(a=values)), "falling_index") == [on(2)]


def test_a_symbol_that_changes_is_flagged_where_it_changed():
    values = [{"apy": 0.05 + i / 100, "symbol": symbol} for i, symbol in enumerate(["cUSD", "cUSD", "USDm"])]
    verdict = check(panel_of(a=values))
    assert flagged(verdict, "symbol_change") == [on(2)]
    assert "cUSD to USDm" in verdict.report.filter(pl.col("rule") == "symbol_change")["found"].item()


def test_a_gap_is_counted_in_pool_days_and_the_row_after_it_is_flagged():
    verdict = check(panel_of(a=[0.01, None, None, 0.02], b=[0.01, 0.02, None, 0.03]))
    assert flagged(verdict, "missing_days") == [on(3), on(3, "b")]
    found = verdict.report.filter(pl.col("rule") == "missing_days")["found"].item()
    assert found == "3 pool-days in 2 pools; in every pool: 2025-01-03"


def test_a_pool_that_appears_later_is_flagged_on_its_first_row():
    verdict = check(panel_of(a=[0.01, 0.02, 0.03], b=[None, 0.02, 0.03]))
    assert flagged(verdict, "late_arrival") == [on(1, "b")]


def test_a_jump_is_flagged_both_ways_across_gaps_and_not_from_zero():
    verdict = check(
        panel_of(a=[0.01, 0.06, 0.011, 0.0, 0.5], b=[0.01, None, 0.051, 0.0102], c=[0.01, 0.049, 0.01])
    )
    assert flagged(verdict, "jump") == [on(1), on(2), on(2, "b")]
    assert verdict.report.filter(pl.col("rule") == "jump")["found"].item() == "2 rises, 1 falls"


def test_a_repeated_answer_is_flagged_from_its_eighth_time_on():
    verdict = check(panel_of(a=[0.04, *[0.05] * 10, 0.06], b=[0.0] * 12))
    assert flagged(verdict, "stale_repetition") == [on(8), on(9), on(10)]


def test_a_repeated_yield_over_an_index_that_moves_is_no_repetition():
    values = [{"apy": 0.05, "index": 1 + day / 1e4} for day in range(12)]
    assert flagged(check(panel_of(a=values)), "stale_repetition") == []


def test_a_history_that_opens_with_one_value_is_flagged_when_it_moves_later():
    moving = [0.04 + i / 1e3 for i in range(5)]
    verdict = check(panel_of(a=[0.03] * 14 + moving, b=[0.03] * 13 + moving, c=[0.03] * 19))
    assert flagged(verdict, "backfilled_constant") == [on(day) for day in range(14)]


def test_a_frozen_market_is_flagged_and_stays():
    verdict = check(
        panel_of(a=[{"apy": 0.05, "status": status} for status in ("active", "frozen", "paused")])
    )
    assert flagged(verdict, "frozen_or_paused") == [on(1), on(2)]


def test_percent_is_told_by_its_size_or_by_the_growth_of_the_index():
    growth = [1 + 0.005 * day / 365 for day in range(30)]
    verdict = check(
        panel_of(
            size=[5.2, 5.1, 4.9],
            index=[{"apy": 0.5, "index": index} for index in growth],
            fine=[{"apy": 0.005, "index": index} for index in growth],
        )
    )
    assert {pool for pool, _ in flagged(verdict, "percent_not_fraction")} == {"size", "index"}


def test_flags_are_joined_in_order_and_those_that_came_along_stay():
    values = [0.01, {"apy": 0.06, "status": "frozen", "flags": "seen_before"}]
    flags = check(panel_of(a=values)).kept["flags"].to_list()
    assert flags == [None, "frozen_or_paused,jump,seen_before"]


def test_checking_twice_changes_nothing():
    panel = panel_of(a=[0.01, None, 0.9, {"apy": 0.2, "status": "frozen"}], b=[None, 0.1, 0.2])
    once = check(panel).kept
    assert check(once).kept.equals(once)


def test_a_panel_of_which_nothing_can_be_true_comes_out_empty():
    verdict = check(panel_of(a=[{"apy": None}, {"apy": -7.0}]))
    assert verdict.kept.height == 0
    assert verdict.kept.schema == PANEL.schema


@pytest.mark.parametrize("name", FAMILY.names())
def test_every_rule_says_why_it_exists_and_answers_for_each_row(name):
    rule = FAMILY.load(name)()
    assert rule.name == name
    assert len((type(rule).__doc__ or "").split()) > 10
    panel = panel_of(a=[0.05, 0.06, None, 0.07], b=[0.1])
    caught = rule.caught(panel)
    assert caught.dtype == pl.Boolean
    assert len(caught) == panel.height
    assert caught.null_count() == 0
    assert len(rule.caught(panel.clear())) == 0


def test_the_report_has_a_line_for_every_rule():
    report = check(panel_of(a=[0.05])).report
    assert report.schema == REPORT_SCHEMA
    assert report["rule"].to_list() == sorted(rule.name for rule in rules())


def test_an_unknown_rule_is_an_error_of_the_project():
    with pytest.raises(Exception, match="no member") as refusal:
        FAMILY.load("jumps")
    assert not isinstance(refusal.value, BadData)
