"""Mutate pool states and recordings for minutes: only documented errors may come out.

`scripts/bench fuzz-amm [--seconds N] [--seed N]`; `--replay FILE` runs one input again. Inputs start from the
examples of docs/pools.md, cut-down recordings of tests/golden and small files of the mainnet formats. An
input whose fate is new (kind of error, its words without the figures, the line that raised it) joins the
inputs that are mutated further. What is accepted is written and read again, and traded both ways.
"""

import argparse
import hashlib
import json
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import islice, permutations
from pathlib import Path
from typing import Any

from _mutation import mutate
from numpy.random import Generator, default_rng

from defimon.amm.pools._base import Pool, Quote
from defimon.amm.pools._errors import BadState, LeavesState, Refused
from defimon.amm.state.document import State, read_state, write_state
from defimon.amm.state.recorded import read_pools, read_recording
from defimon.amm.state.replay import replay
from defimon.amm.state.text import parse
from defimon.core.errors import BadData

ROOT = Path(__file__).resolve().parents[1]
MOST_SECONDS_AN_INPUT = 5.0
MOST_MEMORY = 4 << 30
BAD_ON_THE_WAY = ("concentrated",)
"""Documented: sums of ticks recorded in part show only on the way."""


class TooSlow(BaseException):
    """Not an Exception, so that nothing on the way takes it for an answer."""


@dataclass
class Result:
    tried: int = 0
    accepted: int = 0
    traded: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    crashes: dict[str, bytes] = field(default_factory=dict)
    """Traceback and input of the first crash of each kind."""
    corpus: int = 0


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raises TooSlow after so many seconds of processor time."""

    def stop(*_: object) -> None:
        raise TooSlow(f"more than {seconds:g} s of processor time")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def seeds() -> list[Any]:
    """Small valid inputs of every format."""
    page = (ROOT / "docs" / "pools.md").read_text()
    found = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]
    for path in sorted((ROOT / "tests" / "golden").glob("*.json")):
        document = json.loads(path.read_text())
        if len(path.read_text()) < 91_000:
            found.append(cut(document))
    tokens = [{"address": f"0x{n}", "symbol": f"T{n}", "decimals": 18 - 10 * n} for n in range(2)]
    shared = {"chain_id": 1, "block": 7}
    weighted = {"balances": [10**21, 10**12], "fee": "3/1000", "weights": [8 * 10**17, 2 * 10**17]}
    found.append({**shared, "address": "0xAB", "tokens": tokens, **weighted, "pow_version": "v1"})
    scalars = {"fee": 500, "tick_spacing": 10, "sqrt_price_x96": 1 << 96, "tick": 0, "liquidity": 10**18}
    ticks = {"-100": [10**18, 10**18, 7], "100": [10**18, -(10**18), 7]}
    sides = {"token0": tokens[0], "token1": tokens[1]}
    found.append({**shared, "pool": "0xCD", "scalars": scalars, "tick_data": ticks, **sides})
    keys = ("0xab|querySwap|GIVEN_IN|i=0|j=1|1000000000000", "0xab|querySwap|GIVEN_OUT|T1->T0|1000000000")
    more = ("0xcd|quoteExactInputSingle|T0->T1|1000000", "0xcd|quoteExactOutputSingle|T1->T0|1000000")
    entries = {key: {"value": 10**9} for key in (*keys, *more)}
    found.append({"chain_id": 1, "block_number": 7, "entries": entries})
    return found


def cut(value: Any) -> Any:
    """A recording with a few answers of each kind."""
    if isinstance(value, dict):
        few = {"quotes": 3, "executed": 3, "get_dx": 3, "quoterV2": 3, "pairs": 3, "pools": 3, "rows": 1}
        return {key: cut(one[: few[key]] if key in few else one) for key, one in value.items()}
    return [cut(one) for one in value] if isinstance(value, list) else value


def pools_beside(documents: list[Any]) -> dict[str, State]:
    """States that the mainnet quotes among the seeds ask."""
    states = [read_pools(one) for one in documents if "tick_data" in one or "pow_version" in one]
    return {name.lower(): state for state in states for name in state.pools}


def attempt(raw: bytes, beside: dict[str, State], rng: Generator, result: Result) -> str:
    """What became of one input, in words; raises what nobody documented."""
    try:
        document = parse(raw)
        recording = read_recording(document, "input", beside)
        if isinstance(document, dict) and document.get("format"):
            again = write_state(recording.state)
            if read_state(parse(json.dumps(again))) != recording.state:
                raise AssertionError("a state that was written and read is another one")
    except BadData as error:
        if not isinstance(error, Refused | LeavesState):
            return told(error)
        raise AssertionError(f"reading raised {type(error).__name__}: {error}") from error
    result.accepted += 1
    if rng.random() < 0.95:
        # The search for the best size takes a second.
        recording = replace(recording, gains=())
    verdict = replay(recording)
    fates = {told(one) for pool in islice(recording.state.pools.values(), 3) for one in trades(pool, rng)}
    result.traded += len(fates)
    return f"accepted, {verdict.compared > 0}, {len(verdict.differing) > 0}: {sorted(fates)}"


def trades(pool: Pool, rng: Generator) -> Iterator[BadData]:
    """Trade a few random amounts both ways; what is refused comes out, what is absurd is raised."""
    for sell, buy in islice(permutations(pool.tokens, 2), 4):
        part = int(rng.integers(1, 99))
        for amount in (1, int(2 ** (rng.random() * 130)), None):
            for ask in (pool.quote_exact_in, pool.quote_exact_out):
                try:
                    check(ask(sell, buy, amount or max(pool.balance(sell) // part, 1)))
                except (Refused, LeavesState) as error:
                    yield error
                except BadState as error:
                    if pool.name not in BAD_ON_THE_WAY:
                        raise
                    yield error
        try:
            pool.largest_within(sell, buy, Fraction(3, 1000))
        except BadData as error:
            yield error


def check(quote: Quote) -> None:
    """Whatever the state, a trade pays what it says and no more than there is."""
    if not (quote.amount_in >= 0 and 0 <= quote.amount_out <= quote.pool.balance(quote.buy)):
        raise AssertionError(f"absurd amounts: {quote.amount_in}, {quote.amount_out}")
    if quote.exact == "in" and not quote.partial and quote.amount_in != quote.asked:
        raise AssertionError(f"sells {quote.amount_in} of {quote.asked} and is not partial")
    if quote.pool.gas(quote) <= 0 or quote.steps < 0:
        raise AssertionError("a trade without gas")
    if not quote.price_impact <= 1:
        raise AssertionError(f"price impact {quote.price_impact}")


def told(error: BadData) -> str:
    """The error without its figures and quotations, and the line that raised it."""
    words = re.sub(r"'[^']*'|\"[^\"]*\"|-?[0-9][0-9,]*", "#", error.message)
    last = traceback.extract_tb(error.__traceback__)[-1] if error.__traceback__ else None
    where = f"{Path(last.filename).name}:{last.lineno}" if last else ""
    return f"{type(error).__name__} {where} {words.split(' is ')[0][:70]}"


def fuzz(*, seed: int, seconds: float = 1e9, inputs: int = sys.maxsize) -> Result:
    """Try mutated inputs until either limit; crashes are collected, not raised."""
    rng, documents, result = default_rng(seed), seeds(), Result()
    beside = pools_beside(documents)
    good, edge = [json.dumps(one).encode() for one in documents], []
    seen: set[str] = set()
    began = time.monotonic()
    while result.tried < inputs and time.monotonic() - began < seconds:
        first = result.tried < len(documents)
        # What was refused lies at an edge; most of what is mutated should still be nearly right, and no
        # format crowd out the others.
        share = rng.random()
        corpus = edge if edge and share < 0.2 else good if share < 0.6 else good[: len(documents)]
        raw = good[result.tried] if first else mutate(corpus, rng)
        result.tried += 1
        fate = one_input(raw, beside, rng, result)
        if fate not in seen and not first and "text.py" not in fate:
            (good if fate.startswith("accepted") else edge).append(raw)
        seen.add(fate)
    result.corpus = len(good) + len(edge)
    return result


def one_input(raw: bytes, beside: dict[str, State], rng: Generator, result: Result) -> str:
    try:
        with at_most(MOST_SECONDS_AN_INPUT):
            fate = attempt(raw, beside, rng, result)
    except (Exception, TooSlow) as error:  # noqa: BLE001 - whatever comes out is what is looked for
        lines = traceback.extract_tb(error.__traceback__)
        place = f"{Path(lines[-1].filename).name}:{lines[-1].lineno}"
        fate = f"crash {type(error).__name__} {'' if isinstance(error, TooSlow) else place}"
        if fate not in result.crashes:
            result.crashes[fate] = raw
            traceback.print_exception(error, limit=-6)
        return fate
    if not fate.startswith("accepted"):
        result.refused[fate] += 1
    return fate


def main(argv: list[str] | None = None) -> int:
    """0 when only documented errors came out, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--replay", type=Path, help="one input to run again")
    options = parser.parse_args(argv)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    if options.replay:
        rng, result = default_rng(options.seed), Result()
        print(one_input(options.replay.read_bytes(), pools_beside(seeds()), rng, result))
        return int(bool(result.crashes))
    result = fuzz(seed=options.seed, seconds=options.seconds)
    print(f"seed {options.seed}: {result.tried:,} inputs, {result.accepted:,} accepted")
    print(f"{len(result.refused):,} reasons to refuse {result.refused.total():,} inputs, the most common:")
    for reason, count in result.refused.most_common(20):
        print(f"  {count:>8,}  {reason}")
    print(f"{result.corpus:,} inputs were mutated further; {len(result.crashes)} kinds of crash")
    folder = Path(tempfile.mkdtemp(prefix="fuzz-amm-")) if result.crashes else None
    for fate, raw in result.crashes.items():
        file = folder / f"{hashlib.sha256(raw).hexdigest()[:12]}.json"
        file.write_bytes(raw)
        print(f"  {fate}: scripts/bench fuzz-amm --replay {file}")
    return int(bool(result.crashes))


if __name__ == "__main__":
    sys.exit(main())
