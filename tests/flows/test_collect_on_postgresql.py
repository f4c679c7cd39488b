"""Collection into PostgreSQL is that into SQLite, and no name that a service sends stops either."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import polars as pl
import pytest

sys.path.append(str(Path(__file__).parent))  # so that the played services can be imported
sys.path.append(str(Path(__file__).resolve().parents[1] / "sources"))

from node_on_loopback import PlayedNode, served
from played_llama import PlayedLlama, chart, pool

from defimon.core.settings import load_settings
from defimon.flows._raw_answers import keep_once, kept_answers
from defimon.flows._store import open_store
from defimon.flows.collect_sources import collect_once
from defimon.flows.known_content import known_content
from defimon.sources._http import Answer
from defimon.sources._manners import Manners

QUICK = Manners(first_wait_s=0.01, longest_wait_s=0.05, gap_s=0.0, connect_s=30.0, attempts=3)
BEGIN = datetime.fromtimestamp(1_700_000_000, UTC)
STILL = ("blocks", "chain_aggregates", "protocol_figures")
"""Tables whose rows do not hold the time of asking."""

STRANGE = {
    "long": Random(1).randbytes(5_000).hex(),
    "null": "US\0DC",
    "half a character": "US\ud800DC",
    "control": "\x1b[2J\x07",
    "right to left": "\u202eCDSU",
}


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request, tmp_path):
    def made(**given):
        return load_settings({}, data_dir=tmp_path, **given)

    if request.param == "sqlite":
        yield made
        return
    with request.getfixturevalue("postgres_database")("template0") as url:
        yield lambda **given: made(database_url=url, **given)


@pytest.fixture
def services(httpserver):
    """A node of Astar and a DefiLlama."""
    url, _ = served(httpserver, PlayedNode(head=120, transactions=3))
    llama = PlayedLlama(httpserver)
    return llama, llama.settings(rpc={"astar": (url,)}, coins=(), coingecko_url="http://127.0.0.1:9")


def collected(settings, names=("defillama", "evm_rpc")):
    done = collect_once(settings, names, since=BEGIN, manners=QUICK)
    return {one.series: one for one in done.results}


def test_what_is_collected_is_the_same_in_both(services, settings, tmp_path):
    _, given = services
    there, beside = settings(**given), load_settings({}, data_dir=tmp_path / "beside", **given)
    for place in (there, beside):
        assert [one.error for one in collected(place).values()] == [""] * 5
    again = collected(there)
    assert [(one.error, one.gaps_open) for one in again.values()] == [("", 0)] * 5
    assert again["evm_rpc:astar:blocks"].inserted == 0
    with open_store(there) as one, open_store(beside) as other:
        assert one.count("blocks") == 121
        assert known_content(one, STILL) == known_content(other, STILL)


@pytest.mark.parametrize("name", STRANGE.values(), ids=STRANGE)
def test_a_strange_name_does_not_keep_the_other_pools_out(services, settings, name):
    llama, given = services
    for field in ("symbol", "project", "chain", "poolMeta", "pool"):
        llama.pools.append(pool(f"of-{field}", tvlUsd=9e9) | {field: name})
        llama.charts[f"of-{field}"] = chart(2)
    there = settings(**given | {"protocols": (), "rpc": {}})
    (pools, charts) = collected(there, ("defillama",)).values()
    assert (pools.error, charts.error) == ("", "")
    with open_store(there) as store:
        found = store.read("yields")["pool_id"].unique().to_list()
        assert {"pool-a", "pool-b", "of-symbol", "of-project", "of-chain", "of-poolMeta"} <= set(found)
        apart = store.read("quarantine").filter(pl.col("rule") == "unreadable")
        assert apart.height == pools.quarantined == (len(name) > 200)
        assert store.read("raw_answers")["body"].null_count() == 0


def test_a_question_of_any_length_is_kept_and_found_again(settings):
    url = "https://service/coins?ids=" + Random(2).randbytes(4_000).hex()
    now = datetime.now(UTC)
    with open_store(settings()) as store:
        keep_once(store, Answer(url, b"[]", "", now), "coingecko")
        keep_once(store, Answer(url, b"[]", "", now), "coingecko")
        assert store.count("raw_answers") == 1
        assert kept_answers(store, [url], now)[url].body == b"[]"
