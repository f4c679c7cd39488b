"""Uniswap v3 deployed from npm: factory, SwapRouter, QuoterV2, and pools with given positions."""

from dataclasses import dataclass, replace
from typing import Any

from laboratory.chain import FIRST_BLOCK, Chain
from laboratory.contracts import Contract, artifact, at, deploy
from laboratory.uniswap_v2 import PERIPHERY as WRAPPED
from laboratory.uniswap_v2 import new_tokens

from defimon.amm.pools._tick_price import MAX_TICK, MIN_TICK, sqrt_price_at
from defimon.amm.pools._tick_table import TickTable
from defimon.amm.pools.concentrated import Concentrated

CORE = "@uniswap/v3-core/artifacts/contracts"
PERIPHERY = "@uniswap/v3-periphery/artifacts/contracts"

FOREVER = FIRST_BLOCK * 10
"""A deadline that no run reaches."""

UNLIMITED = (1 << 256) - 1

Q96 = 1 << 96

Position = tuple[int, int, int]
"""Lower tick, upper tick, liquidity."""


@dataclass(frozen=True)
class UniswapV3:
    """The contracts that make pools, fill them, quote and trade; the chain's account owns all of it."""

    chain: Chain
    factory: Contract
    positions: Contract
    router: Contract
    quoter: Contract

    def pool(self, fee: int, sqrt_price: int, positions: list[Position], share: tuple[int, int]) -> Contract:
        """A pool of two new tokens at this price, with these positions and this share for the protocol.

        A position's liquidity comes out close to the one asked for, since the contract takes amounts.
        """
        tokens = [token.address for token in new_tokens(self.chain, 2, self.positions, self.router)]
        self.factory.send("createPool", *tokens, fee)
        pool = at(
            self.chain,
            f"{CORE}/UniswapV3Pool.sol/UniswapV3Pool.json",
            self.factory.call("getPool", *tokens, fee),
        )
        self.chain.send([pool.data("initialize", sqrt_price), pool.data("setFeeProtocol", *share)])
        self.chain.send(
            self.positions.data(
                "mint",
                (*tokens, fee, low, high, *amounts(sqrt_price, low, high, liquidity), 0, 0,
                 self.chain.account, FOREVER),
            )
            for low, high, liquidity in positions
        )  # fmt: skip
        return pool

    def allow(self, fee: int, spacing: int) -> None:
        """Allow pools of another fee and tick spacing than the four that the factory starts with."""
        self.factory.send("enableFeeAmount", fee, spacing)


def deploy_v3(chain: Chain) -> UniswapV3:
    factory = deploy(chain, f"{CORE}/UniswapV3Factory.sol/UniswapV3Factory.json")
    both = factory.address, deploy(chain, f"{WRAPPED}/WETH9.json").address
    describer = both[1]  # asked only for the pictures of positions
    return UniswapV3(
        chain,
        factory,
        deploy(
            chain,
            f"{PERIPHERY}/NonfungiblePositionManager.sol/NonfungiblePositionManager.json",
            *both,
            describer,
        ),
        deploy(chain, f"{PERIPHERY}/SwapRouter.sol/SwapRouter.json", *both),
        deploy(chain, f"{PERIPHERY}/lens/QuoterV2.sol/QuoterV2.json", *both),
    )


def amounts(price: int, low: int, high: int, liquidity: int) -> tuple[int, int]:
    """Amounts of both tokens, rounded up, that `liquidity` needs between two ticks at a square-root price."""
    below, above = sqrt_price_at(low), sqrt_price_at(high)
    at_price = min(max(price, below), above)
    first = liquidity * Q96 * (above - at_price) // (above * at_price) + 1
    return first, liquidity * (at_price - below) // Q96 + 1


def read_pool(pool: Contract) -> Concentrated:
    """The pool's whole state as the contract tells it."""
    first, second, fee, spacing = pool.ask("token0", "token1", "fee", "tickSpacing")
    return Concentrated((first, second), fee, ticks=read_ticks(pool, spacing), **moving_parts(pool))


def read_ticks(pool: Contract, spacing: int) -> TickTable:
    """Every word of the pool's bitmap, and every tick set there."""
    words = range(MIN_TICK // spacing >> 8, (MAX_TICK // spacing >> 8) + 1)
    bitmaps = pool.call_many("tickBitmap", [(word,) for word in words])
    ticks = [
        (word * 256 + bit) * spacing
        for word, bitmap in zip(words, bitmaps, strict=True)
        if bitmap
        for bit in range(256)
        if bitmap >> bit & 1
    ]
    infos = pool.call_many("ticks", [(tick,) for tick in ticks])
    rows = tuple((tick, gross, net) for tick, (gross, net, *_) in zip(ticks, infos, strict=True))
    return TickTable(spacing, rows)


def moving_parts(pool: Contract) -> dict[str, Any]:
    """What a swap changes, and the protocol's share: fields of Concentrated."""
    (price, tick, *_, share, _), liquidity, *growths, fees = pool.ask(
        "slot0", "liquidity", "feeGrowthGlobal0X128", "feeGrowthGlobal1X128", "protocolFees"
    )
    return {
        "sqrt_price_x96": price,
        "tick": tick,
        "liquidity": liquidity,
        "fee_growth": tuple(growths),
        "protocol_fees": fees,
        "protocol_share": (share & 15, share >> 4),
    }


def read_again(pool: Contract, before: Concentrated) -> Concentrated:
    """As `read_pool` after swaps, which leave the ticks' liquidity as it was."""
    return replace(before, **moving_parts(pool))


def balances(pool: Contract, state: Concentrated) -> tuple[int, ...]:
    """What the pool holds of its two tokens."""
    asked = artifact(f"{WRAPPED}/ERC20.json").functions["balanceOf"]
    answers = pool.chain.call_many([(token, asked.data(pool.address)) for token in state.tokens])
    return tuple(asked.read(answer) for answer in answers)
