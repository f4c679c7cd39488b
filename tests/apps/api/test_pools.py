"""Pools: found, in order, page by page, and as they were."""

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from defimon.apps.api.questions import cursor_of
from defimon.core.settings import load_settings
from defimon.core.tables import YIELDS
from defimon.flows._store import open_store
from defimon.flows.catalogue import COLUMNS
from defimon.flows.pool_history import history_page
from defimon.flows.pool_search import Wanted, search_pools
from defimon.store.database import Store


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [pool["pool_id"] for pool in answer.json()["pools"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=usdc+base", ["aave-v3:base:USDC"]),
        ("q=3POOL", ["0xbebc44"]),
        ("protocol=aave-v3&protocol=lido", ["lido:stETH", "aave-v3:ethereum:USDC", "aave-v3:base:USDC"]),
        ("chain=Base", ["aave-v3:base:USDC", "young/one"]),
        ("stablecoin=false&sort=apy", ["young/one", "lido:stETH"]),
        ("min_tvl_usd=2e8&order=asc", ["aave-v3:ethereum:USDC", "lido:stETH"]),
        ("min_apy=0.04&max_apy=0.05", ["aave-v3:ethereum:USDC"]),
        ("symbol=%5B%28", []),
        ("with_forecast=false", ["young/one"]),
        ("with_forecast=true&chain=base", ["aave-v3:base:USDC"]),
    ],
)
def test_pools_are_found_by_words_and_filters(client, query, expected):
    assert ids(client.get(f"/v1/pools?{query}")) == expected


def test_twenty_thousand_pools_are_listed_without_a_filter(client):
    assert client.get("/v1/pools").status_code == 200
    known = client.app.state.service.last.catalogue
    many = pl.concat([known.pools] * (20_000 // known.pools.height + 1))
    page = search_pools(replace(known, pools=many), Wanted(), limit=50)
    assert (len(page.rows), page.total) == (50, many.height)


SORTS = (
    "tvl_usd", "apy", "forecast", "forecast_low", "forecast_high", "forecast_change", "volume_24h_usd",
    "utilisation", "ts", "symbol", "pool_id",
)  # fmt: skip


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 4])
def test_pages_hold_every_pool_once_in_order(client, sort, order, limit):
    query = f"/v1/pools?sort={sort}&order={order}"
    whole, seen, cursor = ids(client.get(query)), [], ""
    while cursor is not None:
        page = client.get(f"{query}&limit={limit}{cursor and f'&cursor={cursor}'}")
        seen += ids(page)
        cursor = page.json()["next"]
    assert seen == whole
    assert len(set(seen)) == 6
    if sort in ("tvl_usd", "forecast", "forecast_change"):
        assert seen[-1] == "young/one"  # what is not known comes last either way
    skipped = [one for n in range(6) for one in ids(client.get(f"{query}&limit=1&skip={n}"))]
    assert skipped == whole
    assert ids(client.get(f"{query}&skip=7")) == []


def test_symbols_are_in_the_order_of_their_letters(client):
    pools = client.get("/v1/pools?sort=symbol&order=asc").json()["pools"]
    assert [one["symbol"] for one in pools] == ["DAI", "DAI-USDC-USDT", "STETH", "USDC", "USDC", "WETH"]


@pytest.mark.parametrize(
    "given", ["fields=apy&fields=symbol", "fields=symbol,apy", "fields=pool_id,%20apy,symbol"]
)
def test_only_the_fields_that_are_asked_for_are_sent(client, given):
    answer = client.get(f"/v1/pools?sort=apy&limit=1&{given}")
    assert answer.json()["pools"] == [{"pool_id": "young/one", "symbol": "WETH", "apy": pytest.approx(0.2)}]
    assert (
        client.get(
            f"/v1/pools?sort=apy&limit=1&{given}", headers={"If-None-Match": answer.headers["ETag"]}
        ).status_code
        == 304
    )
    whole = client.get("/v1/pools?sort=apy&limit=1")
    assert whole.headers["ETag"] != answer.headers["ETag"]
    assert set(whole.json()["pools"][0]) == set(COLUMNS)
    schema = client.get("/v1/openapi.json").json()["components"]["schemas"]["PoolPart"]
    assert set(schema["properties"]) == set(COLUMNS)
    assert schema["required"] == ["pool_id"]


def test_a_field_that_no_pool_has_is_told_with_near_matches(client):
    answer = client.get("/v1/pools?fields=apy,symbl&fields=nothing_like_it")
    assert (answer.status_code, answer.json()["field"]) == (404, "fields")
    assert answer.json()["unknown"] == {"symbl": ["symbol"], "nothing_like_it": []}


def test_values_that_pools_can_be_chosen_by_are_counted(client):
    told = client.get("/v1/pools/values").json()
    assert told["chain"] == [{"value": "ethereum", "pools": 4}, {"value": "base", "pools": 2}]
    assert told["kind"] == [{"value": "lending", "pools": 6}]
    assert told["protocol"][0] == {"value": "aave-v3", "pools": 2}


def test_a_cursor_of_another_listing_is_refused(client):
    cursor = client.get("/v1/pools?limit=1").json()["next"]
    by_name = client.get("/v1/pools?sort=symbol&limit=1").json()["next"]
    crossed = cursor_of(("tvl_usd", "desc", "text", "lido:stETH"))
    assert client.get(f"/v1/pools?sort=symbol&cursor={by_name}").status_code == 200
    for query in (
        f"sort=apy&cursor={cursor}",
        f"cursor={crossed}",
        f"cursor={by_name}",
        "cursor=nonsense",
        "cursor=W10",
        "cursor=%C3%A4",
    ):
        answer = client.get(f"/v1/pools?{query}")
        assert (answer.status_code, answer.json()["field"]) == (404, "cursor")


def test_a_pool_stands_beside_its_forecast(client):
    pool = client.get("/v1/pools/aave-v3:base:USDC").json()
    assert pool["apy"] == pytest.approx(0.055)
    assert pool["forecast"] == pytest.approx(0.0605)
    assert pool["forecast_model"] == "ensemble"


def test_an_id_with_a_slash_and_an_older_id_are_understood(client):
    assert client.get("/v1/pools/young/one").json()["protocol"] == "morpho-blue"
    assert client.get("/v1/pools/young%2Fone/history").json()["pool_id"] == "young/one"
    assert client.get("/v1/pools/old-3pool").json()["pool_id"] == "0xbebc44"


def test_an_unknown_pool_is_told_with_near_matches(client):
    answer = client.get("/v1/pools/lido:steth/history")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["unknown"] == {"lido:steth": ["lido:stETH"]}
    assert answer.json()["remedy"] == "Did you mean lido:stETH?"


def test_history_is_what_was_known_at_the_time(client, moments):
    ten, then = moments.text(moments.day(10)), moments.text(moments.day(5))
    query = f"/v1/pools/lido:stETH/history?since={ten}&limit=1"
    assert client.get(query).json()["rows"][0]["apy"] == 0.5
    assert client.get(f"{query}&as_of={then}").json()["rows"][0]["apy"] == pytest.approx(0.031 * 1.1)
    early = moments.text(moments.day(30))
    rows = client.get(f"/v1/pools/lido:stETH/history?as_of={early}").json()["rows"]
    assert rows[-1]["ts"] == early


def test_history_of_a_renamed_pool_goes_back_beyond_its_new_id(client, moments):
    rows = client.get("/v1/pools/0xbebc44/history").json()["rows"]
    assert [row["ts"] for row in rows[:2]] == [moments.text(moments.day(n)) for n in (50, 45)]
    assert {row["pool_id"] for row in rows} == {"0xbebc44"}


def test_pages_of_history_join_without_a_gap(client, moments):
    path = "/v1/pools/lido:stETH/history"
    whole = client.get(path).json()["rows"]
    seen, cursor = [], ""
    while cursor is not None:
        page = client.get(f"{path}?limit=7{cursor and f'&cursor={cursor}'}").json()
        seen += page["rows"]
        cursor = page["next"]
    assert seen == whole
    assert len(seen) == 40


def test_since_is_inside_and_until_is_not(client, moments):
    since, until = (moments.text(moments.day(n)) for n in (4, 2))
    rows = client.get(f"/v1/pools/lido:stETH/history?since={since}&until={until}").json()["rows"]
    assert [row["ts"] for row in rows] == [moments.text(moments.day(n)) for n in (4, 3)]


@pytest.mark.parametrize(
    "moment", ["2026-01-01", "0", "2026-01-01T00:00:00", "yesterday", "2026-13-01T00:00:00Z"]
)
def test_a_time_without_zone_or_sense_is_refused(client, moment):
    answer = client.get(f"/v1/pools/lido:stETH/history?since={moment}")
    assert (answer.status_code, answer.json()["field"]) == (422, "query.since")


def test_a_time_beyond_all_data_is_taken(client):
    for moment in ("0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00"):
        assert client.get(f"/v1/pools/lido:stETH/history?since={moment}").status_code == 200


def test_past_forecasts_are_told(client, moments):
    rows = client.get("/v1/pools/lido:stETH/forecasts").json()["rows"]
    assert [row["ts"] for row in rows] == [moments.text(moments.day(n)) for n in (8, 1)]


def test_a_page_is_never_longer_than_the_settings_allow(filled, serve_on):
    with serve_on(filled.folder, api_page_rows=2) as client:
        assert len(ids(client.get("/v1/pools?limit=100000"))) == 2


def test_new_data_are_seen_without_a_restart(data, serve_on, moments):
    with serve_on(data.folder, api_refresh_s=0.05) as client:
        assert client.get("/v1/pools/lido:stETH").json()["apy"] == pytest.approx(0.031)
        later = moments.day(0) + timedelta(hours=1)
        row = {
            "pool_id": "lido:stETH", "ts": later, "known_at": later, "apy": 0.99, "source": "test",
            "origin": "observed",
        }  # fmt: skip
        with open_store(load_settings({}, data_dir=data.folder)) as store:
            store.write("yields", YIELDS.rows([row, {**row, "pool_id": "new"}]))
        while client.get("/v1/pools/lido:stETH").json()["apy"] != 0.99:
            pass
        assert client.get("/v1/pools/new").status_code == 200


@pytest.mark.parametrize("resolution", ["raw", "day"])
@pytest.mark.parametrize("limit", [1, 3, 50])
def test_pages_of_a_history_with_years_between_its_rows_join_too(data, serve_on, moments, resolution, limit):
    moments_of_rows = [moments.day(back) for back in (4_000, 3_999.9, 3_999, 900, 20.3, 20.2, 20.1, 0)]
    rows = [
        {"pool_id": "far", "ts": ts, "known_at": ts, "apy": 0.01, "source": "test", "origin": "observed"}
        for ts in moments_of_rows
    ]
    with open_store(load_settings({}, data_dir=data.folder)) as store:
        store.write("yields", YIELDS.rows(rows))
    with serve_on(data.folder) as client:
        path = f"/v1/pools/far/history?resolution={resolution}&limit={limit}"
        seen, cursor = [], ""
        while cursor is not None:
            page = client.get(f"{path}{cursor and f'&cursor={cursor}'}").json()
            seen += [row["ts"] for row in page["rows"]]
            cursor = page["next"]
    last_of_day = {moment.date(): moment for moment in moments_of_rows}
    expected = moments_of_rows if resolution == "raw" else sorted(last_of_day.values())
    assert seen == [moments.text(moment) for moment in expected]


def test_a_page_reads_no_more_of_the_past_than_it_shows(tmp_path, moments):
    class Counted(Store):
        read_rows = 0

        def read(self, table, **given):
            found = super().read(table, **given)
            self.read_rows += found.height
            return found

    url = f"sqlite:///{tmp_path / 'defimon.sqlite'}"
    rows = [
        {"pool_id": "busy", "ts": ts, "known_at": ts, "apy": 0.01, "source": "test", "origin": "observed"}
        for ts in (moments.day(back / 96) for back in range(96 * 200))
    ]
    with Counted(url) as store:
        store.migrate()
        store.write("yields", YIELDS.rows(rows))
        store.read_rows = 0
        page, more = history_page(store, ["busy"], limit=100)
        assert (page.height, more) == (100, True)
        assert store.read_rows < 600
        store.read_rows = 0
        page, more = history_page(store, ["busy"], daily=True, limit=7)
        assert (page.height, more) == (7, True)
        assert store.read_rows < 96 * 9
