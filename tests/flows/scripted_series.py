"""Sources of series that play a script: a chain that reorganises and fails, and a panel of yields.

Run as a program it collects the scripted chain into a store and dies at the n-th place where data are
written: python scripted_series.py URL N. It prints `whole` when it comes to its end.
"""

import asyncio
import hashlib
import os
import signal
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import polars as pl

from defimon.core.errors import TryAgain
from defimon.core.tables import BLOCKS, EVENTS
from defimon.flows._store_thread import StoreThread
from defimon.flows.collection import collect_all
from defimon.sources._base import as_panel
from defimon.sources._series import Batch, Cursor, Gap, Series, SeriesSource
from defimon.store.database import Store

START = datetime(2026, 1, 1, tzinfo=UTC)
LEARNT = datetime(2026, 2, 1, tzinfo=UTC)
BLOCK_TIME = timedelta(seconds=12)
MINUTE = timedelta(minutes=1)


def block_hash(fork, number):
    return "0x" + hashlib.sha256(f"{fork} {number}".encode()).hexdigest()


class ChainScript:
    """What the chain looks like now: `forks` says from which height on which fork is the truth."""

    def __init__(self, head):
        self.head = head
        self.final = head
        self.forks = {0: "a"}
        self.missing = {}
        self.fails_at = None
        self.fails_for = set()
        self.asked = []

    def fork_of(self, number):
        return self.forks[max(start for start in self.forks if start <= number)]

    def hash_of(self, number):
        return block_hash(self.fork_of(number), number)

    def rows(self, numbers):
        return BLOCKS.rows(
            {
                "chain": "local",
                "number": number,
                "ts": START + number * BLOCK_TIME,
                "hash": self.hash_of(number),
                "parent_hash": self.hash_of(number - 1) if number else "0x",
                "status": "final" if number <= self.final else "pending",
                "transactions": number % 5,
                "gas_used": 21_000 * (number % 5),
                "known_at": LEARNT + number * BLOCK_TIME,
                "source": "scripted_chain",
                "origin": "simulated",
            }
            for number in numbers
        )

    def logs(self, numbers):
        return EVENTS.rows(
            {
                "chain": "local",
                "number": number,
                "log_index": 0,
                "ts": START + number * BLOCK_TIME,
                "block_hash": self.hash_of(number),
                "transaction_hash": f"0x{number:x}",
                "address": "0xabc",
                "known_at": LEARNT + number * BLOCK_TIME,
                "source": "scripted_chain",
                "origin": "simulated",
            }
            for number in numbers
            if number % 3 == 0
        )


class ScriptedChain(SeriesSource):
    """Blocks and logs in chunks; a reorganisation is noticed by the blocks that are known."""

    name = "scripted_chain"
    title = "A scripted chain"
    lag = timedelta(0)

    def __init__(self, script, chunk=10):
        self.script = script
        self.chunk = chunk

    @classmethod
    def opened(cls, http, settings, keep=lambda _: None):
        raise NotImplementedError

    def series(self):
        return [Series("scripted_chain:local:blocks", self.name, timedelta(seconds=12), "local")]

    async def batches(self, _series, wanted):
        script = self.script
        script.asked.append(wanted)
        first, repairs = (0 if wanted.cursor is None else wanted.cursor.number + 1), False
        known = wanted.known.get("blocks")
        if wanted.until is None and known is not None:
            other = [row for row, own in known.select("number", "hash").rows() if script.hash_of(row) != own]
            ancestor = min(other, default=first) - 1
            if ancestor < first - 1:
                first, repairs = ancestor + 1, True
        end = script.head + 1 if wanted.until is None else wanted.until
        for low in range(first, end, self.chunk):
            numbers = range(low, min(low + self.chunk, end))
            if script.fails_at in numbers or (wanted.until is not None and script.fails_for & set(numbers)):
                raise TryAgain("the node is away.")
            await asyncio.sleep(0)
            gone = [number for number in numbers if number in script.missing]
            there = [number for number in numbers if number not in script.missing]
            yield Batch(
                rows={"blocks": script.rows(there), "events": script.logs(there)},
                cursor=Cursor(numbers[-1], START + numbers[-1] * BLOCK_TIME, script.hash_of(numbers[-1])),
                repairs=repairs,
                gaps=tuple(
                    Gap(number, number + 1, "the node has pruned it", lost=script.missing[number])
                    for number in gone
                ),
                done=numbers[-1] + 1 - first,
                total=end - first,
            )
            repairs = False


class ScriptedYields(SeriesSource):
    """Yields of two pools, a day a batch; the position is the day's time."""

    name = "scripted_yields"
    title = "Scripted yields"
    lag = timedelta(0)

    def __init__(self, days, broken=()):
        self.days = days
        self.broken = broken

    @classmethod
    def opened(cls, http, settings, keep=lambda _: None):
        raise NotImplementedError

    def series(self):
        return [Series("scripted_yields:pools", self.name, timedelta(days=1))]

    async def batches(self, _series, wanted):
        for day in range(self.days):
            ts = START + timedelta(days=day)
            if wanted.cursor is not None and ts <= wanted.cursor.ts:
                continue
            await asyncio.sleep(0)
            yield Batch(
                panel=self.panel(ts, day), cursor=Cursor(micros(ts), ts), done=day + 1, total=self.days
            )

    def panel(self, ts, day):
        rows = {
            "pool_id": ["a", "b"],
            "ts": ts,
            "apy": [0.05, -40.0 if day in self.broken else 0.01 * 9 ** (day % 2)],
            "protocol": "aave-v3",
            "chain": "local",
            "symbol": ["USDC", "DAI"],
            "stablecoin": True,
            "known_at": ts + timedelta(hours=1),
            "origin": "simulated",
        }
        return as_panel(pl.DataFrame(rows), ScriptedYields, where="the script")


def micros(ts):
    return (ts - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def collected(store, *sources, since=None, every_gap=False, progress=lambda *_: None):
    """Results of every series of the sources."""

    async def run():
        async with StoreThread(store) as thread:
            wanted = [(source, series) for source in sources for series in source.series()]
            return await collect_all(thread, wanted, since=since, every_gap=every_gap, progress=progress)

    return asyncio.run(run())


class Watched(Store):
    """Calls `at_place` before and after each write and each end of a transaction."""

    def at_place(self):
        raise NotImplementedError

    def write(self, table, frame, **how):
        self.at_place()
        written = super().write(table, frame, **how)
        self.at_place()
        return written

    @contextmanager
    def transaction(self):
        with super().transaction():
            yield
            self.at_place()
        self.at_place()


class Mortal(Watched):
    """Ends the process, as kill -9 would, at its n-th place."""

    places = 0
    dies_at = -1

    def at_place(self):
        self.places += 1
        if self.places == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)


def troubled_script():
    """A chain with a pruned stretch that is back, and a reorganisation below what was read."""
    before, after = ChainScript(25), ChainScript(37)
    before.missing = {3: False, 4: False, 11: True}
    after.missing = {11: True}
    after.forks = {0: "a", 18: "b"}
    return before, after


def troubled_sources(script):
    return ScriptedChain(script), ScriptedYields(5 if script.head == 25 else 8, broken=(2, 6))


def collect_troubled(store):
    for script in troubled_script():
        collected(store, *troubled_sources(script))


if __name__ == "__main__":
    with Mortal(sys.argv[1]) as mortal:
        mortal.dies_at = int(sys.argv[2])
        collect_troubled(mortal)
    print("whole", mortal.places, flush=True)  # noqa: T201 - read by the test
