"""Recorded StableSwap-NG pools: get_dy, get_dx and executed exchanges, each on the pool's recorded state."""

from collections.abc import Iterator

from defimon.amm.pools._errors import BadState
from defimon.amm.pools._fields import Fields
from defimon.amm.pools.stable_swap import StableSwap
from defimon.amm.state.document import MOST_DECIMALS, State, Token
from defimon.amm.state.recording import (
    LOCAL_CHAIN,
    Answer,
    Fact,
    Recording,
    built,
    different,
    new_id,
    objects,
)

Facts = dict[str, Fact] | None


def read_stable(document: Fields, name: str) -> Recording:
    """Pools, estimates and exchanges. The recording names no block: it is 0."""
    pools: dict[str, StableSwap] = {}
    tokens: dict[str, Token] = {}
    answers: list[Answer] = []
    for each in objects(document, "pools"):
        pool_id, coins = new_id(each, "pool", pools), each.texts("coins")
        decimals = each.integers("decimals", below=MOST_DECIMALS + 1)
        if len(decimals) != len(coins):
            raise BadState(f"{each.path}.decimals has {len(decimals)} entries.", remedy="One a coin.")
        pools[pool_id] = built(each.path, lambda: _pool(each))  # noqa: B023
        tokens |= {coin: Token(coin, "", places) for coin, places in zip(coins, decimals, strict=True)}
        answers += _answers(each, pool_id, coins)
    return Recording(
        name, State(LOCAL_CHAIN, 0, "simulated", tuple(tokens.values()), dict(pools)), tuple(answers)
    )


def _pool(each: Fields) -> StableSwap:
    return StableSwap(
        each.texts("coins"),
        each.integers("balances"),
        each.integers("rates"),
        each.integer("A_precise"),
        each.integer("fee"),
        each.integer("offpeg_fee_multiplier"),
    )


def _answers(each: Fields, pool_id: str, coins: tuple[str, ...]) -> Iterator[Answer]:
    """`get_dy` says what selling dx pays, `get_dx` what buying dy costs; an exchange also moves balances."""
    for asked in objects(each, "quotes"):
        told: Facts = None if asked.has("revert") else {"amount_out": asked.integer("dy")}
        yield Answer(asked.path, pool_id, "quoted", *_pair(asked, coins), "in", asked.integer("dx"), told)
    for asked in objects(each, "get_dx"):
        told = None if asked.has("revert") else {"amount_in": asked.integer("dx")}
        yield Answer(asked.path, pool_id, "quoted", *_pair(asked, coins), "out", asked.integer("dy"), told)
    for swap in objects(each, "executed"):
        told = None
        if not swap.has("revert"):
            told = {"amount_out": swap.integer("dy"), "after.balances": swap.integers("balances_after")}
        yield Answer(swap.path, pool_id, "executed", *_pair(swap, coins), "in", swap.integer("dx"), told)


def _pair(asked: Fields, coins: tuple[str, ...]) -> tuple[str, str]:
    """Coins sold and bought, given by their places."""
    sell, buy = (coins[asked.integer(side, below=len(coins))] for side in ("i", "j"))
    return different(sell, buy, asked.path)
