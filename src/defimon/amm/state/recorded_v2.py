"""Recorded pairs of Uniswap v2: the Router's quotes and executed swaps, each on the pair's recorded state."""

from collections.abc import Iterator

from defimon.amm.pools._base import Exact
from defimon.amm.pools._fields import UINT112, Fields
from defimon.amm.pools.constant_product import ConstantProduct
from defimon.amm.state.document import State, Token
from defimon.amm.state.recording import (
    LOCAL_CHAIN,
    Answer,
    Fact,
    Recording,
    built,
    flag,
    new_id,
    objects,
    parts_of,
)

MILLION = 1_000_000


def read_v2(document: Fields, name: str) -> Recording:
    """Pairs, quotes and swaps. The recording names neither decimals nor block: both are 0."""
    pools: dict[str, ConstantProduct] = {}
    tokens: dict[str, Token] = {}
    answers: list[Answer] = []
    for pair in objects(document, "pairs"):
        pair_id, sides = new_id(pair, "pair", pools), (pair.text("token0"), pair.text("token1"))
        reserves = pair.integer("reserve0", below=UINT112), pair.integer("reserve1", below=UINT112)
        fee_ppm = parts_of(pair, "fee", MILLION)
        pools[pair_id] = built(pair.path, lambda: ConstantProduct(sides, reserves, fee_ppm))  # noqa: B023
        tokens |= {side: Token(side, "", 0) for side in sides}
        answers += _quotes(pair, pair_id, sides)
        answers += _swaps(pair, pair_id, sides)
    return Recording(
        name, State(LOCAL_CHAIN, 0, "simulated", tuple(tokens.values()), dict(pools)), tuple(answers)
    )


def _quotes(pair: Fields, pair_id: str, sides: tuple[str, str]) -> Iterator[Answer]:
    for asked in objects(pair, "quotes"):
        sell, buy = sides if flag(asked, "zeroForOne") else sides[::-1]
        inwards = asked.text("mode", among=("exactIn", "exactOut")) == "exactIn"
        expected: dict[str, Fact] | None = None
        if not asked.has("revert"):
            expected = {"amount_out" if inwards else "amount_in": asked.integer("amountQuoted")}
        exact: Exact = "in" if inwards else "out"
        yield Answer(asked.path, pair_id, "quoted", sell, buy, exact, asked.integer("amount"), expected)


def _swaps(pair: Fields, pair_id: str, sides: tuple[str, str]) -> Iterator[Answer]:
    for swap in objects(pair, "executed"):
        sell, buy = sides if flag(swap, "zeroForOne") else sides[::-1]
        expected: dict[str, Fact] | None = None
        if not swap.has("revert"):
            reserves = swap.integer("reserve0After"), swap.integer("reserve1After")
            expected = {"amount_out": swap.integer("amountOut"), "after.reserves": reserves}
        yield Answer(swap.path, pair_id, "executed", sell, buy, "in", swap.integer("amountIn"), expected)
