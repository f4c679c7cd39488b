"""Live collection against a loopback server that plays DefiLlama."""

import json
import os
import re
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from defimon.core.errors import BadData, FixSettings, TryAgain
from defimon.core.settings import Settings, load_settings
from defimon.core.tables import PANEL
from defimon.flows._raw_answers import whole
from defimon.flows.collect_live import FAILURES_IN_A_ROW, CollectResult, collect
from defimon.sources._manners import Manners
from defimon.store.database import Store

QUICK = Manners(first_wait_s=0.01, longest_wait_s=0.05, gap_s=0.0, connect_s=30.0, attempts=2)

Rows = list[dict[str, object]]


class Llama:
    """Plays `/pools` and `/chart/{pool}`; `broken` charts answer as said there; counts what is asked."""

    def __init__(self, server: HTTPServer, pools: Rows, charts: dict[str, Rows]) -> None:
        self.server = server
        self.pools: object = {"status": "success", "data": pools}
        self.charts = charts
        self.broken: dict[str, Response] = {}
        self.asked: Counter[str] = Counter()
        server.expect_request("/pools").respond_with_handler(self._pools)
        server.expect_request(re.compile("^/chart/")).respond_with_handler(self._chart)

    def _pools(self, request: Request) -> Response:
        self.asked[request.path] += 1
        return Response(json.dumps(self.pools), content_type="application/json")

    def _chart(self, request: Request) -> Response:
        self.asked[request.path] += 1
        name = request.path.rpartition("/")[2]
        answer = {"status": "success", "data": self.charts.get(name, [])}
        return self.broken.get(name) or Response(json.dumps(answer), content_type="application/json")

    def settings(self, **given: object) -> Settings:
        return load_settings({}, defillama_url=self.server.url_for(""), **given)


def pool(number: int, project: str, kind_of_token: str = "USDC", **changes: object) -> dict[str, object]:
    return {
        "pool": f"pool-{number}",
        "chain": "BSC",
        "project": project,
        "symbol": kind_of_token,
        "tvlUsd": 1e9 - number,
        "apy": 4.0,
        "apyBase": 4.0,
        "apyReward": None,
        "stablecoin": kind_of_token == "USDC",
        "volumeUsd1d": None,
        **changes,
    }


def chart(days: int, today: datetime) -> Rows:
    first = today.replace(hour=23, minute=1) - timedelta(days=days)
    return [
        {
            "timestamp": (first + timedelta(days=day)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "tvlUsd": 1e9 + day,
            "apy": 4.0 + day / 10,
            "apyBase": 4.0 + day / 10,
            "apyReward": None,
        }
        for day in range(days)
    ]


@pytest.fixture
def llama(httpserver: HTTPServer) -> Llama:
    today = datetime.now(UTC).replace(microsecond=0)
    pools = [pool(n, ("aave-v3", "lido", "uniswap-v3")[n % 3]) for n in range(12)]
    return Llama(httpserver, pools, {f"pool-{n}": chart(10, today) for n in range(12)})


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "store.sqlite"
    with Store(f"sqlite:///{path}") as opened:
        opened.migrate()
    return path


@pytest.fixture
def store(empty_store: Path, tmp_path: Path) -> Iterator[Store]:
    path = shutil.copy(empty_store, tmp_path / "store.sqlite")
    with Store(f"sqlite:///{path}") as opened:
        yield opened


def gather(store: Store, llama: Llama, **given: object) -> CollectResult:
    return collect(store, llama.settings(**given), manners=QUICK)


def test_pools_and_charts_arrive_in_the_store_with_what_the_pools_are(store: Store, llama: Llama) -> None:
    result = gather(store, llama, defillama_pools=6)
    assert (result.offered, result.chosen.height, result.fetched, result.reused) == (12, 6, 6, 0)
    assert result.failures == ()
    assert result.written.inserted == 6 * 10 + 6
    assert tuple(result.panel.columns) == PANEL.names
    assert result.panel.height == 66
    assert result.panel["chain"].unique().to_list() == ["bnb"]
    assert result.panel["stablecoin"].all()
    first = result.panel.row(0, named=True)
    assert first["apy"] == pytest.approx(0.04)
    assert first["known_at"] - first["ts"] == timedelta(hours=1)
    kinds = store.read("pools")["kind"].to_list()
    assert {kind: kinds.count(kind) for kind in kinds} == {"lending": 2, "staking": 2, "exchange": 2}


def test_every_answer_is_kept_as_it_came(store: Store, llama: Llama) -> None:
    gather(store, llama, defillama_pools=3)
    raw = store.read("raw_answers")
    assert raw.height == 4
    bodies = {row["request"]: whole(row) for row in raw.iter_rows(named=True)}
    assert json.loads(bodies[llama.server.url_for("/pools")]) == llama.pools
    assert raw["length"].to_list() == [len(whole(row)) for row in raw.iter_rows(named=True)]


def test_charts_of_the_same_day_are_not_fetched_again(store: Store, llama: Llama) -> None:
    gather(store, llama)
    again = gather(store, llama)
    assert (again.fetched, again.reused) == (0, 12)
    assert again.written.corrected == 0
    assert again.written.inserted == 12  # the new snapshot
    assert again.written.unchanged == 120
    assert llama.asked["/pools"] == 2
    assert {count for path, count in llama.asked.items() if path != "/pools"} == {1}


def test_interrupted_in_the_middle_nothing_is_half_stored_and_no_chart_is_fetched_twice(
    store: Store, llama: Llama
) -> None:
    def interrupt(what: str, done: int, _count: int) -> None:
        if what == "charts" and done == 5:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        collect(store, llama.settings(), interrupt, manners=QUICK)
    assert store.count("yields") == store.count("pools") == 0
    kept = store.count("raw_answers") - 1
    assert kept >= 5
    result = gather(store, llama)
    assert result.reused == kept
    assert result.fetched == 12 - kept
    assert result.panel["pool_id"].n_unique() == 12
    asked = [count for path, count in llama.asked.items() if path != "/pools"]
    assert len(asked) == 12
    # A chart under way when the interruption came was cut off before it could be kept.
    assert sum(asked) - 12 <= QUICK.at_once


def test_one_chart_that_cannot_be_had_does_not_stop_the_rest(store: Store, llama: Llama) -> None:
    llama.broken = {
        "pool-0": Response("gone", status=404),
        "pool-1": Response("asleep", status=502),
        "pool-2": Response("<html>", content_type="text/html"),
        "pool-3": Response(json.dumps({"status": "success", "data": [{"timestamp": 5, "apy": 1}]})),
        "pool-4": Response(json.dumps({"status": "error", "message": "too busy"})),
    }
    result = gather(store, llama)
    assert result.fetched == 7
    told = {failure.pool_id: failure.why for failure in result.failures}
    assert "404" in told["pool-0"]
    assert "status 502" in told["pool-1"]
    assert "text/html" in told["pool-2"]
    assert "row 1, field timestamp: found 5" in told["pool-3"]
    assert "too busy" in told["pool-4"]
    assert "aave-v3 USDC on bnb" in {failure.pool for failure in result.failures}
    assert result.panel.filter(pl.col("pool_id") == "pool-0").height == 1  # today's snapshot

    llama.broken = {}
    mended = gather(store, llama)
    assert (mended.fetched, mended.reused, mended.failures) == (5, 7, ())


def test_a_service_that_is_down_is_left_alone(store: Store, llama: Llama) -> None:
    llama.broken = {name: Response("asleep", status=500) for name in llama.charts}
    result = gather(store, llama)
    assert len(result.failures) == 12
    tried = len(llama.asked) - 1
    assert FAILURES_IN_A_ROW <= tried < 12
    assert any(failure.why.startswith("not asked for") for failure in result.failures)
    assert result.panel.height == 12  # today's snapshot, which had come


def test_a_list_of_pools_of_another_shape_stores_the_answer_and_nothing_else(
    store: Store, llama: Llama
) -> None:
    llama.pools = {"status": "success", "data": [pool(0, "lido", apy="4 %")]}
    with pytest.raises(BadData, match="row 1, field apy: found '4 %'"):
        gather(store, llama)
    assert store.count("yields") == store.count("quarantine") == 0
    assert store.count("raw_answers") == 1


def test_doubtful_rows_are_kept_apart_with_their_rule(store: Store, llama: Llama) -> None:
    llama.charts["pool-0"][3]["apy"] = None
    llama.charts["pool-1"][3]["apy"] = -500.0
    result = gather(store, llama)
    assert result.quarantined == 2
    assert sorted(store.read("quarantine")["rule"]) == ["missing_yield", "out_of_range"]


def test_history_that_the_service_edits_is_a_correction_and_the_old_figure_stays(
    store: Store, llama: Llama
) -> None:
    gather(store, llama, defillama_pools=3)
    before = datetime.now(UTC)
    llama.charts["pool-0"][2]["apy"] = 4.5
    again = collect(store, llama.settings(defillama_pools=3), again=True, manners=QUICK)
    assert (again.fetched, again.reused, again.written.corrected) == (3, 0, 1)
    where = {"pool_id": ["pool-0"]}
    assert store.read("yields", where=where)["apy"][2] == pytest.approx(0.045)
    assert store.read("yields", where=where, as_of=before)["apy"][2] == pytest.approx(0.042)


def test_a_followed_pool_that_vanishes_from_the_service_stays_in_the_panel(
    store: Store, llama: Llama
) -> None:
    gather(store, llama)
    assert isinstance(llama.pools, dict)
    llama.pools["data"] = llama.pools["data"][1:]
    result = gather(store, llama, defillama_pools=3)
    assert result.panel["pool_id"].unique().sort().to_list() == ["pool-0", "pool-1", "pool-2", "pool-3"]


def test_settings_that_nothing_fits_ask_for_no_chart(store: Store, llama: Llama) -> None:
    with pytest.raises(FixSettings):
        gather(store, llama, defillama_chains="no-such-chain")
    assert set(llama.asked) == {"/pools"}


def test_without_a_network_nothing_is_stored_and_the_alternatives_are_named(store: Store) -> None:
    settings = load_settings({}, defillama_url="http://no..host")
    with pytest.raises(TryAgain, match="--panel FILE"):
        collect(store, settings)
    assert store.count("raw_answers") == 0


def recorded_pools(folder: Path) -> Rows:
    names = {
        "protocol_slug": "project",
        "tvl_usd": "tvlUsd",
        "apy_base": "apyBase",
        "apy_reward": "apyReward",
    }
    same = ["pool", "chain", "symbol", "apy", *names]
    frames = [
        pl.read_parquet(folder / f"{file}.parquet", columns=same).rename(names)
        for file in ("defillama_pools_2025-08-31", "defillama_pools_slim_2025-10-06")
    ]
    return pl.concat(frames).unique("pool", keep="first", maintain_order=True).to_dicts()


def recorded_charts(history: pl.DataFrame) -> dict[str, Rows]:
    shaped = history.sort("timestamp").select(
        "pool",
        "apy",
        pl.col("timestamp").dt.strftime("%Y-%m-%dT00:00:00.000Z"),
        pl.col("tvl_usd").alias("tvlUsd"),
        pl.col("apy_base").alias("apyBase"),
        pl.col("apy_reward").alias("apyReward"),
        pl.lit(None).alias("il7d"),
        pl.lit(None).alias("apyBase7d"),
    )
    parts = shaped.partition_by("pool", as_dict=True, include_key=False)
    return {str(name[0]): part.to_dicts() for name, part in parts.items()}


@pytest.mark.real_data
def test_recorded_history_comes_through_the_service_unchanged(
    store: Store, httpserver: HTTPServer, data_sets: Path
) -> None:
    history = pl.read_parquet(data_sets / "open" / "defillama_pool_history.parquet")
    llama = Llama(httpserver, recorded_pools(data_sets / "open"), recorded_charts(history))
    protocols = "fluid-dex,uniswap-v2,uniswap-v3,pancakeswap-amm-v3,curve-dex"
    result = gather(
        store, llama, defillama_protocols=protocols, defillama_min_tvl_usd=3e5, defillama_pools=120
    )
    assert result.failures == ()
    stored = result.panel.filter(pl.col("ts") < datetime(2025, 9, 1, tzinfo=UTC))
    day = pl.col("ts").dt.date().alias("timestamp")
    both = stored.with_columns(day).join(
        history, left_on=["pool_id", "timestamp"], right_on=["pool", "timestamp"], how="left"
    )
    served = history.filter(pl.col("pool").is_in(result.chosen["pool_id"].to_list()))
    assert both.height + result.quarantined == served.height > 8_000
    assert (both["apy"] - both["apy_right"] / 100).abs().max() < 1e-9
    assert both["tvl_usd"].eq_missing(both["tvl_usd_right"]).all()
    assert (both["known_at"] - both["ts"]).unique().to_list() == [timedelta(hours=1)]
