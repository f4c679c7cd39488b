"""DefiLlama's answers: documented shapes, what they become, and what is refused."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from pytest_httpserver import HTTPServer

from defimon.core.errors import BadData, FixSettings, TryAgain
from defimon.core.settings import load_settings
from defimon.core.tables import PANEL
from defimon.quality._base import check
from defimon.sources._http import Answer, Http
from defimon.sources._manners import Manners
from defimon.sources.defillama import DefiLlama, Fetched, choose, panel_of_chart, panel_of_pools

NOW = datetime(2025, 8, 31, 14, 20, tzinfo=UTC)
STETH = "747c1d2a-c668-4682-b9f9-296708a3dd90"

LIDO = {
    "chain": "Ethereum",
    "project": "lido",
    "symbol": "STETH",
    "tvlUsd": 22760693591,
    "apyBase": 2.382,
    "apyReward": None,
    "apy": 2.382,
    "rewardTokens": None,
    "pool": STETH,
    "apyPct1D": 0.197,
    "stablecoin": False,
    "ilRisk": "no",
    "exposure": "single",
    "predictions": {"predictedClass": "Stable/Up", "predictedProbability": 74, "binnedConfidence": 2},
    "poolMeta": None,
    "mu": 3.4,
    "sigma": 0.05,
    "count": 1542,
    "outlier": False,
    "il7d": None,
    "volumeUsd1d": None,
}
CHART = [
    {
        "timestamp": "2022-05-03T00:00:00.000Z",
        "tvlUsd": 8_000_000_000,
        "apy": 3.8,
        "apyBase": 3.8,
        "apyReward": None,
        "il7d": None,
        "apyBase7d": None,
    },
    {"timestamp": "2025-08-30T23:01:12.345Z", "tvlUsd": 1.5, "apy": 0, "apyBase": 0, "apyReward": 0},
    {"timestamp": "2025-08-31T14:01:00.000Z", "tvlUsd": None, "apy": None},
]


def success(data: object) -> dict[str, object]:
    return {"status": "success", "data": data}


def pool(**changes: object) -> dict[str, object]:
    return {**LIDO, **changes}


def pools_of(*rows: dict[str, object]) -> pl.DataFrame:
    return panel_of_pools(success(list(rows)), NOW, where="/pools")


def chart_of(*rows: dict[str, object]) -> pl.DataFrame:
    return panel_of_chart(success(list(rows)), STETH, NOW, where="/chart")


def ask(server: HTTPServer, pool_id: str | None = None, kept: list[Answer] | None = None) -> Fetched:
    async def main() -> Fetched:
        async with Http(Manners(first_wait_s=0.01, gap_s=0.0, attempts=2)) as http:
            keep = [] if kept is None else kept
            service = DefiLlama(http, server.url_for(""), keep=keep.append)
            return await (service.pools() if pool_id is None else service.chart(pool_id))

    return asyncio.run(main())


def test_a_percent_from_the_service_is_stored_as_a_fraction() -> None:
    row = pools_of(pool(apy=5.2, apyBase=5.0, apyReward=0.2)).row(0, named=True)
    assert row["apy"] == pytest.approx(0.052)
    assert row["apy_base"] == pytest.approx(0.05)
    assert row["apy_reward"] == pytest.approx(0.002)
    assert row["tvl_usd"] == 22760693591


def test_a_null_stays_null_and_a_zero_stays_zero() -> None:
    null, zero = pools_of(pool(pool="a"), pool(pool="b", apyReward=0, volumeUsd1d=0)).iter_rows(named=True)
    assert null["apy_reward"] is None
    assert null["volume_24h_usd"] is None
    assert zero["apy_reward"] == 0.0
    assert zero["volume_24h_usd"] == 0.0


def test_a_snapshot_is_true_and_known_when_it_was_fetched() -> None:
    panel = pools_of(LIDO)
    assert tuple(panel.columns) == PANEL.names
    row = panel.row(0, named=True)
    assert row["ts"] == row["known_at"] == NOW
    assert (row["pool_id"], row["protocol"], row["chain"]) == (STETH, "lido", "ethereum")
    assert (row["symbol"], row["stablecoin"]) == ("STETH", False)
    assert (row["source"], row["origin"]) == ("defillama", "observed")


def test_a_chart_bought_later_is_known_an_hour_after_each_of_its_points() -> None:
    panel = chart_of(*CHART)
    assert panel["known_at"].to_list() == [ts + timedelta(hours=1) for ts in panel["ts"]]
    assert panel["protocol"].to_list() == [None] * 3


def test_a_stamp_at_midnight_names_a_day_whose_point_is_its_last_hour() -> None:
    assert chart_of(*CHART)["ts"].to_list() == [
        datetime(2022, 5, 3, 23, tzinfo=UTC),
        datetime(2025, 8, 30, 23, 1, 12, 345000, tzinfo=UTC),
        datetime(2025, 8, 31, 14, 1, tzinfo=UTC),
    ]


def test_a_stamp_of_an_unfinished_day_is_not_moved_into_the_future() -> None:
    today = chart_of({"timestamp": "2025-08-31T00:00:00.000Z", "tvlUsd": 1, "apy": 1})
    assert today["ts"].to_list() == [datetime(2025, 8, 31, tzinfo=UTC)]


def test_a_point_without_a_yield_is_set_apart_by_name_and_never_counted_as_zero() -> None:
    verdict = check(chart_of(*CHART))
    assert verdict.kept["apy"].to_list() == pytest.approx([0.038, 0.0])
    assert verdict.quarantined["rule"].to_list() == ["missing_yield"]


def test_an_absurd_yield_is_left_to_the_quality_rules() -> None:
    assert check(pools_of(pool(apy=1e12), pool(pool="b"))).quarantined["rule"].to_list() == ["out_of_range"]


def test_a_pool_without_history_has_an_empty_chart() -> None:
    assert chart_of().height == 0


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([LIDO], "expected an object with status and data"),
        (success(LIDO), "field data is .*, expected a list of rows"),
        (success([]), "no pool at all"),
        (success([LIDO, "lido"]), "row 2: found 'lido', expected an object"),
        (success([LIDO, pool(pool=None)]), "row 2, field pool: found None, expected a text"),
        (success([pool(symbol="")]), "row 1, field symbol: found '', expected a text"),
        (success([pool(apy="2.4")]), "row 1, field apy: found '2.4', expected a number or null"),
        (success([pool(tvlUsd=True)]), "row 1, field tvlUsd: found True, expected a number or null"),
        (success([pool(stablecoin="no")]), "row 1, field stablecoin: found 'no', expected true or false"),
        (success([LIDO, LIDO]), f"{STETH}' stands in more than one row"),
        (
            success([{name: value for name, value in LIDO.items() if name != "apy"}]),
            "every row, field apy: absent",
        ),
    ],
)
def test_another_shape_is_refused_naming_field_and_row(value: object, words: str) -> None:
    with pytest.raises(BadData, match=words):
        panel_of_pools(value, NOW, where="/pools")


def test_a_stamp_that_cannot_be_read_is_refused_naming_its_row() -> None:
    with pytest.raises(BadData, match="row 2, field timestamp: found '03/05/2022'"):
        chart_of(CHART[0], {**CHART[1], "timestamp": "03/05/2022"})


def test_a_failure_that_the_service_reports_is_told_in_its_words() -> None:
    with pytest.raises(TryAgain, match="status 'error' and says 'database asleep'"):
        panel_of_pools({"status": "error", "message": "database asleep"}, NOW, where="/pools")


def test_pools_and_charts_are_asked_for_by_the_documented_addresses(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/pools").respond_with_json(success([LIDO]))
    httpserver.expect_request(f"/chart/{STETH}").respond_with_json(success(CHART))
    assert ask(httpserver).panel["pool_id"].to_list() == [STETH]
    chart = ask(httpserver, STETH)
    assert chart.panel["pool_id"].unique().to_list() == [STETH]
    assert json.loads(chart.answer.body) == success(CHART)


def test_an_answer_is_kept_before_its_shape_is_looked_at(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/pools").respond_with_json({"surprise": 1})
    kept: list[Answer] = []
    with pytest.raises(TryAgain):
        ask(httpserver, kept=kept)
    assert [json.loads(answer.body) for answer in kept] == [{"surprise": 1}]


def test_a_pool_name_cannot_lead_to_another_address(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/chart/../pools").respond_with_json(success(CHART))
    assert ask(httpserver, "../pools").panel.height == 3


def test_an_address_without_a_scheme_is_refused_naming_the_setting() -> None:
    with pytest.raises(FixSettings, match="DEFIMON_DEFILLAMA_URL"):
        DefiLlama(Http(), "yields.llama.fi")


def market(project: str, number: int, tvl: float, **changes: object) -> dict[str, object]:
    return pool(pool=f"{project}-{number}", project=project, tvlUsd=tvl, **changes)


MARKETS = pools_of(
    *(market("uniswap-v3", n, 900e6 - n) for n in range(20)),
    *(market("aave-v3", n, 90e6 - n, symbol="USDC", stablecoin=True) for n in range(20)),
    market("lido", 0, 20e6),
    market("rocket-pool", 0, 10e6, chain="Arbitrum"),
    market("yearn-finance", 0, 5e9),
    market("uniswap-v2", 0, 6e9, apy=0.0002),
    market("sushiswap", 0, 0.5e6),
    market("curve-dex", 0, 7e9, apy=None),
)


def chosen(**given: object) -> list[str]:
    return choose(MARKETS, load_settings({}, **given))["pool_id"].to_list()


def test_lending_staking_and_exchanges_share_the_places_and_leave_none_empty() -> None:
    picked = choose(MARKETS, load_settings({}, defillama_pools=12))
    assert dict(picked.group_by("kind").len().iter_rows()) == {"lending": 4, "staking": 2, "exchange": 6}
    assert picked["tvl_usd"].is_sorted(descending=True)
    assert len(chosen(defillama_pools=80)) == 42


def test_pools_of_unknown_kind_small_ones_and_those_that_pay_nothing_are_not_followed() -> None:
    assert not {"yearn-finance-0", "uniswap-v2-0", "sushiswap-0", "curve-dex-0"} & set(chosen())


def test_a_protocol_that_is_named_is_followed_whatever_it_does() -> None:
    assert chosen(defillama_protocols="Yearn-Finance, uniswap-v2") == ["uniswap-v2-0", "yearn-finance-0"]


def test_settings_narrow_chains_stablecoins_and_size() -> None:
    assert chosen(defillama_chains="arbitrum") == ["rocket-pool-0"]
    assert set(chosen(defillama_stablecoins=True)) == {f"aave-v3-{n}" for n in range(20)}
    assert len(chosen(defillama_min_tvl_usd=100e6)) == 20


def test_settings_that_nothing_fits_are_told() -> None:
    with pytest.raises(FixSettings, match="None of 46 pools fits"):
        chosen(defillama_chains="no-such-chain")


@pytest.mark.real_data
def test_a_recorded_answer_of_all_pools_is_read_whole(data_sets: Path) -> None:
    recorded = pl.read_parquet(data_sets / "open" / "defillama_pools_2025-08-31.parquet")
    rows = recorded.select(
        "pool",
        "chain",
        "symbol",
        "apy",
        "stablecoin",
        pl.col("protocol_slug").alias("project"),
        pl.col("tvl_usd").alias("tvlUsd"),
        pl.col("apy_base").alias("apyBase"),
        pl.col("apy_reward").alias("apyReward"),
        pl.col("volume_usd_1d").alias("volumeUsd1d"),
    )
    panel = panel_of_pools(json.loads(json.dumps(success(rows.to_dicts()))), NOW, where="/pools")
    assert panel.height == recorded.height == 1_134
    both = panel.join(recorded, left_on="pool_id", right_on="pool")
    assert (both["apy"] - both["apy_right"] / 100).abs().max() < 1e-9
    assert both["apy_reward"].null_count() == recorded["apy_reward"].null_count()
    assert set(panel["chain"]) >= {"bnb", "opbnb", "ethereum"}
    assert choose(panel, load_settings({}))["kind"].unique().to_list() == ["exchange"]
