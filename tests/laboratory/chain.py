"""A local EVM in a process of its own: started on a free loopback port, spoken to over JSON-RPC."""

import atexit
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from typing import Any, Self

import httpx

HERE = Path(__file__).resolve().parent

GAS = 500_000_000
"""Gas each call and transaction may use. Far above a real block's 30 million: a trade through thousands of
bitmap words must answer what the contract computes, not that the gas ran out."""

FIRST_BLOCK = 1_700_000_000
"""Time of the first block; each later block is `INTERVAL` seconds on, whatever the wall clock says."""

INTERVAL = 12

REVERTED = 3
"""JSON-RPC error code of a call that the contract reverted; running out of gas has another."""

ASSERTED = "InvalidFEOpcode"
"""What anvil says where old Solidity divides by zero or an assertion of its fails."""

MOST_IN_BATCH = 400


class Reverted(Exception):  # noqa: N818
    """The contract refused; the text is its reason."""


class ChainError(Exception):
    """The node itself could not answer: a fault of the test, never an answer of a contract."""


@dataclass
class Chain:
    """One running anvil. Blocks are mined only by `mine`, `send` and `deploy`."""

    process: subprocess.Popen[bytes]
    http: httpx.Client
    account: str = ""
    nonce: int = field(default=0)

    @classmethod
    def start(cls, home: Path, *options: str) -> Self:
        """Start anvil with `home` as its home folder, and wait until it listens; it gets `options` too."""
        command = [
            str(binary()), "--host", "127.0.0.1", "--port", "0", "--no-mining", "--order", "fifo",
            "--hardfork", "cancun", "--gas-limit", str(4 * GAS), "--block-base-fee-per-gas", "0",
            "--disable-min-priority-fee", "--accounts", "1", "--timestamp", str(FIRST_BLOCK),
            "--no-request-size-limit", "--threads", "1", *options,
        ]  # fmt: skip
        log = home / "anvil.log"  # a pipe that nobody reads on would fill up and stop the node
        with log.open("w") as out:
            process = subprocess.Popen(command, env={**os.environ, "HOME": str(home)}, stdout=out)
        address = listening(process, log)
        chain = cls(process, httpx.Client(base_url=f"http://{address}", timeout=120, trust_env=False))
        chain.account = chain.rpc("eth_accounts")[0]
        chain.rpc("anvil_setBlockTimestampInterval", INTERVAL)
        return chain

    def stop(self) -> None:
        self.http.close()
        self.process.terminate()
        self.process.wait(timeout=30)

    def rpc(self, method: str, *params: Any) -> Any:
        return result(self.post({"jsonrpc": "2.0", "id": 0, "method": method, "params": params}))

    def batch(self, method: str, many: Iterable[list[Any]]) -> list[Any]:
        """The raw answers, in the order of `many`. The node runs a batch's members side by side."""
        asked = [
            {"jsonrpc": "2.0", "id": n, "method": method, "params": params} for n, params in enumerate(many)
        ]
        answers = []
        for first in range(0, len(asked), MOST_IN_BATCH):
            answers += sorted(self.post(asked[first : first + MOST_IN_BATCH]), key=lambda one: one["id"])
        return answers

    def post(self, body: Any) -> Any:
        return self.http.post("/", json=body).raise_for_status().json()

    def call(self, to: str, data: bytes) -> bytes:
        """What the contract returns, without a transaction. Raises Reverted."""
        return bytes.fromhex(self.rpc("eth_call", self.message(to, data), "latest")[2:])

    def call_many(self, calls: Iterable[tuple[str, bytes]]) -> list[bytes | Reverted]:
        """As `call` for many; a refusal stands in its place instead of being raised."""
        answers = self.batch("eth_call", [[self.message(to, data), "latest"] for to, data in calls])
        return [outcome(answer) for answer in answers]

    def send(self, calls: Iterable[tuple[str | None, bytes]]) -> list[dict[str, Any]]:
        """Mine one block with these transactions in this order; their receipts. Raises Reverted.

        Transactions go one by one and the block is mined by itself: in a batch their order is not kept.
        """
        hashes = []
        for to, data in calls:
            message = {**self.message(to, data), "nonce": hex(self.nonce)}
            hashes.append(self.rpc("eth_sendTransaction", message))
            self.nonce += 1
        self.rpc("evm_mine")
        return [mined(self.rpc("eth_getTransactionReceipt", one)) for one in hashes]

    def send_from(self, account: str, to: str, data: bytes) -> None:
        """Mine one transaction of an account that the node has no key of. Raises Reverted."""
        self.rpc("anvil_impersonateAccount", account)
        one = self.rpc("eth_sendTransaction", {**self.message(to, data), "from": account})
        self.rpc("evm_mine")
        mined(self.rpc("eth_getTransactionReceipt", one))

    def message(self, to: str | None, data: bytes) -> dict[str, Any]:
        message = {"from": self.account, "data": "0x" + data.hex(), "gas": hex(GAS), "gasPrice": "0x0"}
        return message if to is None else {**message, "to": to}


def lasting_chain(chain_id: int) -> Chain:
    """One whose head is final, until the test process ends. FileNotFoundError without anvil."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        chain = Chain.start(Path(folder), "--slots-in-an-epoch", "0", "--chain-id", str(chain_id))
        stack.callback(chain.stop)
        atexit.register(stack.pop_all().close)
    return chain


def mined(receipt: dict[str, Any] | None) -> dict[str, Any]:
    """The receipt of a transaction that went well. Raises Reverted."""
    if receipt is None or int(receipt["status"], 16) != 1:
        raise Reverted(f"transaction failed or was not mined: {receipt}")
    return receipt


def binary() -> Path:
    """Where npm puts the program for this system; FileNotFoundError where it has not."""
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system(), platform.system())
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    path = HERE / "node_modules" / "@foundry-rs" / f"anvil-{system}-{machine}" / "bin" / "anvil"
    if not path.is_file():
        raise FileNotFoundError(path)
    return path


def listening(process: subprocess.Popen[bytes], log: Path) -> str:
    """The address that a starting node says it listens on. Raises ChainError when it ends instead."""
    while process.poll() is None:
        for line in log.read_text().splitlines(keepends=True):
            if line.startswith("Listening on ") and line.endswith("\n"):
                return line.split()[-1]
        sleep(0.02)
    raise ChainError(f"anvil ended with status {process.returncode} before it listened")


def result(answer: dict[str, Any]) -> Any:
    """The result of one JSON-RPC answer. Raises Reverted for a contract's refusal, else ChainError."""
    if "error" not in answer:
        return answer["result"]
    error = answer["error"]
    if error["code"] == REVERTED or ASSERTED in error["message"]:
        raise Reverted(error["message"])
    raise ChainError(str(error))


def outcome(answer: dict[str, Any]) -> bytes | Reverted:
    """The bytes that a call returned, or its refusal as a value."""
    try:
        return bytes.fromhex(result(answer)[2:])
    except Reverted as refusal:
        return refusal
