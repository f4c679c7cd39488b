"""CoinGecko's documented answers, its granularity and limits, and what becomes of them."""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from werkzeug import Response

sys.path.append(str(Path(__file__).parent))  # so that the played service can be imported

from played_coingecko import TOO_MANY, TOO_OLD, PlayedCoinGecko, hours_ago, market, price_at

from defimon.core.errors import FixSettings
from defimon.core.settings import Settings
from defimon.flows._batches import store_batch
from defimon.flows.collect_sources import collect_sources
from defimon.sources._http import Http
from defimon.sources._manners import Manners
from defimon.sources._series import Batch, Cursor, Series, Wanted
from defimon.sources.coingecko import KEYED_GAP_S, KEYLESS_GAP_S, CoinGecko, _manners

QUICK = Manners(first_wait_s=0.01, longest_wait_s=0.05, gap_s=0.0, connect_s=30.0, attempts=2)


@pytest.fixture
def gecko(httpserver):
    return PlayedCoinGecko(httpserver)


def settings(gecko, **given):
    return Settings(**{"coingecko_url": gecko.url, "coins": ("astar", "ethereum"), **given})


def collected(store, gecko, which="markets", since=None, **given):
    done = collect_sources(
        settings(gecko, **given),
        ["coingecko"],
        since=since,
        chosen=lambda series: series.name == f"coingecko:{which}",
        store=store,
        manners=QUICK,
    )
    (result,) = done.results
    return result


def names(gecko, **given):
    async def asked():
        async with Http(QUICK) as http:
            return [one.name for one in CoinGecko.opened(http, settings(gecko, **given)).series()]

    return asyncio.run(asked())


def prices(store):
    return store.read("market_prices").sort("asset_id", "ts")


def test_coins_of_the_settings_and_of_followed_chains_are_asked_for(gecko):
    nodes = {"astar": ("http://127.0.0.1:1",), "base": ("http://127.0.0.1:1",)}
    assert names(gecko, coins=("curve-dao-token", "astar"), rpc=nodes) == [
        "coingecko:markets",
        "coingecko:history:curve-dao-token",
        "coingecko:history:astar",
        "coingecko:history:ethereum",
    ]
    assert names(gecko, coins=()) == []


@pytest.mark.parametrize("coin", ["a b", "x/../y", "a?b", "\x1b[2J", "a" * 101, ".."])
def test_what_can_be_no_coin_is_refused_with_its_variable(gecko, coin):
    with pytest.raises(FixSettings, match="is no slug") as caught:
        names(gecko, coins=("astar", coin))
    assert caught.value.variable == "DEFIMON_COINS"


def test_a_price_is_of_the_time_that_the_service_names(store, gecko):
    result = collected(store, gecko)
    assert (result.error, result.inserted) == ("", 2)
    row = prices(store).row(0, named=True)
    assert row["ts"] == datetime(2026, 1, 5, 12, 0, 30, 123000, tzinfo=UTC)
    assert (row["asset_id"], row["close_usd"], row["circulating_supply"]) == ("astar", 0.05, 1e6)
    assert row["open_usd"] is row["high_usd"] is row["low_usd"] is None
    assert row["known_at"] == result.cursor.ts > row["ts"]
    assert collected(store, gecko).inserted == 0


def test_nulls_are_unknown_and_so_are_a_value_and_a_supply_of_zero(store, gecko):
    gecko.coins["astar"] = market(
        "astar", 0.05, market_cap=0, circulating_supply=0.0, total_supply=None, total_volume=0
    )
    collected(store, gecko)
    row = prices(store).row(0, named=True)
    assert row["market_cap_usd"] is row["circulating_supply"] is row["total_supply"] is None
    assert row["volume_usd"] == 0.0


def test_a_coin_that_is_unknown_or_has_no_price_is_told(store, gecko):
    gecko.coins["ethereum"]["current_price"] = None
    result = collected(store, gecko, coins=("astar", "ethereum", "atlantis"))
    assert result.warnings == ("CoinGecko tells no price of atlantis, ethereum",)
    assert prices(store)["asset_id"].to_list() == ["astar"]


def test_a_visit_that_told_no_price_at_all_counts_as_missed(store, gecko):
    gecko.coins.clear()
    result = collected(store, gecko, coins=("astar",))
    assert (result.warnings, result.cursor) == (("CoinGecko tells no price of astar",), None)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"prices": []}, "expected a list of coins"),
        ([{"symbol": "astr"}], "expected an object with id"),
        ([{"id": "astar"}], "field current_price: absent"),
        ([market("astar", 0.05, total_supply="0.05")], "field total_supply: found '0.05'"),
        ([market("astar", -1.0)], "expected no less than 0"),
        ([market("astar", 1.0, last_updated="yesterday")], "expected a time"),
        ({"error": "coin not found"}, "coin not found"),
        ({"status": {"error_code": 10002, "error_message": "API Key Missing"}}, "API Key Missing"),
    ],
)
def test_another_shape_or_an_error_with_status_200_is_told(store, gecko, answer, words):
    gecko.answers = [Response(json.dumps(answer), content_type="application/json")]
    result = collected(store, gecko)
    assert words in result.error
    assert (store.count("market_prices"), store.count("raw_answers")) == (0, 1)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"total_supply": "0.05"}, "field total_supply: found '0.05'"),
        ({"current_price": -1.0}, "expected no less than 0"),
        ({"current_price": 10**400}, "expected no less than 0"),
        ({"last_updated": "yesterday"}, "expected a time"),
        ({"last_updated": "0001-01-01T00:00:00+12:00"}, "expected a time since 1970"),
    ],
    ids=str,
)
def test_a_coin_whose_row_cannot_be_used_is_set_apart_and_the_others_are_stored(store, gecko, broken, words):
    gecko.coins["ethereum"] |= broken
    result = collected(store, gecko, coins=("astar", "ethereum"))
    assert (result.error, result.inserted, result.quarantined, result.rows_in) == ("", 1, 1, 2)
    (warning,) = result.warnings
    assert words in warning
    assert prices(store)["asset_id"].to_list() == ["astar"]
    (apart,) = store.read("quarantine").to_dicts()
    assert (apart["row_table"], apart["row_key"], apart["rule"]) == (
        "market_prices",
        "ethereum",
        "unreadable",
    )
    assert json.loads(apart["row_json"]) == gecko.coins["ethereum"]


def test_too_many_calls_told_within_an_answer_say_when_to_come_back(store, gecko):
    gecko.answers = [Response(json.dumps(TOO_MANY), content_type="application/json")]
    assert "exceeded the Rate Limit" in collected(store, gecko).error


def test_too_many_calls_are_asked_again(store, gecko):
    gecko.answers = [Response("{}", status=429, headers={"Retry-After": "0"})]
    assert collected(store, gecko).error == ""


def test_the_key_goes_in_its_header_and_nowhere_else(store, httpserver):
    gecko = PlayedCoinGecko(httpserver, key="CG-key")
    assert collected(store, gecko, coingecko_key="CG-key").error == ""
    assert "401" in collected(store, gecko).error
    assert not any("CG-key" in path for path in gecko.asked)


def test_a_key_from_a_file_may_end_with_a_line(store, httpserver):
    gecko = PlayedCoinGecko(httpserver, key="CG-key")
    assert collected(store, gecko, coingecko_key="CG-key\n").error == ""


@pytest.mark.parametrize("key", ["CG-one CG-two", "CG-one\nCG-two", "CG-sch\u00fcssel"])
def test_what_can_be_no_key_is_refused_with_its_variable_and_not_repeated(gecko, key):
    with pytest.raises(FixSettings) as caught:
        names(gecko, coingecko_key=key)
    assert caught.value.variable == "DEFIMON_COINGECKO_KEY"
    assert "CG-" not in str(caught.value)


def test_a_key_that_the_service_says_back_is_masked(store, gecko):
    words = {"error_code": 429, "error_message": "The rate limit of CG-0123456789 is reached."}
    for said, status in (({"status": words}, 200), ({"error": "CG-0123456789 is unknown."}, 401)):
        gecko.answers = [Response(json.dumps(said), status=status, content_type="application/json")]
        error = collected(store, gecko, coingecko_key="CG-0123456789").error
        assert "***" in error
        assert "CG-" not in error


def test_history_comes_by_the_hour_in_stretches_of_ninety_days(store, gecko):
    result = collected(store, gecko, "history:astar", since=hours_ago(200 * 24))
    assert (result.error, result.inserted) == ("", 200 * 24)
    asked = [path for path in gecko.asked if "range" in path]
    assert len(asked) == 3
    rows = prices(store)
    assert rows["ts"].diff().drop_nulls().unique().to_list() == [timedelta(hours=1)]
    first = rows.row(0, named=True)
    assert first["close_usd"] == price_at(int(first["ts"].timestamp() * 1_000))
    assert first["market_cap_usd"] is None
    assert first["known_at"] == first["ts"] + timedelta(minutes=30)
    assert result.cursor.ts == rows["ts"].max()


def test_an_hour_more_is_told_by_the_hour_and_not_in_minutes(store, gecko):
    async def asked():
        async with Http(QUICK) as http:
            source = CoinGecko.opened(http, settings(gecko))
            at = hours_ago(3)
            wanted = Wanted(cursor=Cursor(int(at.timestamp() * 1e6), at))
            return [batch async for batch in source.batches(source.series()[1], wanted)]

    (batch,) = asyncio.run(asked())
    assert batch.rows["market_prices"].height == 3


def test_history_before_what_the_plan_tells_is_a_gap_for_good(store, gecko):
    result = collected(store, gecko, "history:astar", since=hours_ago(500 * 24))
    assert result.error == ""
    (gap,) = store.read("gaps").to_dicts()
    assert (gap["status"], gap["reason"]) == ("lost", "CoinGecko tells the last 365 days only")
    assert gap["start"] == int(hours_ago(500 * 24).timestamp() * 1e6) + 1
    assert abs(gap["end"] / 1e6 - hours_ago(365 * 24).timestamp()) < 2 * 3_600
    assert 364 * 24 < prices(store).height <= 365 * 24


def test_without_a_beginning_it_is_a_year(store, gecko):
    assert 364 * 24 < collected(store, gecko, "history:astar").inserted <= 365 * 24


def test_hours_before_a_coin_was_born_are_empty_and_not_asked_for_again(store, gecko):
    gecko.born = hours_ago(30)
    result = collected(store, gecko, "history:astar", since=hours_ago(100 * 24))
    assert (result.error, result.inserted) == ("", 30)
    gecko.asked.clear()
    assert collected(store, gecko, "history:astar").rows_in == 0
    assert len(gecko.asked) == 1


def test_a_broken_history_says_so_and_keeps_what_came_before(store, gecko):
    good = collected(store, gecko, "history:astar", since=hours_ago(24 * 24)).inserted
    gecko.answers = [Response('{"prices": [[1]], "market_caps": [], "total_volumes": []}')]
    result = collected(store, gecko, "history:ethereum")
    assert "expected milliseconds and a figure" in result.error
    assert prices(store).height == good


@pytest.mark.parametrize("stamp", ["1.7e18", "1e999", "-1", str(10**400)])
def test_a_price_of_no_time_that_can_be_says_so_and_stops_no_other_coin(store, gecko, stamp):
    answer = f'{{"prices": [[{stamp}, 1.0]], "market_caps": [], "total_volumes": []}}'
    gecko.answers = [Response(answer, content_type="application/json")]
    assert "expected milliseconds and a figure" in collected(store, gecko, "history:ethereum").error


def test_an_unknown_coin_is_told(store, gecko):
    assert "coin not found" in collected(store, gecko, "history:atlantis", coins=("atlantis",)).error


def test_the_pace_is_that_of_the_plan():
    url = "https://api.coingecko.com/api/v3"
    assert _manners(url, Manners(), keyed=True).gap_s == KEYED_GAP_S
    assert _manners(url, Manners(), keyed=False).gap_s == KEYLESS_GAP_S


def test_a_stamp_that_comes_twice_counts_once(store, gecko):
    at = int(hours_ago(1).timestamp() * 1_000)
    body = {"prices": [[at, 1.0], [at, 2.0]], "market_caps": [[at, 5.0]], "total_volumes": []}
    gecko.answers = [Response(json.dumps(body), content_type="application/json")]
    collected(store, gecko, "history:astar", since=hours_ago(10))
    assert prices(store).select("close_usd", "market_cap_usd", "volume_usd").rows() == [(2.0, 5.0, None)]
    assert prices(store)["origin"].to_list() == ["observed"]
    assert prices(store).filter(pl.col("source") != "coingecko").is_empty()


def test_hours_that_are_told_late_are_asked_for_again(store, gecko):
    gecko.answers = [Response(json.dumps({"prices": [], "market_caps": [], "total_volumes": []}),
                              content_type="application/json")]  # fmt: skip
    result = collected(store, gecko, "history:astar", since=hours_ago(5))
    assert (result.error, result.cursor, store.count("market_prices")) == ("", None, 0)
    result = collected(store, gecko, "history:astar", since=hours_ago(5))
    assert (result.inserted, result.cursor.ts) == (5, prices(store)["ts"].max())


def test_a_stretch_of_the_past_without_a_price_is_a_gap_until_it_is_told(store, gecko):
    series = Series("coingecko:history:astar", "coingecko", timedelta(days=1))
    then = hours_ago(120 * 24)
    before = Cursor(int(then.timestamp() * 1e6), then)
    store_batch(store, series, Batch(cursor=before), None, None)
    nothing = json.dumps({"prices": [], "market_caps": [], "total_volumes": []})
    gecko.answers = [Response(nothing, content_type="application/json")]
    result = collected(store, gecko, "history:astar")
    assert (result.gaps_open, result.inserted) == (1, 30 * 24)
    result = collected(store, gecko, "history:astar")
    assert (result.gaps_open, result.gaps_filled, store.count("market_prices")) == (0, 1, 120 * 24)


def test_prices_of_visits_that_were_missed_are_a_gap_for_good(store, gecko):
    series = Series("coingecko:markets", "coingecko", timedelta(hours=1))
    then = hours_ago(3)
    store_batch(store, series, Batch(cursor=Cursor(int(then.timestamp() * 1e6), then)), None, None)
    collected(store, gecko)
    (gap,) = store.read("gaps").to_dicts()
    assert (gap["status"], gap["start"]) == ("lost", int(then.timestamp() * 1e6) + 1)


def test_an_answer_that_was_cut_short_leaves_a_gap_that_is_filled_later(store, gecko):
    whole = gecko._range
    gecko._range = lambda start, end: whole(start, end - 86_400 * 30 if end - start > 86_400 * 60 else end)
    result = collected(store, gecko, "history:astar", since=hours_ago(24 * 100))
    assert (result.error, result.gaps_open) == ("", 1)
    gecko._range = whole
    result = collected(store, gecko, "history:astar")
    assert (result.gaps_open, result.gaps_filled) == (0, 1)
    assert prices(store)["ts"].diff().drop_nulls().max() == timedelta(hours=1)


def test_a_plan_that_tells_less_than_a_year_is_an_error_and_not_asked_for_ever(store, gecko):
    gecko.answers = [Response(json.dumps(TOO_OLD), status=401) for _ in range(3)]
    result = collected(store, gecko, "history:astar", since=hours_ago(24 * 400))
    assert "10012" in result.error
    assert len(gecko.answers) == 1
