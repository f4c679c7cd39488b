"""Traders and arbitrageurs of Uniswap v2 pairs and v3 pools, all trading with one purse without bottom."""

from dataclasses import dataclass, field
from math import isqrt, sqrt

from laboratory.aave import UNLIMITED, Reserve
from laboratory.chain import FIRST_BLOCK
from laboratory.contracts import Contract, at
from laboratory.economy.ledger import Block
from laboratory.economy.lending import address
from laboratory.economy.weather import Weather
from laboratory.uniswap_v2 import CORE as V2_CORE
from laboratory.uniswap_v2 import UniswapV2
from laboratory.uniswap_v3 import CORE as V3_CORE
from laboratory.uniswap_v3 import UniswapV3
from numpy.random import Generator

FOREVER = FIRST_BLOCK * 10
Q96 = 1 << 96
PURSE = 1 << 200
TRADER = address(4, 0, 0)
MOST_TICK = 887_272


@dataclass(frozen=True)
class Habit:
    """A pool that people trade on: two tokens, its fee in parts per million, and dollars in it at first.

    `version` 2 always takes 0.3 %. `crowd` multiplies what is traded there.
    """

    tokens: tuple[str, str]
    dollars: float
    version: int = 2
    fee_ppm: int = 3_000
    crowd: float = 1.0


@dataclass
class Exchange:
    """All pools and who trades on them."""

    v2: UniswapV2
    v3: UniswapV3
    reserves: dict[str, Reserve]
    weather: Weather
    draw: Generator
    pools: list[tuple[Habit, Contract]] = field(default_factory=list)

    def open(self, block: Block, habits: list[Habit]) -> None:
        """Pools at the prices of the first day; everybody who trades gets tokens for good."""
        for symbol in sorted({name for habit in habits for name in habit.tokens}):
            token = self.reserves[symbol].token
            for account in (TRADER, block.chain.account):
                block.send(account, token.data("mint", PURSE))
                for spender in (self.v2.router, self.v3.router, self.v3.positions):
                    block.send(account, token.data("approve", spender.address, UNLIMITED))
        block.mine(block.now() + 12)
        for habit in habits:
            pool = self._open_v2(block, habit) if habit.version == 2 else self._open_v3(block, habit)
            self.pools.append((habit, pool))

    def act(self, block: Block, day: int, share: float) -> None:
        """Some trades either way, then the arbitrageurs."""
        for habit, pool in self.pools:
            turnover = habit.dollars * habit.crowd * float(self.weather.trade[day]) * share
            for _ in range(1 + int(self.draw.random() < 0.5)):
                sell = int(self.draw.integers(2))
                dollars = turnover * self.draw.gamma(2.0, 0.35)
                self._trade(block, habit, sell, dollars, day)
            self._level(block, habit, pool, day)

    def price(self, habit: Habit, day: int) -> float:
        """Base units of the second token for one of the first, in the pool's order."""
        worth = [self._unit_worth(symbol, day) for symbol in self._order(habit)]
        return worth[0] / worth[1]

    def _unit_worth(self, symbol: str, day: int) -> float:
        return float(self.weather.prices[symbol][day]) / 10 ** self.reserves[symbol].terms.decimals

    def _order(self, habit: Habit) -> list[str]:
        return sorted(habit.tokens, key=lambda symbol: self.reserves[symbol].token.address)

    def _addresses(self, habit: Habit) -> list[str]:
        return [self.reserves[symbol].token.address for symbol in self._order(habit)]

    def _open_v2(self, block: Block, habit: Habit) -> Contract:
        coins = [self.reserves[symbol].token for symbol in self._order(habit)]
        held = [int(habit.dollars / 2 / self._unit_worth(symbol, 0)) for symbol in self._order(habit)]
        block.send(block.chain.account, self.v2.factory.data("createPair", *self._addresses(habit)))
        block.mine(block.now() + 12)
        found = self.v2.factory.call("getPair", *self._addresses(habit))
        pair = at(block.chain, f"{V2_CORE}/UniswapV2Pair.json", found)
        for coin, amount in zip(coins, held, strict=True):
            block.send(block.chain.account, coin.data("transfer", pair.address, amount))
        block.send(block.chain.account, pair.data("mint", block.chain.account))
        block.mine(block.now() + 12)
        return pair

    def _open_v3(self, block: Block, habit: Habit) -> Contract:
        both = self._addresses(habit)
        root = int(sqrt(self.price(habit, 0)) * Q96)
        block.send(block.chain.account, self.v3.factory.data("createPool", *both, habit.fee_ppm))
        block.mine(block.now() + 12)
        found = self.v3.factory.call("getPool", *both, habit.fee_ppm)
        pool = at(block.chain, f"{V3_CORE}/UniswapV3Pool.sol/UniswapV3Pool.json", found)
        block.send(block.chain.account, pool.data("initialize", root))
        spacing = self.v3.factory.call("feeAmountTickSpacing", habit.fee_ppm)
        most = MOST_TICK // spacing * spacing
        amounts = [int(habit.dollars / 2 / self._unit_worth(symbol, 0)) for symbol in self._order(habit)]
        values = (*both, habit.fee_ppm, -most, most, *amounts, 0, 0, block.chain.account, FOREVER)
        block.send(block.chain.account, self.v3.positions.data("mint", values))
        block.mine(block.now() + 12)
        return pool

    def _trade(self, block: Block, habit: Habit, sell: int, dollars: float, day: int) -> None:
        symbols, both = self._order(habit), self._addresses(habit)
        path = both if sell == 0 else both[::-1]
        amount = int(dollars / self._unit_worth(symbols[sell], day))
        self._swap(block, habit, path, amount, 0)

    def _swap(self, block: Block, habit: Habit, path: list[str], amount: int, limit: int) -> None:
        if amount <= 0:
            return
        if habit.version == 2:
            call = self.v2.router.data("swapExactTokensForTokens", amount, 0, path, TRADER, FOREVER)
        else:
            values = (*path, habit.fee_ppm, TRADER, FOREVER, amount, 0, limit)
            call = self.v3.router.data("exactInputSingle", values)
        block.send(TRADER, call)

    def _level(self, block: Block, habit: Habit, pool: Contract, day: int) -> None:
        """Trade until the pool's price is off the world's by no more than its fee.

        The state is that of the block before: what is traded in this block is levelled in the next one.
        """
        fee = habit.fee_ppm / 1_000_000
        world = self.price(habit, day)
        if habit.version == 2:
            first, second, _ = pool.call("getReserves")
            here = second / first
        else:
            here = (pool.call("slot0")[0] / Q96) ** 2
        if abs(here / world - 1.0) <= fee:
            return
        both = self._addresses(habit)
        goal = world * (1.0 + fee) if here > world else world * (1.0 - fee)
        path = both if here > world else both[::-1]
        if habit.version == 2:
            depth = isqrt(first * second)
            there = int(depth / sqrt(goal)) if here > world else int(depth * sqrt(goal))
            held = first if here > world else second
            self._swap(block, habit, path, int((there - held) / (1.0 - fee)), 0)
        else:
            self._swap(block, habit, path, PURSE >> 40, int(sqrt(goal) * Q96))
