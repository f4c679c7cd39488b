"""Old snapshots give up their bodies, all but one a day, and nothing else is touched."""

from datetime import UTC, datetime, timedelta

import pytest

from defimon.core.settings import Settings
from defimon.flows import retention
from defimon.flows._raw_answers import keep_answer, kept_answers, whole
from defimon.flows.retention import drop_old_answers
from defimon.sources._http import Answer
from defimon.store.database import Store

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
POOLS = "https://yields.llama.fi/pools"


@pytest.fixture
def store(tmp_path):
    with Store(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        opened.migrate()
        yield opened


def keep(store, days_ago, hour, url=POOLS, source="defillama"):
    at = (NOW - timedelta(days=days_ago)).replace(hour=hour)
    keep_answer(store, Answer(url, f"{url} {at}".encode(), "", at), source)
    return at


def bodies(store):
    """Times whose body is there."""
    return [row["ts"] for row in store.read("raw_answers").sort("ts").to_dicts() if row["body"]]


def test_of_old_days_the_last_snapshot_stays_and_of_young_ones_all(store):
    old = [keep(store, 20, hour) for hour in (0, 9, 23)]
    edge = [keep(store, 14, hour) for hour in (0, 9)]
    young = [keep(store, 1, hour) for hour in (0, 9)]
    dropped = drop_old_answers(store, Settings(), NOW)
    assert dropped.answers == 2
    assert bodies(store) == [old[2], *edge, *young]


def test_what_was_dropped_is_told_by_its_hash_and_length(store):
    keep(store, 20, 0), keep(store, 20, 9)
    before = store.read("raw_answers").sort("ts")
    dropped = drop_old_answers(store, Settings(), NOW)
    after = store.read("raw_answers").sort("ts")
    assert after.drop("body").equals(before.drop("body"))
    assert (after["body"][0], dropped.length) == (b"", before["length"][0])
    assert whole(after.row(1, named=True))


def test_again_there_is_nothing_to_drop(store):
    keep(store, 20, 0), keep(store, 20, 9)
    drop_old_answers(store, Settings(), NOW)
    assert drop_old_answers(store, Settings(), NOW).answers == 0


def test_other_answers_and_other_services_keep_everything(store):
    keep(store, 20, 0), keep(store, 20, 9)
    for source, url in (("defillama", "https://yields.llama.fi/chart/a"), ("other", POOLS + "s")):
        keep(store, 20, 0, url, source), keep(store, 20, 9, url, source)
    assert drop_old_answers(store, Settings(), NOW).answers == 1
    assert len(bodies(store)) == 5


def test_the_setting_says_for_how_long(store):
    times = [keep(store, 3, 0), keep(store, 3, 9)]
    drop_old_answers(store, Settings(raw_keep_days=2), NOW)
    assert bodies(store) == times[1:]


def test_an_answer_without_its_body_is_not_found_again(store):
    at = keep(store, 20, 0)
    keep(store, 20, 9)
    assert POOLS in kept_answers(store, [POOLS], at)
    drop_old_answers(store, Settings(), NOW)
    store.drop_bodies(store.read("raw_answers")["sha256"].to_list(), [POOLS])
    assert kept_answers(store, [POOLS], at) == {}


@pytest.mark.parametrize("source", ["evm_rpc", "substrate_rpc", "aave", "uniswap"])
def test_of_old_answers_of_a_chains_nodes_none_keeps_its_body(store, source):
    blocks = ["https://node/*** eth_getBlockByNumber [0]", "https://node/*** eth_getBlockReceipts [0]"]
    old = [keep(store, 20, hour, url, source) for url in blocks for hour in (0, 9)]
    young = [keep(store, 14, hour, url, source) for url in blocks for hour in (3, 8)]
    dropped = drop_old_answers(store, Settings(), NOW)
    assert dropped.answers == len(old)
    assert bodies(store) == sorted(young)
    assert store.read("raw_answers").height == len(old) + len(young)


@pytest.mark.parametrize("source", ["coingecko", "defillama", "etherscan", "files", "github"])
def test_what_a_service_may_edit_is_kept_for_good(store, source):
    keep(store, 400, 0, "https://service/history", source)
    assert drop_old_answers(store, Settings(), NOW).answers == 0


def sizes(store):
    return {row["ts"]: len(row["body"]) for row in store.read("raw_answers").to_dicts() if row["body"]}


def test_over_the_room_that_is_set_the_oldest_bodies_go_those_of_chains_first(store, monkeypatch):
    monkeypatch.setattr(retention, "MEGABYTE", 1)
    coins = [keep(store, days, 0, "https://service/history", "coingecko") for days in (9, 3)]
    blocks = [keep(store, days, 1, "https://node eth_getBlockByNumber", "evm_rpc") for days in (8, 4, 1)]
    of = sizes(store)
    room = sum(of[at] for at in (*coins, blocks[2]))
    assert drop_old_answers(store, Settings(raw_keep_mb=room), NOW).answers == 2
    assert bodies(store) == sorted([*coins, blocks[2]])
    assert drop_old_answers(store, Settings(raw_keep_mb=room), NOW).answers == 0
    assert drop_old_answers(store, Settings(raw_keep_mb=of[coins[1]]), NOW).answers == 2
    assert bodies(store) == [coins[1]]
    assert store.read("raw_answers").height == 5


def test_what_has_no_body_any_more_is_not_looked_at(store):
    keep(store, 20, 0)
    told = store._open().rows(
        "EXPLAIN QUERY PLAN SELECT sha256 FROM raw_answers WHERE length(body) > 0 AND ts < 5"
    )
    assert "ix_raw_bodies" in str(told)
