"""DefiLlama as series, into the store: every pool, vanished and renamed ones, histories of figures."""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from werkzeug import Response

sys.path.append(str(Path(__file__).parent))  # so that the played service can be imported

from played_llama import PlayedLlama, chart, flow, level, midnight, pool

from defimon.core.errors import FixSettings
from defimon.core.settings import Settings
from defimon.flows._batches import store_batch
from defimon.flows.collect_sources import collect_sources
from defimon.flows.pool_aliases import names_now, propose_aliases
from defimon.flows.stored import stored_panel
from defimon.sources._http import Http
from defimon.sources._manners import Manners
from defimon.sources._series import Batch, Cursor, Series, Wanted
from defimon.sources.defillama import DefiLlama

QUICK = Manners(first_wait_s=0.01, longest_wait_s=0.05, gap_s=0.0, connect_s=30.0, attempts=2)


@pytest.fixture
def llama(httpserver):
    return PlayedLlama(httpserver)


def collected(store, llama, which="pools", **given):
    """Result of the one series of that name."""
    done = collect_sources(
        Settings(**llama.settings(**given)),
        ["defillama"],
        chosen=lambda series: series.name == f"defillama:{which}",
        store=store,
        manners=QUICK,
    )
    (result,) = done.results
    return result


def listed(store):
    rows = store.read("pools").sort("ts").unique("pool_id", keep="last").sort("pool_id")
    return dict(rows.select("pool_id", "listed").iter_rows())


def figures(store, **where):
    rows = store.read("protocol_figures")
    for name, value in where.items():
        rows = rows.filter(pl.col(name) == value)
    return rows.sort("ts")


def test_every_pool_is_stored_with_what_it_is_and_when_it_was_asked(store, llama):
    llama.pools[0]["poolMeta"] = "0.3%"
    result = collected(store, llama)
    assert (result.error, result.quarantined, result.inserted) == ("", 0, 4)
    assert store.read("yields")["apy"].to_list() == pytest.approx([0.04, 0.04])
    assert store.read("yields")["ts"].n_unique() == 1
    assert result.cursor.ts == store.read("yields")["ts"][0]
    pools = store.read("pools")
    assert pools["meta"].to_list() == ["0.3%", None]
    assert pools["kind"].to_list() == ["lending", "lending"]
    assert listed(store) == {"pool-a": True, "pool-b": True}


def test_other_figures_of_the_same_pools_are_further_yields_and_no_further_pools(store, llama):
    for _ in range(3):
        collected(store, llama)
    assert (store.count("yields"), store.count("pools"), store.count("raw_answers")) == (2, 2, 1)
    for apy in (5.0, 6.0):
        for one in llama.pools:
            one["apy"] = one["apyBase"] = apy
        collected(store, llama)
    assert (store.count("yields"), store.count("pools"), store.count("raw_answers")) == (6, 2, 3)


def test_a_doubtful_row_is_set_apart_and_its_pool_is_known_all_the_same(store, llama):
    llama.pools[1]["apy"] = None
    result = collected(store, llama)
    assert (result.quarantined, store.count("yields")) == (1, 1)
    assert listed(store) == {"pool-a": True, "pool-b": True}


def test_a_pool_that_vanishes_is_marked_and_again_when_it_returns(store, llama):
    collected(store, llama)
    gone = llama.pools.pop()
    result = collected(store, llama)
    assert listed(store) == {"pool-a": True, "pool-b": False}
    assert result.warnings == ("1 of 2 pools are not listed any more",)
    collected(store, llama)
    assert store.count("pools") == 3
    llama.pools.append(gone)
    assert collected(store, llama).warnings == ()
    assert listed(store) == {"pool-a": True, "pool-b": True}
    assert store.read("pools", where={"pool_id": ["pool-b"]})["listed"].to_list() == [True, False, True]
    assert set(stored_panel(store)["pool_id"]) == {"pool-a", "pool-b"}


def test_a_list_that_was_cut_short_marks_no_pool_unless_the_next_one_is_as_short(store, llama):
    whole = llama.pools = [pool(f"pool-{number:03}") for number in range(200)]
    collected(store, llama)
    llama.pools = whole[:90]
    result = collected(store, llama)
    assert result.warnings == (
        "110 of 200 pools are not listed any more; they are marked if the next snapshot lacks so many too",
    )
    llama.pools = whole
    assert collected(store, llama).warnings == ()
    assert store.count("pools") == 200
    llama.pools = whole[:90]
    collected(store, llama)
    assert collected(store, llama).warnings == ("110 of 200 pools are not listed any more",)
    assert sum(listed(store).values()) == 90
    assert collected(store, llama).warnings == ()
    assert store.count("pools") == 310


def test_a_pool_that_was_known_before_snapshots_vanishes_like_any_other(store, llama):
    collected(store, llama, "charts")
    llama.pools.pop()
    collected(store, llama)
    assert listed(store) == {"pool-a": True, "pool-b": False}


def test_changed_attributes_are_told_from_the_snapshot_on(store, llama):
    collected(store, llama)
    llama.pools[0]["symbol"] = "USDC.E"
    collected(store, llama)
    where = {"pool_id": ["pool-a"]}
    assert store.read("pools", where=where)["symbol"].to_list() == ["USDC", "USDC.E"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"status": "error", "message": "too busy"}, "too busy"),
        ({"status": "success", "data": []}, "no pool at all"),
        ({"status": "success", "data": [pool("a", apy="4 %")]}, "row 1, field apy: found '4 %'"),
        ([], "expected an object"),
    ],
)
def test_an_answer_of_another_shape_is_kept_and_stores_no_row(store, llama, answer, words):
    llama.answers["/pools"] = answer
    result = collected(store, llama)
    assert words in result.error
    assert (store.count("yields"), store.count("cursors"), store.count("raw_answers")) == (0, 0, 1)


def test_a_time_without_snapshots_is_a_gap_that_nobody_can_fill(store, llama):
    collected(store, llama)
    then = datetime.now(UTC) - timedelta(hours=5)

    async def asked():
        async with Http(QUICK) as http:
            source = DefiLlama.opened(http, Settings(**llama.settings()))
            wanted = Wanted(cursor=Cursor(int(then.timestamp() * 1e6), then))
            return [batch async for batch in source.batches(source.series()[0], wanted)]

    (batch,) = asyncio.run(asked())
    (gap,) = batch.gaps
    assert gap.lost
    assert (gap.start - 1, gap.end) == (int(then.timestamp() * 1e6), batch.cursor.number)


# Renamed pools.


def renamed(store, llama, *, others=(), **changes):
    """pool-b goes, and a pool of another id comes in its place."""
    before = collected(store, llama)
    llama.pools[1] = {**llama.pools[1], "pool": "pool-z", **changes}
    llama.pools += others
    after = collected(store, llama)
    assert (before.error, after.error) == ("", "")
    propose_aliases(store)
    return names_now(store)


def test_a_pool_that_comes_in_the_place_of_its_like_is_proposed_as_its_new_name(store, llama):
    assert renamed(store, llama, tvlUsd=3_050_000) == {"pool-b": "pool-z"}
    (row,) = store.read("pool_aliases").to_dicts()
    assert row["origin"] == "derived"
    assert row["ts"] == row["known_at"]
    assert "aave-v3 WETH on ethereum" in row["reason"]
    panel = stored_panel(store)
    assert panel.filter(pl.col("pool_id") == "pool-z").height == 2
    assert "pool-b" not in set(panel["pool_id"])
    assert set(store.read("yields")["pool_id"]) == {"pool-a", "pool-b", "pool-z"}


@pytest.mark.parametrize(
    "changes",
    [{"tvlUsd": 2_000_000}, {"apy": 6.0}, {"symbol": "WSTETH"}, {"chain": "Base"}, {"poolMeta": "other"},
     {"project": "aave-v2"}, {"tvlUsd": None}, {"apy": None}],
)  # fmt: skip
def test_a_pool_that_is_not_alike_is_a_pool_of_its_own(store, llama, changes):
    assert renamed(store, llama, **changes) == {}


def test_two_pools_that_could_both_be_meant_are_left_alone(store, llama):
    twin = {**llama.pools[1], "pool": "pool-y"}
    assert renamed(store, llama, others=[twin]) == {}


def test_pools_of_the_first_snapshot_are_nobodys_new_name(store, llama):
    collected(store, llama, "charts")
    llama.pools[1] = {**llama.pools[1], "pool": "pool-z"}
    collected(store, llama)
    propose_aliases(store)
    assert names_now(store) == {}


def test_a_pool_that_returns_goes_by_its_own_name_again(store, llama):
    old = llama.pools[1]
    assert renamed(store, llama) == {"pool-b": "pool-z"}
    before = datetime.now(UTC)
    llama.pools.append(old)
    collected(store, llama)
    propose_aliases(store)
    assert names_now(store) == {}
    assert names_now(store, as_of=before) == {"pool-b": "pool-z"}
    assert propose_aliases(store).corrected == 0


def test_names_are_followed_to_the_last(store, llama):
    renamed(store, llama)
    llama.pools[1] = {**llama.pools[1], "pool": "pool-zz"}
    collected(store, llama)
    propose_aliases(store)
    assert names_now(store) == {"pool-b": "pool-zz", "pool-z": "pool-zz"}
    assert stored_panel(store).filter(pl.col("pool_id") == "pool-zz").height == 3


# Charts.


def test_charts_of_the_followed_pools_come_once_a_day(store, llama):
    result = collected(store, llama, "charts")
    assert (result.error, store.count("yields")) == ("", 10)
    assert store.read("yields")["known_at"].max() <= datetime.now(UTC)
    assert stored_panel(store)["symbol"].to_list() == ["USDC"] * 5 + ["WETH"] * 5
    collected(store, llama, "charts")
    assert llama.asked["/chart/pool-a"] == 1


async def charts_read(source, cursor, until=None):
    """Position and gaps after a visit, or after a back-fill up to `until`."""
    series = next(one for one in source.series() if one.name == "defillama:charts")
    found = [one async for one in source.batches(series, Wanted(cursor=cursor, until=until))]
    return found[-1].cursor, found[-1].gaps


def test_a_source_that_is_followed_for_days_asks_for_the_charts_on_each_of_them(llama):
    async def two_days():
        async with Http(QUICK) as http:
            source = DefiLlama(http, llama.url, settings=Settings(**llama.settings()))
            cursor, _ = await charts_read(source, None)
            llama.charts["pool-a"] = Response("asleep", status=502)
            yesterday = Cursor(cursor.number - 86_400 * 10**6, cursor.ts - timedelta(days=1))
            return await charts_read(source, yesterday)

    _, (gap,) = asyncio.run(two_days())
    assert gap.reason == "1 chart(s) could not be had"
    assert llama.asked["/chart/pool-b"] == 2


def test_a_chart_that_could_not_be_had_is_asked_for_again_after_a_while_by_the_same_source(
    llama, monkeypatch
):
    async def back_filled():
        async with Http(QUICK) as http:
            source = DefiLlama(http, llama.url, settings=Settings(**llama.settings()))
            cursor, (gap,) = await charts_read(source, None)
            llama.charts["pool-a"] = chart(5)
            _, just_now = await charts_read(source, cursor, gap.end)
            monkeypatch.setattr("defimon.sources.defillama.SNAPSHOT_STANDS", timedelta(0))
            _, later = await charts_read(source, cursor, gap.end)
            return just_now, later

    llama.charts["pool-a"] = Response("asleep", status=502)
    just_now, later = asyncio.run(back_filled())
    assert (len(just_now), len(later)) == (1, 0)
    assert llama.asked["/chart/pool-b"] == 1


def test_a_chart_that_cannot_be_had_is_told_and_the_others_are_stored(store, llama):
    llama.charts["pool-a"] = Response("asleep", status=502)
    result = collected(store, llama, "charts")
    assert (result.error, store.count("yields"), result.gaps_open) == ("", 5, 1)
    assert "status 502" in result.warnings[0]


def test_a_chart_that_could_not_be_had_is_a_gap_until_a_later_run_has_it(store, llama):
    llama.charts["pool-a"] = Response("asleep", status=502)
    collected(store, llama, "charts")
    (gap,) = store.read("gaps").to_dicts()
    assert (gap["status"], gap["reason"]) == ("open", "1 chart(s) could not be had")
    llama.charts["pool-a"] = Response("gone", status=404)
    assert collected(store, llama, "charts").gaps_open == 1
    llama.charts["pool-a"] = chart(5)
    result = collected(store, llama, "charts")
    assert (result.gaps_open, result.gaps_filled, store.count("yields")) == (0, 1, 10)
    assert collected(store, llama, "charts").rows_in == 0


def test_a_snapshot_that_was_missed_is_a_gap_for_good(store, llama):
    series = Series("defillama:pools", "defillama", timedelta(minutes=15))
    then = datetime.now(UTC) - timedelta(minutes=30)
    before = Cursor(int(then.timestamp() * 1e6), then)
    store_batch(store, series, Batch(cursor=before), None, None)
    assert collected(store, llama).error == ""
    (gap,) = store.read("gaps").to_dicts()
    assert (gap["status"], gap["start"]) == ("lost", before.number + 1)


def test_a_service_that_is_down_is_left_alone_and_asked_again_next_time(store, llama):
    llama.pools = [pool(f"pool-{n}") for n in range(12)]
    llama.charts = {f"pool-{n}": Response("asleep", status=502) for n in range(12)}
    result = collected(store, llama, "charts")
    assert "8 charts in a row" in result.error
    assert (result.cursor, store.count("cursors")) == (None, 0)


def test_edited_history_is_a_correction_and_the_old_figure_stays(store, llama):
    collected(store, llama, "charts")
    before = datetime.now(UTC)
    llama.charts["pool-a"] = chart(5, 5.0)
    cursor = store.read("cursors").with_columns(
        pl.col("ts") - timedelta(days=1), pl.col("number") - 86_400 * 10**6
    )
    assert cursor.height == 1
    series = Series("defillama:charts", "defillama", timedelta(days=1))
    past = Cursor(cursor["number"][0], cursor["ts"][0])
    store_batch(store, series, Batch(cursor=past, repairs=True), None, None)
    result = collected(store, llama, "charts")
    assert result.corrected == 5
    where = {"pool_id": ["pool-a"]}
    assert store.read("yields", where=where)["apy"][0] == pytest.approx(0.05)
    assert store.read("yields", where=where, as_of=before)["apy"][0] == pytest.approx(0.04)


# Figures of protocols and chains.


def test_a_protocol_has_its_tvl_and_loans_by_chain_and_its_fees(store, llama):
    result = collected(store, llama, "protocol:aave-v3")
    assert result.error == ""
    told = figures(store).select("chain", "metric", "interval_s").unique().sort("chain", "metric").rows()
    assert told == [
        ("all", "borrowed_usd", 1),
        ("all", "fees_usd", 86_400),
        ("all", "revenue_usd", 86_400),
        ("all", "tvl_usd", 1),
        ("bnb", "tvl_usd", 1),
        ("ethereum", "borrowed_usd", 1),
        ("ethereum", "tvl_usd", 1),
    ]
    assert figures(store, chain="bnb")["value"].to_list() == [1_000.0, 1_001.0, 1_002.0, 1_003.0]
    assert result.cursor.ts == figures(store)["ts"].max()
    assert (figures(store)["known_at"] <= datetime.now(UTC)).all()


def test_a_chain_has_its_tvl_stablecoins_volume_and_fees(store, llama):
    result = collected(store, llama, "chain:astar")
    assert result.error == ""
    assert set(figures(store)["protocol"]) == {"all"}
    assert set(figures(store)["chain"]) == {"astar"}
    assert figures(store, metric="stablecoins_usd")["value"].to_list() == [1_001.0, 1_002.0, 1_003.0, 1_004.0]
    assert set(figures(store)["metric"]) == {
        "tvl_usd", "stablecoins_usd", "volume_usd", "fees_usd", "revenue_usd"
    }  # fmt: skip


def test_a_day_counts_when_it_is_over_and_its_figure_ends_there(store, llama):
    collected(store, llama, "chain:astar")
    volume = figures(store, metric="volume_usd")
    assert volume["value"].to_list() == [10.0, 11.0]
    assert int(volume["ts"][-1].timestamp()) == midnight()


def test_a_null_is_no_figure_and_a_zero_is_one(store, llama):
    llama.answers["/v2/historicalChainTvl/Astar"] = [
        {"date": midnight(2), "tvl": None},
        {"date": midnight(1), "tvl": 0},
    ]
    collected(store, llama, "chain:astar")
    assert figures(store, metric="tvl_usd")["value"].to_list() == [0.0]


def test_a_figure_that_the_service_edits_is_a_correction(store, llama):
    collected(store, llama, "chain:astar")
    llama.answers["/overview/dexs/Astar"] = flow(3, 20.0)
    result = collected(store, llama, "chain:astar")
    assert (result.inserted, result.corrected) == (0, 2)
    assert figures(store, metric="volume_usd")["value"].to_list() == [20.0, 21.0]


@pytest.mark.parametrize(
    ("path", "answer", "words"),
    [
        ("/v2/historicalChainTvl/Astar", {"message": "Internal server error"}, "Internal server error"),
        ("/v2/historicalChainTvl/Astar", {"tvl": []}, "expected a list"),
        ("/v2/historicalChainTvl/Astar", [{"date": 1, "tvl": "much"}], "row 1: found 'much'"),
        ("/v2/historicalChainTvl/Astar", [{"date": "soon", "tvl": 1}], "found 'soon'"),
        ("/v2/historicalChainTvl/Astar", [{"tvl": 1}], "expected an object with date and tvl"),
        ("/v2/historicalChainTvl/Astar", [{"date": 1e13, "tvl": 1}], "expected seconds since 1970"),
        ("/v2/historicalChainTvl/Astar", [{"date": "9" * 5000, "tvl": 1}], "expected seconds since 1970"),
        ("/v2/historicalChainTvl/Astar", [{"date": "\N{SUPERSCRIPT TWO}", "tvl": 1}], "expected a number"),
        ("/v2/historicalChainTvl/Astar", [{"date": 10**400, "tvl": 1}], "expected a number"),
        ("/v2/historicalChainTvl/Astar", [{"date": 1, "tvl": 10**400}], "expected a number"),
        ("/stablecoincharts/Astar", [[1, 2]], "row 1 is"),
        ("/overview/dexs/Astar", {"totalDataChart": [[1]]}, "expected a stamp and a figure"),
        ("/overview/dexs/Astar", {"total24h": 1}, "field totalDataChart is None"),
    ],
    ids=lambda part: str(part)[:40],
)
def test_figures_of_another_shape_are_refused_by_name(store, llama, path, answer, words):
    llama.answers[path] = answer
    result = collected(store, llama, "chain:astar")
    assert words in result.error
    assert result.cursor is None


def test_a_protocol_that_does_not_exist_is_told(store, llama):
    del llama.answers["/protocol/aave-v3"]
    assert "404" in collected(store, llama, "protocol:aave-v3").error


def test_an_empty_history_moves_nothing(store, llama):
    for path in ("/v2/historicalChainTvl/Astar", "/stablecoincharts/Astar"):
        llama.answers[path] = []
    del llama.answers["/overview/dexs/Astar"], llama.answers["/overview/fees/Astar"]
    result = collected(store, llama, "chain:astar")
    assert (result.error, result.cursor, result.rows_in) == ("", None, 0)


def test_a_moment_of_today_is_a_level_of_its_own(store, llama):
    moment = int(datetime.now(UTC).timestamp()) - 60
    llama.answers["/v2/historicalChainTvl/Astar"] = [*level(2), {"date": moment, "tvl": 7.0}]
    collected(store, llama, "chain:astar")
    assert int(figures(store, metric="tvl_usd")["ts"][-1].timestamp()) == moment


@pytest.mark.parametrize("name", ["defillama_url", "llama_url", "stablecoins_url"])
def test_an_address_that_is_none_is_refused_naming_its_setting(llama, name):
    async def opened():
        async with Http(QUICK) as http:
            DefiLlama.opened(http, Settings(**llama.settings(**{name: "llama"})))

    with pytest.raises(FixSettings, match=f"DEFIMON_{name.upper()}"):
        asyncio.run(opened())


@pytest.mark.real_data
def test_recorded_pools_come_through_whole(store, llama, data_sets):
    recorded = pl.read_parquet(data_sets / "open" / "defillama_pools_slim_2025-10-06.parquet")
    names = {
        "protocol_slug": "project",
        "tvl_usd": "tvlUsd",
        "apy_base": "apyBase",
        "apy_reward": "apyReward",
    }
    llama.pools = recorded.select("pool", "chain", "symbol", "apy", *names).rename(names).to_dicts()
    result = collected(store, llama)
    assert result.error == ""
    assert result.quarantined + store.count("yields") == recorded.height == 5_872
    assert store.count("pools") == recorded.height
    assert json.loads(json.dumps(llama.pools[0]))["pool"] in listed(store)


@pytest.mark.parametrize("slug", ["aave v3", "a/b", "a%2fb", "aave#", "."])
def test_what_can_be_no_protocol_is_refused_with_its_variable(llama, slug):
    async def opened(*protocols):
        async with Http(QUICK) as http:
            settings = Settings(**llama.settings(protocols=protocols))
            return [one.name for one in DefiLlama.opened(http, settings).series()]

    assert "defillama:protocol:x-(y)" in asyncio.run(opened("aave-v3", "x-(y)"))
    with pytest.raises(FixSettings, match="is no slug") as caught:
        asyncio.run(opened("aave-v3", slug))
    assert caught.value.variable == "DEFIMON_PROTOCOLS"
