"""Configured sources collected once, and followed, against services on loopback."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

sys.path.append(str(Path(__file__).parent))  # so that the played node can be imported

from node_on_loopback import PlayedNode, coin, served
from scripted_series import ScriptedYields

from defimon.core.errors import FixSettings
from defimon.core.settings import load_settings
from defimon.flows._store import open_store
from defimon.flows._store_thread import StoreThread
from defimon.flows.collect_sources import collect_once, collect_sources, list_series, series_sources
from defimon.flows.collection_summary import collection_summary, write_summary
from defimon.flows.follow_sources import Followed, _Run, follow_sources
from defimon.flows.known_content import known_content
from defimon.sources._http import Http
from defimon.sources._manners import Manners

QUICK = Manners(
    first_wait_s=0.01, longest_wait_s=0.02, attempts=2, gap_s=0.0, connect_s=30.0, read_s=2.0, whole_s=3.0
)
NOWHERE = "http://127.0.0.1:9"
GENESIS = datetime.fromtimestamp(1_700_000_000, UTC)
HEAD = 700
BEGIN = GENESIS + 12 * 100 * timedelta(seconds=1)
LATE = GENESIS + 12 * 620 * timedelta(seconds=1)


@pytest.fixture
def settings(tmp_path, httpserver):
    """Settings with a played node of Astar, whose blocks of four transactions are twelve seconds apart."""
    url, node = served(httpserver, PlayedNode(head=HEAD, transactions=4))

    def made(name="store", **given):
        given = {"rpc": {"astar": url}, "coingecko_url": httpserver.url_for("")} | given
        return load_settings({}, data_dir=tmp_path / name, defillama_url=NOWHERE, **given)

    made.node = node
    return made


def test_series_that_the_settings_ask_for_are_listed_without_asking_anyone(settings, httpserver):
    names = {one.name for one in list_series(settings(repositories="a/b", protocols="aave-v3"))}
    assert {"evm_rpc:astar:blocks", "coingecko:markets", "github:a/b:activity", "defillama:pools"} <= names
    assert [one.name for one in list_series(settings(), ["evm_rpc"])] == ["evm_rpc:astar:blocks"]
    assert {one.chain for one in list_series(settings(), chains=["Astar"])} == {"astar"}
    assert httpserver.log == []


def test_every_source_says_which_variable_configures_it():
    known = load_settings({}).model_dump()
    for name, member in series_sources().items():
        if name == "defillama":
            continue
        assert member.configured_by, name
        for variable in member.configured_by:
            field = variable.removeprefix("DEFIMON_").lower().removesuffix("_<chain>")
            assert field in known, variable


def test_a_series_that_fails_is_told_and_the_others_are_stored(settings):
    both = settings(rpc={"astar": settings().rpc["astar"][0].get_secret_value(), "local": NOWHERE})
    done = collect_sources(both, ["evm_rpc"], since=BEGIN, manners=QUICK)
    astar, local = done.results
    assert (astar.series, astar.error, astar.inserted) == ("evm_rpc:astar:blocks", "", HEAD - 99)
    assert astar.cursor.number == HEAD - 64
    assert local.inserted == 0
    assert "cannot be reached" in local.error
    again = collect_sources(both, ["evm_rpc"], since=BEGIN, manners=QUICK).results[0]
    assert (again.inserted, again.corrected) == (0, 0)


def test_health_of_the_hosts_is_stored_with_the_calls_that_were_made(settings, httpserver):
    both = settings(rpc={"astar": settings().rpc["astar"][0].get_secret_value(), "local": NOWHERE})
    done = collect_sources(both, ["evm_rpc"], since=BEGIN, manners=QUICK)
    with open_store(both) as store:
        rows = {row["endpoint"]: row for row in store.read("source_health").iter_rows(named=True)}
    assert rows[httpserver.url_for("")[7:].rstrip("/")]["calls"] == len(httpserver.log)
    assert rows[httpserver.url_for("")[7:].rstrip("/")]["failures"] == 0
    assert rows["127.0.0.1:9"]["failures"] == rows["127.0.0.1:9"]["calls"] > 0
    assert done.health.height == len(rows)


def test_after_collecting_once_the_aggregates_of_chains_are_up_to_date(settings):
    done = collect_once(settings(), ["evm_rpc"], ["astar"], since=BEGIN, manners=QUICK)
    hours = [one for one in done.aggregated if one.written.inserted]
    assert [(one.chain, one.source) for one in hours] == [("astar", "evm_rpc")]
    with open_store(settings()) as store:
        rows = store.read("chain_aggregates", where={"metric": ["transactions"]})
    assert 4 * 300 in rows["value"].to_list()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("evm-rpc", "Did you mean evm_rpc"),
        ("coingeko", "Did you mean coingecko"),
        ("\x1b[2J" * 100, "Known: aave"),
        ("", "Known: aave"),
        ("lido_daily", "defimon import"),
    ],
)
def test_a_name_that_is_no_source_is_refused_with_near_ones(settings, name, hint):
    with pytest.raises(FixSettings, match=hint):
        collect_once(settings(), [name])


def test_where_nothing_is_configured_the_variables_to_set_are_named(settings, httpserver):
    bare = settings(rpc={})
    with pytest.raises(FixSettings, match="DEFIMON_RPC_ASTAR for evm_rpc") as refused:
        collect_once(bare, chains=["astar"])
    assert "of astar" in str(refused.value)
    with pytest.raises(FixSettings, match="Set DEFIMON_REPOSITORIES for github") as refused:
        collect_once(bare, ["github"])
    assert refused.value.variable == "DEFIMON_REPOSITORIES"
    with pytest.raises(FixSettings, match="Did you mean astar"):
        collect_once(bare, chains=["astr"])
    assert httpserver.log == []


def test_a_service_that_is_asked_once_a_pace_is_followed_until_interrupted(settings):
    quick = settings().model_copy(update={"chains_every_s": 0.01})
    followed, told = Followed(), []

    def tell(result, next_at):
        told.append((result, next_at))
        settings.node.head += 2
        if len(told) == 5:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        follow_sources(
            quick, ["evm_rpc"], since=LATE, told=tell, followed=followed, manners=QUICK, account_s=0.02
        )
    whole = followed.results["evm_rpc:astar:blocks"]
    assert whole.inserted == sum(result.inserted for result, _ in told) == HEAD - 619 + 2 * 4
    assert whole.cursor == told[-1][0].cursor
    assert followed.health["calls"].sum() > 5
    with open_store(quick) as store:
        assert store.read("source_health")["calls"].sum() == followed.health["calls"].sum()
        stored = known_content(store, ["blocks"])
    afresh = settings("afresh")
    settings.node.head = HEAD + 2 * 4
    collect_sources(afresh, ["evm_rpc"], since=LATE, manners=QUICK)
    with open_store(afresh) as store:
        assert known_content(store, ["blocks"]) == stored


def test_aggregates_are_brought_up_to_date_while_a_chain_is_followed(settings):
    quick = settings().model_copy(update={"chains_every_s": 0.05})
    followed = Followed()

    def tell(*_):
        if followed.aggregated:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        follow_sources(
            quick, ["evm_rpc"], since=BEGIN, told=tell, followed=followed, manners=QUICK, account_s=0.01
        )
    assert followed.aggregated["astar", "evm_rpc"].until is not None


def test_a_source_that_fails_is_asked_again_and_what_comes_then_is_stored(settings):
    url = settings().rpc["astar"][0].get_secret_value()
    quick = settings().model_copy(update={"chains_every_s": 0.01})
    node, told = settings.node, []
    node.lacks = ["eth_blockNumber", "eth_getBlockByNumber"]

    def tell(result, _):
        told.append(result)
        node.lacks = []
        if len(told) == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        follow_sources(quick, ["evm_rpc"], since=LATE, told=tell, manners=QUICK)
    assert told[0].error
    assert url.partition("//")[2].partition("/")[0] in told[0].error
    assert (told[1].error, told[1].inserted) == ("", HEAD - 619)


class Quick(ScriptedYields):
    def series(self):
        return [replace(one, every=timedelta(seconds=0.02)) for one in super().series()]


class Mistaken(Quick):
    def series(self):
        return [replace(one, name="scripted_yields:mistaken") for one in super().series()]

    async def batches(self, _series, _wanted):
        yield {}["no such key"]


def test_a_mistake_in_one_source_is_told_at_once_and_raised_when_the_others_are_done(settings):
    """Neither ends the other: each is asked again and again until the time is over."""
    told, followed = [], Followed()
    wanted = [(source, series) for source in (Mistaken(1), Quick(20)) for series in source.series()]

    def tell(result, _):
        told.append(result.series)

    async def run(store):
        async with Http(QUICK) as http, StoreThread(store) as thread:
            until = asyncio.get_running_loop().time() + 1.0
            await _Run(http, thread, (), None, lambda *_: None, tell, followed, until).all_of(wanted)

    with open_store(settings()) as store, capture_logs() as lines:
        with pytest.raises(KeyError):
            asyncio.run(run(store))
        assert store.count("yields") == 40
    whole, mistaken = followed.results["scripted_yields:pools"], followed.results["scripted_yields:mistaken"]
    assert (whole.inserted, whole.error) == (40, "")
    assert mistaken.error == "a mistake in the code: KeyError; the log tells more"
    assert set(told[2:]) == {whole.series, mistaken.series}
    logged = [line for line in lines if line["event"] == "a mistake in the code"]
    assert {(line["series"], line["log_level"]) for line in logged} == {(mistaken.series, "error")}


def test_following_nothing_is_refused_like_collecting_nothing(settings):
    with pytest.raises(FixSettings, match="DEFIMON_REPOSITORIES"):
        follow_sources(settings(), ["github"])


def test_the_summary_tells_what_was_done_and_the_chains_newest_figures(settings, httpserver, tmp_path):
    httpserver.expect_request("/coins/markets").respond_with_json([coin()])
    began = datetime.now(UTC)
    done = collect_once(settings(), ["evm_rpc"], since=BEGIN, manners=QUICK)
    summary = collection_summary(settings(), done.results, done.health, began=began)
    assert (summary["format"], summary["version"]) == ("defimon.collection", 1)
    assert summary["totals"]["inserted"] == HEAD - 99
    assert summary["totals"] | {"failed": 0, "series": 1} == summary["totals"]
    (series,) = summary["series"]
    assert series["position"] == {"number": HEAD - 64, "ts": "2023-11-15T00:20:32+00:00"}
    assert list(summary["chains"]) == ["astar"]
    assert datetime.fromisoformat(summary["began_at"]) == began
    path = tmp_path / "summary.json"
    path.write_text("older")
    write_summary(summary, path)
    assert json.loads(path.read_text()) == summary
    assert [one.name for one in tmp_path.iterdir() if "partial" in one.name] == []


def test_a_summary_that_cannot_be_written_leaves_the_older_one(tmp_path):
    path = tmp_path / "summary.json"
    path.write_text("older")
    with pytest.raises(ValueError, match="JSON compliant"):
        write_summary({"value": float("nan")}, path)
    assert path.read_text() == "older"
