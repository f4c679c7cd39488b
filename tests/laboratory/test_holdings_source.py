"""Balances and supplies beside what the node and the contracts say themselves."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from laboratory.uniswap_scene import played_market

sys.path.append(str(Path(__file__).resolve().parents[1] / "sources"))  # so that the nodes can be imported

from scripted_nodes import QUICK, Refusal, ScriptedNode, SmallChain

from defimon.core.errors import FixSettings
from defimon.core.settings import load_settings
from defimon.flows._store import open_store
from defimon.flows.collect_sources import collect_sources

DAYS = 4
SUPPLY, BALANCE = "0x18160ddd", "0x70a08231"
NOBODY = "0x" + "00" * 19 + "99"


@pytest.fixture(scope="module")
def market():
    try:
        return played_market(DAYS)
    except FileNotFoundError as missing:
        pytest.skip(f"needs npm: 'npm ci --ignore-scripts' in tests/laboratory did not bring {missing}")


@pytest.fixture
def settings(tmp_path):
    def made(url, accounts, tokens):
        named = {
            "accounts": ",".join(f"local:{one}" for one in accounts),
            "tokens": ",".join(f"local:{one}" for one in tokens),
        }
        return load_settings({}, data_dir=tmp_path, rpc={"local": url}, **named)

    return made


def test_amounts_at_the_end_of_each_day_are_those_of_the_node_and_the_contracts(market, settings):
    chain, tokens = market.chain, [one.address for one in market.tokens]
    accounts = [chain.account.lower(), market.pair.address]
    first = int(chain.rpc("eth_getBlockByNumber", "0x0", False)["timestamp"], 16)
    asked = settings(market.url, accounts, [*tokens, NOBODY])
    (result,) = collect_sources(asked, ["holdings"], since=datetime.fromtimestamp(first, UTC)).results
    assert (result.error, result.gaps_open) == ("", 0)
    assert result.warnings == (f"local:{NOBODY} is no contract, or not yet.",)
    with open_store(asked) as store:
        rows = store.read("holdings")
    last = rows.filter(pl.col("number") == rows["number"].max())
    assert rows["ts"].dt.date().n_unique() >= DAYS
    assert set(last.select("token", "account").rows()) == {
        *(("coin", one) for one in accounts),
        *((token, one) for token in tokens for one in (*accounts, "all")),
    }
    for row in last.iter_rows(named=True):
        block = hex(row["number"])
        if row["token"] == "coin":
            told = chain.rpc("eth_getBalance", row["account"], block)
        else:
            sent = SUPPLY if row["account"] == "all" else f"{BALANCE}{row['account'][2:]:0>64}"
            told = chain.rpc("eth_call", {"to": row["token"], "data": sent}, block)
        assert int(row["base_units"]) == int(told, 16)
        assert row["amount"] == pytest.approx(int(told, 16) / 10**18)
        assert row["origin"] == "simulated"


def test_a_block_of_which_no_node_has_the_state_is_a_gap_that_is_filled_later(settings, httpserver):
    node = ScriptedNode(httpserver, SmallChain(60))

    def pruned(params, honest):
        raise Refusal(-32000, "missing trie node")

    node.bends.append(("eth_getBalance", pruned))
    asked = settings(node.url, [NOBODY], [])
    (result,) = collect_sources(asked, ["holdings"], manners=QUICK).results
    assert (result.error, result.gaps_open, result.inserted) == ("", 1, 0)
    node.bends.clear()
    (result,) = collect_sources(asked, ["holdings"], manners=QUICK).results
    assert (result.gaps_filled, result.gaps_open, result.inserted) == (1, 0, 1)


def test_a_chain_without_a_node_names_the_variable_to_set(settings):
    with pytest.raises(FixSettings, match="DEFIMON_RPC_LOCAL"):
        collect_sources(
            settings("http://127.0.0.1:1", [NOBODY], []).model_copy(update={"rpc": {}}), ["holdings"]
        )
