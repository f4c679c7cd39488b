"""Ask the pools what the contracts were asked, and compare every recorded fact."""

from collections.abc import Mapping
from dataclasses import dataclass

from defimon.amm.pools._base import Pool, Quote
from defimon.amm.pools._errors import BadState, LeavesState, Refused
from defimon.amm.pools.concentrated import Concentrated
from defimon.amm.state.recording import Answer, Fact, Gain, Recording
from defimon.amm.trading.arbitrage import best_arbitrage, profit_of

MOST_GAS = 28_000_000
"""A block of the recording node holds 30 million gas, and nested calls are given 63 of 64 parts: a swap that
needs more can be quoted but not executed. The largest recorded swap that was executed used 3.3 million, the
two that ran out are estimated at 29.5 million."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A fact that the pool answers otherwise than the contract did."""

    what: str
    expected: str
    got: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one recording: how many answers were compared, and those that differ in one fact or more."""

    name: str
    compared: int
    differing: tuple[Difference, ...]


def replay(recording: Recording) -> Verdict:
    """Quote each recorded trade on its pool's recorded state and compare; reverts must be refused.

    A recorded gain must be had to the base unit, and the best one must not be more than the best that is
    found: many sizes gain the same but for a few base units of rounding, so that ours may gain one more.
    """
    pools = recording.state.pools
    found = [
        *(_difference(answer, _got(pools[answer.pool], answer)) for answer in recording.answers),
        *(_shortfall(gain, pools) for gain in recording.gains),
    ]
    return Verdict(recording.name, len(found), tuple(one for one in found if one is not None))


def _shortfall(gain: Gain, pools: Mapping[str, Pool]) -> Difference | None:
    way = " and ".join(f"{edge.sell} for {edge.buy} in {edge.pool}" for edge in gain.cycle)
    asked = f"{gain.where}: {gain.size} of {way}, funded by {gain.funding.name}"
    profit = profit_of(pools, gain.cycle, gain.size, gain.funding)
    if profit != gain.expected:
        return Difference(asked, f"profit {gain.expected}", f"profit {profit}")
    found = best_arbitrage(pools, gain.cycle, gain.funding) if gain.best else None
    if gain.best and (found.profit if found else 0) < gain.expected:
        return Difference(asked, f"best profit {gain.expected}", f"best {found}")
    return None


@dataclass(frozen=True, slots=True)
class _Silence:
    """Why the pool gave no answer; `refused` says that the contract would revert."""

    reason: str
    refused: bool


def _difference(answer: Answer, got: Mapping[str, Fact] | _Silence) -> Difference | None:
    if isinstance(got, _Silence):
        if answer.expected is None and got.refused:
            return None
        return Difference(_asked(answer), _told(answer.expected), got.reason)
    if answer.expected is None:
        return Difference(_asked(answer), _told(None), _told(got))
    wrong = [name for name, fact in answer.expected.items() if got[name] != fact]
    if not wrong:
        return None
    expected = _told({name: answer.expected[name] for name in wrong})
    return Difference(_asked(answer), expected, _told({name: got[name] for name in wrong}))


def _got(pool: Pool, answer: Answer) -> Mapping[str, Fact] | _Silence:
    """The facts that the contract was asked for, or why the pool gives none."""
    try:
        quote = _quote(pool, answer)
        after: Pool | None = None
        if answer.kind == "executed":
            gas = pool.gas(quote)
            if gas > MOST_GAS:
                return _Silence(f"refused: {gas:,} gas do not fit into a block", refused=True)
            after = pool.apply(quote)
    except Refused as error:
        return _Silence(f"refused: {error.message}", refused=True)
    except (LeavesState, BadState) as error:
        return _Silence(f"unknown: {error.message}", refused=False)
    names = answer.expected or ("amount_in", "amount_out")
    return {name: _fact(name, quote, after) for name in names}


def _quote(pool: Pool, answer: Answer) -> Quote:
    if isinstance(pool, Concentrated):
        ask = pool.quote_exact_in if answer.exact == "in" else pool.quote_exact_out
        return ask(answer.sell, answer.buy, answer.amount, sqrt_price_limit_x96=answer.limit)
    plain = pool.quote_exact_in if answer.exact == "in" else pool.quote_exact_out
    return plain(answer.sell, answer.buy, answer.amount)


def _fact(name: str, quote: Quote, after: Pool | None) -> Fact:
    if name.startswith("after."):
        value: Fact = getattr(after or quote.after, name.removeprefix("after."))
    else:
        value = getattr(quote, name)
    return value


def _asked(answer: Answer) -> str:
    told = f"{answer.where}: {answer.kind}, sell {answer.sell} for {answer.buy}, exact {answer.exact} "
    limit = "" if answer.limit is None else f" up to sqrtPriceX96 {answer.limit}"
    return f"{told}{answer.amount}{limit}"


def _told(facts: Mapping[str, Fact] | None) -> str:
    return "a revert" if facts is None else ", ".join(f"{name} {fact}" for name, fact in facts.items())
