"""Nodes to collect from: anvil with blocks of four transactions, and one that answers from memory."""

import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))  # so that the laboratory can be imported

from laboratory.chain import Chain, binary, listening

GWEI = 10**9
BASE_FEE = GWEI
KINDS = 4
"""Transactions in a block: one moves coins, the others carry data of growing length."""
CALL = "0xa9059cbb" + "ff" * 32
TOGETHER = 100
"""Blocks whose transactions are sent in one batch before they are mined."""
SECONDS = 12


def sent_data(kind: int) -> str:
    return "0x" if kind == 0 else CALL + "ff" * (8 * kind)


def gas_of(kind: int) -> int:
    """Gas that such a transaction uses. Source: EIP-2028, 16 for each byte that is not zero."""
    return 21_000 + 16 * (len(sent_data(kind)) // 2 - 1)


BLOCK_GAS = sum(map(gas_of, range(KINDS)))


@dataclass(frozen=True)
class Node:
    """A node that runs in a process of its own."""

    url: str
    process: int

    def busy_s(self) -> float:
        """Seconds of processor time that it has taken so far; 0 where the system does not tell."""
        told = Path(f"/proc/{self.process}/stat")
        if not told.exists():
            return 0.0
        fields = told.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def anvil(blocks: int, *, prices: int) -> Iterator[Node]:
    """An anvil with so many blocks of four transactions, of `prices` different gas prices each.

    The limit of a block is twice the gas of its four, so that the base fee stays as it is, and each asks for
    so much that no fifth fits.
    """
    with tempfile.TemporaryDirectory() as home:
        chain = started(Path(home))
        try:
            for first in range(0, blocks, TOGETHER):
                mined = range(first, min(blocks, first + TOGETHER))
                sent = (
                    message(chain.account, KINDS * n + kind, prices) for n in mined for kind in range(KINDS)
                )
                refused = [
                    one
                    for one in chain.batch("eth_sendTransaction", ([one] for one in sent))
                    if "error" in one
                ]
                if refused:
                    raise SystemExit(f"anvil refused a transaction: {refused[0]}")
                chain.rpc("anvil_mine", hex(len(mined)), hex(SECONDS))
            last = chain.rpc("eth_getBlockByNumber", hex(blocks), False)
            if chain.rpc("eth_blockNumber") != hex(blocks) or len(last["transactions"]) != KINDS:
                raise SystemExit(f"anvil did not mine {blocks} blocks of {KINDS} transactions")
            yield Node(str(chain.http.base_url), chain.process.pid)
        finally:
            chain.stop()


def started(home: Path) -> Chain:
    command = [
        str(binary()), "--host", "127.0.0.1", "--port", "0", "--no-mining", "--order", "fifo", "--hardfork",
        "cancun", "--gas-limit", str(2 * BLOCK_GAS), "--block-base-fee-per-gas", str(BASE_FEE), "--accounts",
        "1", "--balance", "1000000000", "--timestamp", "1700000000", "--no-request-size-limit",
    ]  # fmt: skip
    log = home / "anvil.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, env={**os.environ, "HOME": str(home)}, stdout=out)
    address = listening(process, log)
    chain = Chain(process, httpx.Client(base_url=f"http://{address}", timeout=600, trust_env=False))
    chain.account = chain.rpc("eth_accounts")[0]
    return chain


def message(sender: str, nonce: int, prices: int) -> dict[str, str]:
    kind = nonce % KINDS
    return {
        "from": sender,
        "to": f"0x{10**20 + 7_919 * nonce:040x}",
        "value": hex(10**15 + nonce),
        "data": sent_data(kind),
        "nonce": hex(nonce),
        "gas": hex(BLOCK_GAS + 10_000),
        "maxFeePerGas": hex(30 * GWEI),
        "maxPriorityFeePerGas": hex(GWEI * (1 + kind % prices)),
    }


TRANSACTION = (
    b'{"type":"0x2","chainId":"0x7a69","nonce":"0x%x","gas":"0x186a0","maxFeePerGas":"0x6fc23ac00",'
    b'"maxPriorityFeePerGas":"0x3b9aca00","to":"0x%040x","value":"0x38d7ea4c68000","accessList":[],'
    b'"input":"%s","r":"0x%064x","s":"0x%064x","yParity":"0x0","v":"0x0","hash":"0x%064x",'
    b'"blockHash":"0x%064x","blockNumber":"0x%x","transactionIndex":"0x%x","from":"0x%040x",'
    b'"gasPrice":"0x77359400"}'
)
BLOCK = (
    b'{"hash":"0x%064x","parentHash":"0x%064x","sha3Uncles":"0x%064x","miner":"0x%040x","stateRoot":"0x%064x",'
    b'"transactionsRoot":"0x%064x","receiptsRoot":"0x%064x","logsBloom":"0x%0512x","difficulty":"0x0",'
    b'"number":"0x%x","gasLimit":"0x%x","gasUsed":"0x%x","timestamp":"0x%x","extraData":"0x",'
    b'"mixHash":"0x%064x","nonce":"0x0000000000000000","baseFeePerGas":"0x3b9aca00","withdrawalsRoot":'
    b'"0x%064x","blobGasUsed":"0x0","excessBlobGas":"0x0","parentBeaconBlockRoot":"0x%064x","size":"0x3c8",'
    b'"uncles":[],"withdrawals":[],"transactions":[%s]}'
)
"""As anvil sends them."""


def rendered(number: int, *, whole: bool) -> bytes:
    """Block of that height as JSON: its hash is its height and one, its transactions are like anvil's."""
    if whole:
        sent = b",".join(
            TRANSACTION
            % (
                nonce, 10**20 + 7_919 * nonce, sent_data(kind).encode(), nonce, nonce, 10**30 + nonce,
                number + 1, number, kind, 10**30 + nonce % 997,
            )
            for kind in range(KINDS if number else 0)
            for nonce in (KINDS * number + kind,)
        )  # fmt: skip
    else:
        sent = b",".join(
            b'"0x%064x"' % (10**30 + KINDS * number + kind) for kind in range(KINDS if number else 0)
        )
    return BLOCK % (
        number + 1, number, number, 0, number, number, number, 0, number, 2 * BLOCK_GAS,
        BLOCK_GAS if number else 0, 1_700_000_000 + SECONDS * number, number, number, number, sent,
    )  # fmt: skip


def answer(one: dict[str, Any], blocks: int) -> bytes:
    match one["method"], one.get("params"):
        case "eth_blockNumber", _:
            found = b'"0x%x"' % blocks
        case "eth_chainId", _:
            found = b'"0x7a69"'
        case "eth_getBlockByNumber", ["finalized" | "latest" | "safe", whole]:
            found = rendered(blocks, whole=whole)
        case "eth_getBlockByNumber", [number, whole]:
            found = rendered(int(number, 16), whole=whole)
        case _:
            return (
                b'{"jsonrpc":"2.0","id":%d,"error":{"code":-32601,"message":"method not found"}}' % one["id"]
            )
    return b'{"jsonrpc":"2.0","id":%d,"result":%s}' % (one["id"], found)


async def handle(blocks: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
        except asyncio.IncompleteReadError:
            writer.close()
            return
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        asked = json.loads(await reader.readexactly(length))
        if isinstance(asked, list):
            body = b"[" + b",".join(answer(one, blocks) for one in asked) + b"]"
        else:
            body = answer(asked, blocks)
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        writer.write(body)
        await writer.drain()


def serve(blocks: int, sender: Any) -> None:
    async def main() -> None:
        server = await asyncio.start_server(partial(handle, blocks), "127.0.0.1", 0)
        sender.send(server.sockets[0].getsockname()[1])
        async with server:
            await server.serve_forever()

    asyncio.run(main())


@contextmanager
def stub(blocks: int) -> Iterator[Node]:
    """A node in a process of its own that answers from memory, as fast as it can be asked."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(blocks, sender), daemon=True)
    process.start()
    try:
        yield Node(f"http://127.0.0.1:{receiver.recv()}", process.pid or 0)
    finally:
        process.terminate()
        process.join()
