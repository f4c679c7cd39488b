"""Blocks, fees, tokens, logs and heads of a real node, beside what it says of them itself."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent))  # so that the node can be imported

from anvil_nodes import GWEI, address, anvil, collected, mine_busy, reading
from laboratory.uniswap_v2 import SUPPLY, new_tokens

from defimon.core.errors import BadData, FixSettings
from defimon.core.settings import load_settings
from defimon.sources._evm_logs import METHOD
from defimon.sources._http import Http
from defimon.sources.evm_rpc import EvmRpc
from defimon.store.database import Store

BUSY = 40
FINAL_BELOW = 64
"""anvil calls the block so far below its head final: two epochs of 32."""
GENESIS = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """Busy blocks, two tokens and their transfers, and quiet blocks on top."""
    with anvil(tmp_path_factory.mktemp("anvil")) as running:
        mine_busy(running, BUSY, seed=5)
        running.rpc("anvil_setNextBlockBaseFeePerGas", "0x0")
        running.tokens = new_tokens(running, 2)
        for amount in range(1, 6):
            running.rpc("anvil_setNextBlockBaseFeePerGas", "0x0")
            sent = [token.data("transfer", "0x" + "c0" * 20, amount) for token in running.tokens]
            running.send(sent[: 1 + amount % 2])
        running.rpc("anvil_mine", hex(70), hex(12))
        yield running


@pytest.fixture(scope="module")
def said(chain):
    """Every block with its receipts, as the node tells them."""
    head = int(chain.rpc("eth_blockNumber"), 16)
    return {
        number: (
            chain.rpc("eth_getBlockByNumber", hex(number), True),
            chain.rpc("eth_getBlockReceipts", hex(number)),
        )
        for number in range(head + 1)
    }


@pytest.fixture(scope="module")
def blocks(chain, tmp_path_factory):
    """The blocks as they are collected from the genesis on."""
    with Store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}") as store:
        store.migrate()
        result = collected(store, address(chain), since=GENESIS)
        assert (result.error, result.warnings, result.gaps_open) == ("", (), 0)
        yield store.read("blocks")


def hexed(value):
    return int(value, 16)


def test_every_block_is_collected_once_with_its_names_and_time(blocks, said):
    expected = [
        (number, block["hash"], block["parentHash"], hexed(block["timestamp"]))
        for number, (block, _) in said.items()
    ]
    found = blocks.select("number", "hash", "parent_hash", blocks["ts"].dt.epoch("s")).rows()
    assert found == expected
    assert set(blocks["chain"]) == {"local"}
    assert set(blocks["source"]) == {"evm_rpc"}


def test_what_blocks_hold_is_counted_as_their_receipts_say(blocks, said):
    kinds = set()
    for row in blocks.iter_rows(named=True):
        block, receipts = said[row["number"]]
        sent = block["transactions"]
        kinds |= {one["type"] for one in sent}
        assert row["transactions"] == len(receipts)
        assert row["creations"] == sum(one["contractAddress"] is not None for one in receipts)
        assert row["calls"] == sum(one["to"] is not None and one["input"] != "0x" for one in sent)
        assert row["gas_used"] == sum(hexed(one["gasUsed"]) for one in receipts)
        assert row["gas_limit"] == hexed(block["gasLimit"])
        assert row["value"] == sum(hexed(one["value"]) for one in sent) / 10**18
        fees = sum(hexed(one["gasUsed"]) * hexed(one["effectiveGasPrice"]) for one in receipts)
        assert row["fees"] == fees / 10**18
        people = {one[side][2:18] for one in sent for side in ("from", "to") if one.get(side)}
        assert row["addresses"] == bytes.fromhex("".join(sorted(people)))
    assert kinds == {"0x0", "0x2"}
    assert blocks["creations"].sum() > 3
    assert 0 < blocks["calls"].sum() < blocks["transactions"].sum()


def test_base_fees_and_percentiles_of_tips_are_those_that_were_paid(blocks, said):
    for row in blocks.iter_rows(named=True):
        block, receipts = said[row["number"]]
        base = hexed(block["baseFeePerGas"])
        assert row["base_fee"] == base
        tips = [hexed(one["effectiveGasPrice"]) - base for one in receipts]
        for share in (10, 50, 90):
            paid = int(np.percentile(tips, share, method="inverted_cdf")) if tips else None
            assert row[f"tip_p{share}"] == paid


def test_only_finalised_blocks_are_final(blocks, said):
    final = max(said) - FINAL_BELOW
    assert blocks["status"].to_list() == ["final" if number <= final else "pending" for number in said]


def test_a_new_series_begins_at_the_last_final_block_or_at_a_time(chain, said, tmp_path):
    moment = datetime.fromtimestamp(hexed(said[33][0]["timestamp"]), UTC)
    for name, since, first in [("new", None, max(said) - FINAL_BELOW), ("since", moment, 33)]:
        with Store(f"sqlite:///{tmp_path / name}.db") as store:
            store.migrate()
            result = collected(store, address(chain), since=since)
            assert store.read("blocks")["number"].to_list() == list(range(first, max(said) + 1))
            assert result.cursor.number == max(said) - FINAL_BELOW
            assert result.cursor.detail == said[result.cursor.number][0]["hash"]


def test_the_history_of_fees_is_the_nodes_own(chain, said):
    found = reading(address(chain), lambda evm: evm.fee_history(20, BUSY))
    assert found.oldest == BUSY - 19
    assert list(found.base_fees[:-1]) == [
        hexed(said[n][0]["baseFeePerGas"]) for n in range(BUSY - 19, BUSY + 1)
    ]
    assert len(found.used_shares) == len(found.tips) == 20
    assert max(tips[2] for tips in found.tips) > GWEI


def test_balances_and_tokens_are_what_their_contracts_say(chain):
    token, other = chain.tokens
    someone = "0x" + "c0" * 20
    not_allowed = other.data("transferFrom", someone, someone, 1)

    async def ask(evm):
        with pytest.raises(BadData, match="0 bytes"):  # the token was not there yet
            await evm.token_balance(token.address, chain.account, 1)
        return (
            await evm.balance(chain.account),
            await evm.tokens([token.address, chain.account]),
            await evm.token_balance(token.address, someone),
            await evm.call_many([token.data("totalSupply"), not_allowed]),
        )

    coins, (found, nobody), held, (supply, refusal) = reading(address(chain), ask)
    assert coins == hexed(chain.rpc("eth_getBalance", chain.account, "latest"))
    assert (found.symbol, found.decimals, found.supply) == (token.call("symbol"), 18, SUPPLY)
    assert (nobody.symbol, nobody.decimals, nobody.supply) == (None, None, None)
    assert held == token.call("balanceOf", someone) == 1 + 2 + 3 + 4 + 5
    assert int.from_bytes(supply, "big") == SUPPLY
    assert isinstance(refusal, BadData)


@pytest.mark.parametrize("log_range", [1, 7, 10_000])
def test_logs_come_whole_and_in_order_whatever_range_a_node_bears(chain, said, log_range):
    (token, _), head = chain.tokens, max(said)

    async def ask(evm):
        evm.rpc.endpoints[0].log_range = log_range
        return await evm.logs(token.address, [], 0, head + 1), await evm.logs(None, [None], 0, head + 1)

    one, every = reading(address(chain), ask)
    asked = {"fromBlock": "0x0", "toBlock": hex(head)}
    for found, question in [(one, asked | {"address": token.address}), (every, asked)]:
        expected = chain.rpc(METHOD, question)
        assert [(log.number, log.log_index, log.transaction_hash, log.data) for log in found] == [
            (hexed(log["blockNumber"]), hexed(log["logIndex"]), log["transactionHash"], log["data"])
            for log in expected
        ]
    assert 0 < len(one) < len(every)


def test_logs_are_told_by_their_topics(chain, said):
    (token, _), head = chain.tokens, max(said)
    to = "0x" + "c0".rjust(24 + 2, "0") + "c0" * 19
    reader = address(chain)
    every = reading(reader, lambda evm: evm.logs(token.address, [], 0, head + 1))
    some = reading(
        reader, lambda evm: evm.logs(token.address, [None, None, [to, "0x" + "00" * 32]], 0, head + 1)
    )
    assert some == [log for log in every if len(log.topics) > 2 and log.topics[2] == to]
    assert 0 < len(some) < len(every)


def test_blocks_are_the_same_over_a_websocket(chain, blocks, tmp_path):
    with Store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        store.migrate()
        result = collected(store, address(chain, "ws"), since=GENESIS)
        assert result.error == ""
        changing = ("known_at", "ingested_at")
        assert store.read("blocks").drop(changing).equals(blocks.drop(changing))


def test_new_heads_come_over_a_websocket_and_a_reorganisation_shows(tmp_path):
    with anvil(tmp_path) as chain:
        chain.rpc("anvil_mine", hex(5), hex(12))

        async def ask(evm):
            heads = evm.new_heads()
            first = asyncio.create_task(anext(heads))
            while not first.done():  # the subscription begins at no known moment
                await asyncio.to_thread(chain.rpc, "evm_mine")
                await asyncio.wait([first], timeout=0.05)
            found = [await first]
            await asyncio.to_thread(chain.rpc, "anvil_mine", hex(3), hex(12))
            await asyncio.to_thread(chain.rpc, "anvil_reorg", 2, [])
            await asyncio.to_thread(chain.rpc, "evm_mine")
            truth = await evm.header("latest")
            while found[-1].header != truth:
                found.append(await asyncio.wait_for(anext(heads), 20))
            await heads.aclose()
            return found

        found = reading(f"{address(chain, 'ws')},{address(chain)}", ask)
        numbers = [head.header.number for head in found]
        assert numbers[:4] == list(range(numbers[0], numbers[0] + 4))
        assert not any(head.replaces or head.missed for head in found[:4])
        assert any(head.replaces for head in found[4:])


def test_heads_need_a_websocket(chain):
    async def ask(evm):
        await anext(aiter(evm.new_heads()))

    with pytest.raises(FixSettings) as caught_error:
        reading(address(chain), ask)
    assert caught_error.value.variable == "DEFIMON_RPC_LOCAL"


def test_a_chain_without_nodes_or_without_an_evm_is_a_setting_to_mend():
    async def main(rpc):
        async with Http() as http:
            return EvmRpc.opened(http, load_settings({}, rpc=rpc)).chain("astar")

    with pytest.raises(FixSettings) as missing:
        asyncio.run(main({}))
    assert missing.value.variable == "DEFIMON_RPC_ASTAR"
    with pytest.raises(FixSettings) as other:
        asyncio.run(main({"polkadot": "http://127.0.0.1:1"}))
    assert other.value.variable == "DEFIMON_RPC_POLKADOT"
