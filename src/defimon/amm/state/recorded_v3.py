"""A recorded pool of Uniswap v3: QuoterV2's answers and executed swaps, each on the pool's recorded state."""

from collections.abc import Iterator

from defimon.amm.pools._errors import BadState
from defimon.amm.pools._fields import UINT128, UINT160, UINT256, Fields
from defimon.amm.pools._tick_table import TickTable
from defimon.amm.pools.concentrated import Concentrated
from defimon.amm.state.document import State, Token
from defimon.amm.state.recording import (
    LOCAL_CHAIN,
    Answer,
    Fact,
    Recording,
    built,
    flag,
    integers_by_key,
    objects,
)

TICK = 1 << 23
"""Ticks are int24 on chain."""

INT256 = 1 << 255


def read_v3(document: Fields, name: str) -> Recording:
    """One pool, its quotes and its swaps."""
    state = Fields(document.raw("state"), f"{document.path}.state")
    pool_id, sides, pool = read_pool(state)
    tokens = tuple(
        Token(side, "", state.integer(f"decimals{place}", below=256)) for place, side in enumerate(sides)
    )
    answers = [
        *_quotes(document, pool_id, sides),
        *_swaps(document, pool_id, sides),
    ]
    block = document.integer("block")
    return Recording(name, State(LOCAL_CHAIN, block, "simulated", tokens, {pool_id: pool}), tuple(answers))


def read_pool(state: Fields) -> tuple[str, tuple[str, str], Concentrated]:
    """(id, tokens, pool) of a recorded state. Raises BadState when its bitmap and its ticks disagree."""
    sides = state.text("token0"), state.text("token1")
    spacing = state.integer("tickSpacing", low=1, below=TICK)
    rows = [
        (tick, gross, net)
        for tick, gross, net in state.rows("ticks_tick_gross_net", 3, low=-UINT128, below=UINT128)
    ]
    _agree(state, spacing, [tick for tick, _, _ in rows])
    shares = state.integer("feeProtocol", below=256)

    def make() -> Concentrated:
        return Concentrated(
            sides,
            state.integer("fee"),
            state.integer("sqrtPriceX96", below=UINT160),
            state.integer("tick", low=-TICK, below=TICK),
            state.integer("liquidity", below=UINT128),
            TickTable(spacing, tuple(rows), None),
            fee_growth=(state.integer("feeGrowthGlobal0X128"), state.integer("feeGrowthGlobal1X128")),
            protocol_share=(shares % 16, shares >> 4),
        )

    return state.text("pool"), sides, built(state.path, make)


def _agree(state: Fields, spacing: int, ticks: list[int]) -> None:
    """The bitmap holds one bit for each tick: word tick / spacing >> 8, bit tick / spacing & 255."""
    expected: dict[int, int] = {}
    for tick in ticks:
        place = tick // spacing
        expected[place >> 8] = expected.get(place >> 8, 0) | 1 << (place & 255)
    path = f"{state.path}.tickBitmap"
    words = {
        word: Fields({"bits": bits}, f"{path}.{word}").integer("bits", below=UINT256)
        for word, bits in integers_by_key(state, "tickBitmap").items()
    }
    for word in sorted(expected.keys() | words.keys()):
        if words.get(word, 0) != expected.get(word, 0):
            raise BadState(
                f"{path} and {state.path}.ticks_tick_gross_net disagree about word {word}.",
                remedy="Record both at the same block.",
            )


def _quotes(document: Fields, pool_id: str, sides: tuple[str, str]) -> Iterator[Answer]:
    for asked in objects(document, "quoterV2"):
        inwards = asked.text("mode", among=("exactIn", "exactOut")) == "exactIn"
        expected: dict[str, Fact] | None = None
        if not asked.has("revert"):
            expected = {
                "amount_out" if inwards else "amount_in": asked.integer("amountQuoted"),
                "after.sqrt_price_x96": asked.integer("sqrtPriceX96After"),
            }
        yield _answer(asked, pool_id, sides, expected, executed=False)


def _swaps(document: Fields, pool_id: str, sides: tuple[str, str]) -> Iterator[Answer]:
    for swap in objects(document, "executed"):
        expected = None if swap.has("revert") else _facts(swap)
        yield _answer(swap, pool_id, sides, expected, executed=True)


def _facts(swap: Fields) -> dict[str, Fact]:
    deltas = [swap.integer(f"amount{side}Delta", low=-INT256, below=INT256) for side in (0, 1)]
    paid, received = deltas if flag(swap, "zeroForOne") else deltas[::-1]
    return {
        "amount_in": paid,
        "amount_out": -received,
        "after.sqrt_price_x96": swap.integer("sqrtPriceX96After"),
        "after.tick": swap.integer("tickAfter", low=-TICK, below=TICK),
        "after.liquidity": swap.integer("liquidityAfter"),
        "after.fee_growth": (
            swap.integer("feeGrowthGlobal0X128After"),
            swap.integer("feeGrowthGlobal1X128After"),
        ),
        "after.protocol_fees": swap.integers("protocolFees"),
    }


def _answer(
    asked: Fields,
    pool_id: str,
    sides: tuple[str, str],
    expected: dict[str, Fact] | None,
    *,
    executed: bool,
) -> Answer:
    sell, buy = sides if flag(asked, "zeroForOne") else sides[::-1]
    limit = asked.integer("sqrtPriceLimitX96")
    return Answer(
        asked.path,
        pool_id,
        "executed" if executed else "quoted",
        sell,
        buy,
        "in" if asked.text("mode", among=("exactIn", "exactOut")) == "exactIn" else "out",
        asked.integer("amount"),
        expected,
        limit or None,
    )
