"""Logs of contracts over any stretch of blocks, in parts that each node bears, and never silently cut."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from defimon.core.errors import BadData
from defimon.core.units import LARGEST_WHOLE
from defimon.sources._endpoints import Endpoint
from defimon.sources._evm_heads import require_reached
from defimon.sources._evm_receipts import ReceiptReader
from defimon.sources._evm_words import SHOWN_CHARACTERS, block_hash, data, header, quantity
from defimon.sources._json_rpc import JsonRpc
from defimon.sources._rpc_answers import Unsound
from defimon.sources._rpc_refusals import Meaning, RpcError, meaning_of, range_hint
from defimon.sources._rpc_talk import Keep

METHOD = "eth_getLogs"

CUTS = (500, 1_024)
"""Nodes that cut off silently do so at a round number of logs: a multiple of one of these, at least 1,000."""
LEAST_CUT = 1_000

Addresses = str | Sequence[str] | None
Topics = Sequence[str | Sequence[str] | None]
T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Log:
    """One log, its place, and what it says; `topics` and `data` as the node gave them."""

    number: int
    log_index: int
    block_hash: str
    transaction_hash: str
    address: str
    topics: tuple[str, ...]
    data: str


@dataclass(frozen=True, slots=True)
class _Query:
    addresses: Addresses
    topics: Topics

    def params(self, start: int, stop: int) -> list[Any]:
        question: dict[str, Any] = {"fromBlock": hex(start), "toBlock": hex(stop - 1)}
        if self.addresses is not None:
            question["address"] = self.addresses
        if self.topics:
            question["topics"] = list(self.topics)
        return [question]

    def wants(self, found: Log) -> bool:
        given = [self.addresses] if isinstance(self.addresses, str) else self.addresses
        if given is not None and found.address not in {one.lower() for one in given}:
            return False
        return all(
            want is None or (place < len(found.topics) and _is(found.topics[place], want))
            for place, want in enumerate(self.topics)
        )


def _is(topic: str, want: str | Sequence[str]) -> bool:
    wanted = [want] if isinstance(want, str) else want
    return topic.lower() in {one.lower() for one in wanted} or not wanted


class LogReader:
    """Reads logs through `rpc`, and learns how many blocks each node bears at once."""

    def __init__(self, rpc: JsonRpc, keep: Keep = lambda _: None) -> None:
        self._rpc = rpc
        self._keep = keep
        self._receipts = ReceiptReader(rpc, keep)

    async def parts(
        self, addresses: Addresses, topics: Topics, start: int, end: int
    ) -> AsyncGenerator[tuple[int, int, list[Log]], None]:
        """Parts of blocks `start` to before `end`, in order: first block, block after the last, logs.

        Raises TryAgain, or RpcError where the question itself is refused.
        """
        query, soft = _Query(addresses, topics), end - start
        while start < end:
            part = _Part(self._rpc, self._receipts, self._keep, query, start, end, soft)
            logs = await self._rpc.somewhere(part.ask, {METHOD})
            yield start, part.stop, logs
            soft = 2 * (part.stop - start) if part.halved else max(soft, 2 * (part.stop - start))
            start = part.stop


class _Part:
    """The first blocks of a stretch, as many as a node will tell at once."""

    def __init__(
        self,
        rpc: JsonRpc,
        receipts: ReceiptReader,
        keep: Keep,
        query: _Query,
        start: int,
        end: int,
        soft: int,
    ) -> None:
        self._rpc = rpc
        self._receipts = receipts
        self._keep = keep
        self._query = query
        self._start = start
        self._end = end
        self._soft = soft
        self.stop = end
        self.halved = False

    async def ask(self, endpoint: Endpoint) -> list[Log]:
        while True:
            size = max(1, min(endpoint.log_range, self._soft, self._end - self._start))
            self.stop = self._start + size
            done: dict[int, Any] = {}
            await require_reached(self._rpc, endpoint, self.stop - 1)
            asked = [(METHOD, self._query.params(self._start, self.stop))]
            await self._rpc.talk.fill(endpoint, asked, done, self._keep)
            found = done[0]
            if isinstance(found, RpcError):
                if meaning_of(found) is not Meaning.SMALLER_RANGE:
                    raise found
                if size == 1:
                    return await self._from_receipts()
                self._learn(endpoint, found, size)
                continue
            logs = self._sound(found)
            if not _maybe_cut(len(logs)):
                return logs
            if size == 1:
                return await self._from_receipts()
            self._halve(size)

    def _learn(self, endpoint: Endpoint, refusal: RpcError, size: int) -> None:
        """A limit of blocks is the node's for hours; a limit of results is this stretch's."""
        hint = range_hint(refusal.reason)
        if hint.blocks is not None and hint.blocks < size:
            endpoint.bears_range(hint.blocks, asyncio.get_running_loop().time())
            log.info("smaller log ranges", node=endpoint.shown, blocks=hint.blocks)
        elif hint.suggested is not None and hint.suggested < size:
            self._soft = hint.suggested
            self.halved = True
        elif hint.blocks is None and _of_blocks(refusal.reason):
            endpoint.bears_range(size // 2, asyncio.get_running_loop().time())
        else:
            self._halve(size)

    def _halve(self, size: int) -> None:
        self._soft = size // 2
        self.halved = True

    def _sound(self, value: object) -> list[Log]:
        """Logs in order. Raises BadData for another shape, Unsound for what was not asked for."""
        if not isinstance(value, list):
            raise BadData(f"found {type(value).__name__}, expected a list of logs.")
        found = {(one.number, one.log_index): one for one in map(log_of, value)}
        if len(found) != len(value):
            raise Unsound("a log came twice.")
        logs = [found[place] for place in sorted(found)]
        for one in logs:
            if not self._start <= one.number < self.stop or not self._query.wants(one):
                raise Unsound(f"a log of block {one.number} came that was not asked for.")
        return logs

    async def _from_receipts(self) -> list[Log]:
        """Logs of one block that has more of them than a node tells, or suspiciously round a number."""
        asked = [hex(self._start), False]
        block = await self._rpc.call("eth_getBlockByNumber", asked, read=_with_transactions)
        receipts = (await self._receipts.of_blocks({0: block} if block["transactions"] else {})).get(0, ())
        told = [log_of(one) for receipt in receipts for one in receipt["logs"]]
        if any(one.block_hash != block["hash"] for one in told):
            raise Unsound(f"receipts of block {self._start} are of another fork.")
        return sorted(filter(self._query.wants, told), key=lambda one: one.log_index)


def _with_transactions(value: Any) -> Mapping[str, Any]:
    header(value)
    if not isinstance(value.get("transactions"), list):
        raise BadData("a block has no field transactions.")
    found: Mapping[str, Any] = value
    return found


def _maybe_cut(count: int) -> bool:
    return count >= LEAST_CUT and any(count % cut == 0 for cut in CUTS)


def _of_blocks(words: str) -> bool:
    return "range" in words.lower() and "result" not in words.lower()


def log_of(value: object) -> Log:
    """One log as the node told it. Raises BadData for another shape or a removed log."""
    if not isinstance(value, Mapping) or value.get("removed"):
        raise BadData(f"found {repr(value)[:SHOWN_CHARACTERS]}, expected a log that stands.")

    def told(name: str, read: Callable[[Any], T]) -> T:
        try:
            return read(value[name])
        except KeyError as error:
            raise BadData(f"a log has no field {name}.") from error
        except BadData as fault:
            raise BadData(f"a log's field {name}: {fault.message}") from fault

    return Log(
        told("blockNumber", quantity),
        told("logIndex", _index),
        told("blockHash", block_hash),
        told("transactionHash", block_hash),
        told("address", _text).lower(),
        told("topics", _topics),
        told("data", _data),
    )


def _index(value: object) -> int:
    found = quantity(value)
    if found > LARGEST_WHOLE:
        raise BadData(f"found {repr(value)[:SHOWN_CHARACTERS]}, expected less than 2^63.")
    return found


def _topics(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise BadData(f"found {repr(value)[:SHOWN_CHARACTERS]}, expected a list of words.")
    return tuple(map(block_hash, value))


def _data(value: object) -> str:
    data(value)
    return str(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise BadData(f"found {repr(value)[:SHOWN_CHARACTERS]}, expected a text.")
    return value
