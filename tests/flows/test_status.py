"""How fresh and how sound each series is, out of a store whose rows are known."""

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from defimon.core.settings import load_settings
from defimon.core.tables import CURSORS, GAPS, JOB_RUNS, MARKET_PRICES, QUARANTINE, SOURCE_HEALTH, YIELDS
from defimon.flows._store import open_store
from defimon.flows.status import Quality, status
from defimon.flows.status_document import status_document

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NODE = "http://127.0.0.1:9/v2/abcdef0123456789abcdef0123456789"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path):
    return load_settings({}, data_dir=tmp_path, rpc={"astar": NODE}, repositories="a/b")


def provenance(source, known_at=NOW):
    return {"known_at": known_at, "source": source, "origin": "observed"}


def position(series, ts, number=None, known_at=NOW):
    number = (ts - EPOCH) // timedelta(microseconds=1) if number is None else number
    source = series.partition(":")[0]
    return {"series": series, "ts": ts, "number": number, "detail": "", **provenance(source, known_at)}


def write(settings, **tables):
    with open_store(settings) as store:
        for name, rows in tables.items():
            store.write(name, rows)


def by_name(found):
    return {one.series: one for one in found.series}


def test_what_is_configured_and_was_never_collected_is_due_now(settings):
    found = status(settings, NOW)
    blocks = by_name(found)["evm_rpc:astar:blocks"]
    assert (blocks.configured, blocks.chain, blocks.every_s) == (True, "astar", 60.0)
    assert (blocks.position, blocks.ts, blocks.age_s, blocks.flagged_share) == (None, None, None, None)
    assert blocks.next_due == NOW
    assert {"github:a/b:activity", "defillama:pools"} <= set(by_name(found))
    assert (found.health, found.quality, found.jobs) == ((), (), ())


def test_the_newest_position_its_age_and_the_next_asking_are_told(settings):
    older = position("evm_rpc:astar:blocks", NOW - HOUR, 100, NOW - HOUR)
    newer = position("evm_rpc:astar:blocks", NOW - 2 * timedelta(minutes=1), 105, NOW - timedelta(seconds=20))
    days = position("github:a/b:activity", NOW.replace(hour=0), known_at=NOW - HOUR)
    gone = position("evm_rpc:polygon:blocks", NOW - DAY, 7, NOW - DAY)
    write(settings, cursors=CURSORS.rows([older, newer, days, gone]))
    found = by_name(status(settings, NOW))
    blocks = found["evm_rpc:astar:blocks"]
    assert (blocks.position, blocks.age_s) == (105, 120.0)
    assert blocks.next_due == NOW + timedelta(seconds=40)
    assert (found["github:a/b:activity"].position, found["github:a/b:activity"].ts) == (
        None,
        NOW.replace(hour=0),
    )
    polygon = found["evm_rpc:polygon:blocks"]
    assert (polygon.configured, polygon.chain, polygon.next_due, polygon.every_s) == (
        False,
        "polygon",
        None,
        None,
    )


def test_gaps_are_counted_by_what_became_of_them(settings):
    gap = {"series": "evm_rpc:astar:blocks", "ts": NOW, "reason": "pruned", **provenance("evm_rpc")}
    rows = [
        {**gap, "start": 10, "end": 20, "status": "open"},
        {**gap, "start": 30, "end": 33, "status": "open"},
        {**gap, "start": 40, "end": 41, "status": "lost"},
        {**gap, "start": 50, "end": 60, "status": "open", "known_at": NOW - HOUR},
        {**gap, "start": 50, "end": 60, "status": "filled"},
        {**gap, "series": "github:a/b:activity", "start": 1, "end": 2, "status": "open"},
    ]
    write(settings, gaps=GAPS.rows(rows))
    blocks = by_name(status(settings, NOW))["evm_rpc:astar:blocks"]
    assert (blocks.gaps_open, blocks.gaps_filled, blocks.gaps_lost, blocks.missing) == (2, 1, 1, 13)


def test_the_flagged_share_is_of_the_last_day_that_the_source_tells_of(settings):
    last = NOW - 40 * DAY
    row = {"pool_id": "p", "apy": 0.05, **provenance("defillama", last)}
    kept = [{**row, "pool_id": f"p{n}", "ts": last - n * HOUR, "flags": "jump" if n % 4 == 0 else None}
            for n in range(20)]  # fmt: skip
    old = [{**row, "ts": last - 2 * DAY - n * HOUR, "flags": "jump"} for n in range(50)]
    other = [{**row, "ts": last - n * HOUR, "source": "aave", "flags": "jump"} for n in range(3)]
    caught = {"row_table": "yields", "ts": last, "rule": "impossible_apy", "row_json": "{}"}
    apart = [{**caught, "row_key": f"p {n}", **provenance("defillama", last)} for n in range(5)]
    write(
        settings,
        yields=YIELDS.rows([*kept, *old, *other]),
        quarantine=QUARANTINE.rows(apart),
        cursors=CURSORS.rows([position("defillama:pools", last), position("defillama:protocol:x", last)]),
    )
    found = status(settings, NOW)
    assert found.quality == (Quality("defillama", rows=20, flagged=5, quarantined=5),)
    assert by_name(found)["defillama:pools"].flagged_share == pytest.approx(10 / 25)
    assert by_name(found)["defillama:protocol:x"].flagged_share is None


def test_the_flagged_share_is_of_the_series_own_rows(tmp_path):
    main, other = "0x2f39d218133afab8f2b819b1066c7e434ad94e9e", "0x" + "ab" * 20
    pair = "0x" + "cd" * 20
    settings = load_settings(
        {}, data_dir=tmp_path, rpc={"ethereum": NODE}, coins="astar,bitcoin",
        aave_markets=f"ethereum:{main},ethereum:{other}", exchange_pools=f"ethereum:{pair}",
    )  # fmt: skip
    last, asset = NOW - HOUR, "0x" + "01" * 20
    of = {
        f"aave:ethereum:{main}": f"aave-v3:ethereum:{asset}",
        f"aave:ethereum:{other}": f"aave-v3:ethereum:{other}:{asset}",
        f"uniswap:ethereum:{pair}:state": f"uniswap-v2:ethereum:{pair}",
    }
    flagged = dict(zip(of, (1, 2, 4), strict=True))
    rows = [
        {"pool_id": pool, "apy": 0.05, "ts": last - n * HOUR, "flags": "jump" if n < flagged[name] else None,
         **provenance(name.partition(":")[0], last)}
        for name, pool in of.items()
        for n in range(8)
    ]  # fmt: skip
    caught = {"ts": last, "rule": "unreadable", "row_json": "{}"}
    apart = [
        {
            **caught,
            "row_table": "yields",
            "row_key": f"aave-v3:ethereum:{asset} 0",
            **provenance("aave", last),
        },
        {**caught, "row_table": "market_prices", "row_key": "astar", **provenance("coingecko", last)},
    ]
    price = {"asset_id": "bitcoin", "ts": last, "close_usd": 1.0, **provenance("coingecko", last)}
    write(
        settings,
        yields=YIELDS.rows(rows),
        quarantine=QUARANTINE.rows(apart),
        market_prices=MARKET_PRICES.rows([price]),
        cursors=CURSORS.rows(
            [*(position(name, last, 7) for name in of), position("coingecko:markets", last)]
        ),
    )
    found = by_name(status(settings, NOW))
    assert {name: found[name].flagged_share for name in of} == {
        f"aave:ethereum:{main}": pytest.approx(2 / 9),
        f"aave:ethereum:{other}": pytest.approx(2 / 8),
        f"uniswap:ethereum:{pair}:state": pytest.approx(4 / 8),
    }
    assert found["coingecko:markets"].flagged_share == pytest.approx(1 / 2)
    assert found[f"uniswap:ethereum:{pair}:events"].flagged_share is None


def test_a_series_that_stopped_before_the_others_of_its_source_tells_of_its_own_last_day(tmp_path):
    pools = ["0x" + "0a" * 20, "0x" + "0b" * 20]
    settings = load_settings(
        {}, data_dir=tmp_path, rpc={"ethereum": NODE},
        exchange_pools=",".join(f"ethereum:{one}" for one in pools),
    )  # fmt: skip
    ends = dict(zip(pools, (NOW - HOUR, NOW - 9 * DAY), strict=True))
    rows = [
        {"pool_id": f"uniswap-v3:ethereum:{one}", "apy": 0.05, "ts": end - n * HOUR,
         "flags": "jump" if n == 0 else None, **provenance("uniswap", end)}
        for one, end in ends.items()
        for n in range(4)
    ]  # fmt: skip
    cursors = [position(f"uniswap:ethereum:{one}:state", end, 7) for one, end in ends.items()]
    write(settings, yields=YIELDS.rows(rows), cursors=CURSORS.rows(cursors))
    found = by_name(status(settings, NOW))
    assert [found[f"uniswap:ethereum:{one}:state"].flagged_share for one in pools] == [0.25, 0.25]


def test_a_series_that_moves_only_when_there_is_something_new_is_not_overdue(tmp_path):
    folder = tmp_path / "dumps"
    folder.mkdir()
    (folder / "a.csv").write_text("pool_id,ts,apy\n")
    settings = load_settings({}, data_dir=tmp_path / "data", files=folder)
    (name,) = [one for one in by_name(status(settings, NOW)) if one.startswith("files:")]
    write(settings, cursors=CURSORS.rows([position(name, NOW - 40 * DAY, known_at=NOW - 40 * DAY)]))
    assert by_name(status(settings, NOW))[name].next_due == NOW


def test_health_is_summed_over_the_last_day_and_the_newest_state_counts(settings):
    host = {"endpoint": "node:1", "failures": 0, "state": "closed", "note": "", **provenance("http")}
    rows = [
        {**host, "ts": NOW - 3 * DAY, "calls": 1_000, "latency_s": 9.0},
        {**host, "ts": NOW - 2 * HOUR, "calls": 10, "failures": 2, "latency_s": 0.1, "note": "status 500"},
        {**host, "ts": NOW - HOUR, "calls": 3, "failures": 3, "latency_s": None, "state": "open",
         "note": "status 429"},
        {**host, "ts": NOW - HOUR / 2, "calls": 2, "latency_s": 0.3},
        {**host, "endpoint": "quiet", "ts": NOW - 9 * DAY, "calls": 4, "latency_s": 0.2},
    ]  # fmt: skip
    write(settings, source_health=SOURCE_HEALTH.rows(rows))
    node, quiet = status(settings, NOW).health
    assert (node.calls, node.failures, node.state, node.note) == (15, 5, "closed", "status 429")
    assert node.latency_s == pytest.approx((8 * 0.1 + 2 * 0.3) / 10)
    assert (quiet.calls, quiet.ts) == (4, NOW - 9 * DAY)


def test_where_a_worker_runs_its_plan_says_when_a_series_is_asked_next(settings):
    run = {"job": "chain:astar", "owner": "w1", "attempt": 1, "started_at": NOW, "lease_until": NOW,
           **provenance("worker")}  # fmt: skip
    rows = [
        {**run, "ts": NOW - 2 * HOUR, "status": "failed", "error": "away", "next_at": NOW - HOUR},
        {**run, "ts": NOW - HOUR, "status": "done", "rows": 7, "ended_at": NOW, "next_at": NOW + 5 * HOUR},
    ]
    write(settings, job_runs=JOB_RUNS.rows(rows))
    found = status(settings, NOW)
    assert [(one.job, one.slot, one.status, one.rows) for one in found.jobs] == [
        ("chain:astar", NOW - HOUR, "done", 7)
    ]
    assert by_name(found)["evm_rpc:astar:blocks"].next_due == NOW + 5 * HOUR


def test_the_document_is_plain_json_and_shows_no_key(settings):
    write(settings, cursors=CURSORS.rows([position("evm_rpc:astar:blocks", NOW, 5)]))
    told = json.dumps(status_document(status(settings, NOW)), allow_nan=False)
    document = json.loads(told)
    assert (document["format"], document["version"]) == ("defimon.status", 1)
    (blocks,) = [one for one in document["series"] if one["series"] == "evm_rpc:astar:blocks"]
    assert (blocks["position"], blocks["ts"]) == (5, "2026-03-01T12:00:00+00:00")
    assert "abcdef0123456789" not in told


def test_a_year_of_positions_is_not_read_for_the_newest(settings):
    count = 20_000
    steps = pl.int_range(count, eager=True)
    rows = pl.select(
        series=pl.format("evm_rpc:astar:blocks{}", steps % 2),
        ts=pl.lit(NOW) - pl.duration(minutes=1) * steps,
        number=steps,
        known_at=pl.lit(NOW) - pl.duration(minutes=1) * steps,
        source=pl.lit("evm_rpc"),
        origin=pl.lit("observed"),
        detail=pl.lit(""),
    )
    with open_store(settings) as store:
        store._open().ingest("cursors", CURSORS.validate(rows).with_columns(ingested_at=pl.lit(NOW)))
        assert store.names("cursors") == ["evm_rpc:astar:blocks0", "evm_rpc:astar:blocks1"]
    found = by_name(status(settings, NOW))
    assert found["evm_rpc:astar:blocks0"].position == 0
    assert found["evm_rpc:astar:blocks1"].age_s == 60.0
