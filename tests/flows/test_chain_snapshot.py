"""A chain at a glance against a played node, and against what is stored."""

import json
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest
from werkzeug import Response

sys.path.append(str(Path(__file__).parent))  # so that the played node can be imported

from node_on_loopback import PlayedNode, coin, served

from defimon.core.errors import BadData, FixSettings, TryAgain
from defimon.core.settings import load_settings
from defimon.core.tables import CHAIN_AGGREGATES, CONTRACTS, MARKET_PRICES
from defimon.flows._live_snapshot import FEE_BLOCKS, WINDOW_BLOCKS, paid_tips
from defimon.flows._store import open_store
from defimon.flows.chain_snapshot import chain_snapshot
from defimon.flows.chain_snapshot_document import snapshot_document
from defimon.flows.collect_sources import collect_sources
from defimon.sources._evm_chain import FeeHistory
from defimon.sources._manners import Manners

QUICK = Manners(
    first_wait_s=0.01, longest_wait_s=0.02, attempts=2, gap_s=0.0, connect_s=30.0, read_s=2.0, whole_s=3.0
)
NOWHERE = "http://127.0.0.1:9"
NOW = datetime.now(UTC)


@pytest.fixture
def settings(tmp_path, httpserver):
    """Settings with a CoinGecko on loopback, and nodes at the given addresses."""

    def made(*nodes, chain="astar", **given):
        rpc = {chain: ",".join(nodes)} if nodes else {}
        return load_settings({}, data_dir=tmp_path, rpc=rpc, coingecko_url=httpserver.url_for(""), **given)

    httpserver.expect_request("/coins/markets").respond_with_json([coin()])
    return made


def window_of(node):
    numbers = range(node.head - WINDOW_BLOCKS + 1, node.head + 1)
    return numbers, [deal for number in numbers for deal in node.deals(number)]


def test_figures_are_those_counted_by_hand_over_the_window(settings, httpserver):
    url, node = served(httpserver, PlayedNode(transactions=30))
    told = chain_snapshot(settings(url), "astar", manners=QUICK)
    numbers, deals = window_of(node)
    window = told.window
    assert (told.live, window.first, window.last, told.final) == (True, numbers[0], node.head, node.head - 64)
    assert window.transactions == len(deals) == WINDOW_BLOCKS * 30
    assert window.seconds == 12 * (WINDOW_BLOCKS - 1)
    assert window.block_time_s == 12.0
    assert window.per_second == pytest.approx(30 / 12)
    assert window.creations == sum(one["to"] is None for one, _ in deals)
    calls = [one for one, _ in deals if one["to"] is not None and len(one["input"]) > 2]
    assert (window.calls, window.events) == (len(calls), sum(len(one["input"]) > 2 for one, _ in deals))
    people = {one["from"] for one, _ in deals} | {one["to"] for one, _ in deals} - {None}
    assert window.addresses == len(people)
    assert window.value_coins == pytest.approx(sum(int(one["value"], 16) for one, _ in deals) / 1e18)
    paid = sum(gas * int(one["gasPrice"], 16) for one, gas in deals)
    assert window.fees_coins == pytest.approx(paid / 1e18)
    assert window.gas_used == sum(gas for _, gas in deals)
    assert window.utilisation == pytest.approx(window.gas_used / (WINDOW_BLOCKS * 30_000_000))


def test_the_contracts_that_used_most_gas_come_first_with_their_share_and_symbol(settings, httpserver):
    url, node = served(httpserver, PlayedNode(transactions=30))
    told = chain_snapshot(settings(url), "astar", manners=QUICK)
    gas, calls = Counter(), Counter()
    for one, used in window_of(node)[1]:
        if one["to"] is not None and len(one["input"]) > 2:
            gas[one["to"]] += used
            calls[one["to"]] += 1
    expected = [(address, f"C{node.contracts.index(address)}", calls[address], used)
                for address, used in gas.most_common(5)]  # fmt: skip
    assert [(one.address, one.name, one.calls, one.gas) for one in told.contracts] == expected
    assert told.contracts[0].share == pytest.approx(expected[0][3] / told.window.gas_used)


def test_a_name_that_an_explorer_told_is_taken_without_asking(settings, httpserver):
    url, node = served(httpserver, PlayedNode(transactions=30, contracts=3))
    row = {"chain": "astar", "address": node.contracts[0], "ts": NOW, "name": "Router", "known_at": NOW,
           "source": "etherscan", "origin": "observed"}  # fmt: skip
    with open_store(settings(url)) as store:
        store.write("contracts", CONTRACTS.rows([row]))
    told = chain_snapshot(settings(url), "astar", manners=QUICK)
    assert {one.name for one in told.contracts} == {"Router", "C1", "C2"}
    assert node.asked.count("eth_call") == 2


def test_fees_and_supply_are_told(settings, httpserver):
    url, node = served(httpserver)
    told = chain_snapshot(settings(url), "astar", manners=QUICK)
    base = [node.base_fee(number) for number in range(node.head - FEE_BLOCKS + 1, node.head + 1)]
    assert (told.fees.blocks, told.fees.base_fee) == (FEE_BLOCKS, base[-1])
    assert (told.fees.base_fee_lowest, told.fees.base_fee_highest) == (min(base), max(base))
    assert told.fees.base_fee_next == node.base_fee(node.head + 1)
    assert (told.fees.tip_p10, told.fees.tip_p50, told.fees.tip_p90) == (2 * 10**8, 10**9, 18 * 10**8)
    assert told.fees.transfer_coins == pytest.approx(21_000 * (told.fees.base_fee_next + 10**9) / 1e18)
    assert (told.coin.circulating, told.coin.total, told.coin.price_usd) == (8e9, 8.5e9, 0.05)
    assert told.notes == ()


class NodeWithoutTag(PlayedNode):
    def _one(self, call):
        if call["params"][:1] != ["finalized"]:
            return super()._one(call)
        self.asked.append(call["method"])
        return {"jsonrpc": "2.0", "id": call["id"], "error": {"code": -32602, "message": "invalid tag"}}


@pytest.mark.parametrize("node", [PlayedNode, NodeWithoutTag])
@pytest.mark.parametrize(("nodes", "blocks"), [(1, 12), (2, 12), (3, 11), (4, 10), (8, 4), (12, 4)])
def test_a_snapshot_is_made_of_at_most_forty_calls_however_many_nodes_there_are(
    settings, httpserver, node, nodes, blocks
):
    served_nodes = [served(httpserver, node(), path=f"/node{place}") for place in range(nodes)]
    told = chain_snapshot(settings(*(url for url, _ in served_nodes)), "astar", manners=QUICK)
    members = sum(len(node.asked) for _, node in served_nodes)
    assert (told.cost.members, told.cost.requests + told.cost.others) == (members, len(httpserver.log))
    assert members + told.cost.others <= 40
    assert (told.live, told.window.blocks) == (True, blocks)


def test_without_receipts_by_block_calls_are_told_and_gas_is_not(settings, httpserver):
    url, _ = served(httpserver, PlayedNode(transactions=30, lacks=["eth_getBlockReceipts"]))
    told = chain_snapshot(settings(url), "astar", manners=QUICK)
    assert told.contracts
    assert all(one.gas is None and one.share is None for one in told.contracts)
    assert [one.calls for one in told.contracts] == sorted(
        (one.calls for one in told.contracts), reverse=True
    )
    assert told.window.fees_coins is None
    assert told.window.events is None
    assert any("no receipts" in note for note in told.notes)


def test_what_a_node_cannot_tell_is_noted_and_the_rest_is_told(settings, httpserver):
    url, _ = served(httpserver, PlayedNode(transactions=5, lacks=["eth_feeHistory", "eth_call"]))
    told = chain_snapshot(settings(url), "astar", manners=QUICK)
    assert told.fees is None
    assert told.window.transactions == 60
    assert all(one.name == "" for one in told.contracts)
    assert any("Prices of gas" in note for note in told.notes)


def test_a_young_chain_and_empty_blocks_are_no_trouble(settings, httpserver):
    url, _ = served(httpserver, PlayedNode(head=0, transactions=0, chain_id=31337))
    told = chain_snapshot(settings(url, chain="local"), "local", manners=QUICK)
    assert (told.window.blocks, told.window.transactions, told.window.addresses) == (1, 0, 0)
    assert (told.window.per_second, told.window.block_time_s, told.contracts) == (None, None, ())
    assert told.coin is None
    json.dumps(snapshot_document(told), allow_nan=False)


def test_a_hostile_symbol_is_cut_and_a_price_that_fails_is_noted(settings, httpserver):
    node = PlayedNode(transactions=5, contracts=1)
    long = ("\x1b[2J[red]" * 50).encode()
    words = (32).to_bytes(32) + len(long).to_bytes(32) + long.ljust(512, b"\0")
    node.symbol = lambda _: "0x" + words.hex()
    httpserver.clear_all_handlers()
    httpserver.expect_request("/coins/markets").respond_with_data("no", status=500)
    url, _ = served(httpserver, node)
    told = chain_snapshot(settings(url), "astar", manners=QUICK)
    assert len(told.contracts[0].name) == 32
    assert told.coin is None
    assert any("supply cannot be had" in note for note in told.notes)


def test_a_coin_that_has_no_price_is_noted(settings, httpserver):
    httpserver.clear_all_handlers()
    httpserver.expect_request("/coins/markets").respond_with_json([coin(current_price=None)])
    url, _ = served(httpserver, PlayedNode(transactions=5))
    told = chain_snapshot(settings(url), "astar", manners=QUICK)
    assert told.coin is None
    assert "CoinGecko tells no price of astar." in told.notes


@pytest.mark.parametrize("answer", [{"result": []}, [], {"id": 1, "result": "0x"}, "no json"])
def test_a_node_that_answers_nonsense_is_an_error_that_says_so(settings, httpserver, answer):
    body = answer if isinstance(answer, str) else json.dumps(answer)
    httpserver.expect_request("/node").respond_with_handler(
        lambda _: Response(body, content_type="application/json")
    )
    with pytest.raises((BadData, TryAgain)):
        chain_snapshot(settings(httpserver.url_for("/node")), "astar", manners=QUICK)


def test_a_stored_price_that_is_fresh_is_told_without_asking(settings, httpserver):
    url, _ = served(httpserver, PlayedNode(transactions=1))
    row = {"asset_id": "astar", "ts": NOW - timedelta(minutes=30), "close_usd": 0.07, "total_supply": 9e9,
           "circulating_supply": 8e9, "market_cap_usd": 5.6e8, "known_at": NOW, "source": "coingecko",
           "origin": "observed"}  # fmt: skip
    hourly = {**row, "ts": NOW - timedelta(minutes=10), "close_usd": 0.08, "circulating_supply": None}
    with open_store(settings(url)) as store:
        store.write("market_prices", MARKET_PRICES.rows([row, hourly]))
    told = chain_snapshot(settings(url), "astar", manners=QUICK)
    assert (told.coin.circulating, told.coin.price_usd, told.cost.others) == (8e9, 0.08, 0)


@pytest.fixture
def collected(settings, httpserver):
    """Settings without a node, whose store holds some blocks of a played chain; and the node."""
    url, node = served(httpserver, PlayedNode(head=300, transactions=4))
    begin = datetime.fromtimestamp(1_700_000_000 + 12 * 200, UTC)
    (done,) = collect_sources(settings(url), ["evm_rpc"], since=begin, manners=QUICK).results
    assert done.error == ""
    return settings, node


def test_tips_of_blocks_without_transactions_count_for_nothing():
    history = FeeHistory(7, (9, 9, 9, 9, 10), (0.0, 0.5, 0.0, 0.0), ((0,) * 3, (1, 2, 3), (0,) * 3, (0,) * 3))
    assert paid_tips(history) == [1, 2, 3]
    assert paid_tips(FeeHistory(7, (9, 9), (0.0,), ((0, 0, 0),))) == [None, None, None]


def test_without_a_node_stored_blocks_are_told_and_that_is_said(collected):
    settings, node = collected
    hour = NOW.replace(minute=0, second=0, microsecond=0)
    row = {"chain": "astar", "metric": "transactions", "interval_s": 3600, "value": 1200.0, "ts": hour,
           "known_at": NOW, "source": "evm_rpc", "origin": "derived"}  # fmt: skip
    with open_store(settings()) as store:
        store.write("chain_aggregates", CHAIN_AGGREGATES.rows([row]))
    told = chain_snapshot(settings(), "astar", manners=QUICK)
    assert (told.live, told.cost.requests, told.contracts) == (False, 0, ())
    assert (told.window.first, told.window.last, told.final) == (200, 300, 236)
    assert told.window.transactions == 101 * 4
    assert told.fees.base_fee == node.base_fee(300)
    tips = []
    for number in range(200, 301):
        prices = sorted(int(one["gasPrice"], 16) - node.base_fee(number) for one, _ in node.deals(number))
        tips.append(prices[1])
    assert told.fees.tip_p50 == median(tips)
    assert [(one.metric, one.value) for one in told.hour] == [("transactions", 1200.0)]
    assert "DEFIMON_RPC_ASTAR" in told.notes[0]


def test_when_no_node_answers_stored_blocks_are_told_with_the_reason(collected):
    settings, _ = collected
    told = chain_snapshot(settings(NOWHERE), "astar", manners=QUICK)
    assert not told.live
    assert "No node answers" in told.notes[0]


def test_when_all_nodes_refuse_stored_blocks_are_told_with_the_reason(collected, httpserver):
    settings, _ = collected
    httpserver.expect_request("/expired").respond_with_data("no", 401)
    told = chain_snapshot(settings(httpserver.url_for("/expired")), "astar", manners=QUICK)
    assert (told.live, told.window.last) == (False, 300)
    assert "No node can be used" in told.notes[0]
    assert "401" in told.notes[0]


def test_without_node_and_store_the_variable_to_set_is_named(settings):
    with pytest.raises(FixSettings, match="DEFIMON_RPC_ASTAR") as refused:
        chain_snapshot(settings(), "Astar", manners=QUICK)
    assert refused.value.variable == "DEFIMON_RPC_ASTAR"
    with pytest.raises(FixSettings, match="Did you mean astar"):
        chain_snapshot(settings(), "astr", manners=QUICK)
    with pytest.raises(TryAgain, match="cannot be reached"):
        chain_snapshot(settings(NOWHERE), "astar", manners=QUICK)
