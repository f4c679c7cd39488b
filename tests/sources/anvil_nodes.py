"""Anvil as a node to collect from: busy blocks of every kind, drawn by a seed."""

import asyncio
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1]))  # so that the laboratory can be imported

from laboratory.chain import Chain, binary
from pydantic import SecretStr

from defimon.core.chains import CHAINS
from defimon.core.settings import load_settings
from defimon.flows._store_thread import StoreThread
from defimon.flows.collection import collect_all
from defimon.sources._evm_chain import EvmChain
from defimon.sources._http import Http
from defimon.sources._manners import Manners
from defimon.sources.evm_rpc import EvmRpc

QUICK = Manners(first_wait_s=0.01, longest_wait_s=0.05, gap_s=0.0, connect_s=30.0, attempts=3)
GWEI = 10**9
GENESIS = datetime(2020, 1, 1, tzinfo=UTC)
"""Before the first block of any chain that is played."""


@contextmanager
def anvil(folder):
    """A node of the local chain; a test that asks for it skips where npm has not installed one."""
    try:
        binary()
    except FileNotFoundError as missing:
        pytest.skip(f"needs npm: 'npm ci --ignore-scripts' in tests/laboratory did not bring {missing}")
    chain = Chain.start(folder)
    try:
        yield chain
    finally:
        chain.stop()


def address(chain, scheme="http"):
    return str(chain.http.base_url).replace("http", scheme, 1).rstrip("/")


def mine_busy(chain, blocks, seed):
    """Mine blocks of 0 to 6 transactions: coins moved, calls, contracts made, in every dialect of fees."""
    draw = Random(seed)
    nonce = int(chain.rpc("eth_getTransactionCount", chain.account, "latest"), 16)
    for _ in range(blocks):
        chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(draw.randrange(1, 30 * GWEI)))
        for _ in range(draw.choice([0, 1, 1, 2, 4, 6])):
            chain.rpc("eth_sendTransaction", drawn(draw, chain.account, nonce))
            nonce += 1
        chain.rpc("evm_mine")
    chain.nonce = nonce


def drawn(draw, sender, nonce):
    made = {"from": sender, "nonce": hex(nonce), "value": hex(draw.randrange(10**15)), "gas": hex(200_000)}
    kind = draw.choice(["coins", "call", "creation"])
    if kind != "creation":
        made["to"] = f"0x{draw.randrange(2**160 - 2**64, 2**160):040x}"
    if kind != "coins":
        made["data"] = "0x00" if kind == "creation" else "0xa9059cbb" + draw.randbytes(64).hex()
    if draw.random() < 0.4:
        return made | {"gasPrice": hex(draw.randrange(31 * GWEI, 60 * GWEI))}
    return made | {
        "maxFeePerGas": hex(draw.randrange(40 * GWEI, 80 * GWEI)),
        "maxPriorityFeePerGas": hex(draw.randrange(20 * GWEI)),
    }


def collected(store, *urls, since=None, manners=QUICK):
    """Results of collecting the local chain from these nodes into the store."""

    async def main():
        async with Http(manners) as http, StoreThread(store) as thread:
            settings = load_settings({}, rpc={"local": ",".join(urls)})
            source = EvmRpc.opened(http, settings)
            pairs = [(source, one) for one in source.series()]
            return await collect_all(thread, pairs, since=since)

    (result,) = asyncio.run(main())
    return result


def reading(url, ask, manners=QUICK):
    """What `ask` gives for a reader of the local chain."""

    async def main():
        async with Http(manners) as http:
            evm = EvmChain(http, [SecretStr(one) for one in url.split(",")], CHAINS["local"])
            try:
                return await ask(evm)
            finally:
                await evm.close()

    return asyncio.run(main())
