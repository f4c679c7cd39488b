"""Some hundred days of a small economy on real contracts, played from a seed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from laboratory.aave import Curve, Market, Terms, deploy_aave, fixed_price
from laboratory.chain import FIRST_BLOCK, Chain
from laboratory.economy import exchange, lending
from laboratory.economy.ledger import Block
from laboratory.economy.lending import Lending
from laboratory.economy.weather import Weather, draw_weather
from laboratory.uniswap_v2 import deploy_v2, new_tokens
from laboratory.uniswap_v3 import deploy_v3
from numpy.random import default_rng

DAY = 86_400
HOURS = (5, 13, 20)
"""When people act, UTC; what happens then stands for a third of the day."""
LAST_SECOND = DAY - 12
"""The last block of a day."""

DOLLARS = Curve(0.90, 0.0, 0.055, 0.60)
COINS = Curve(0.80, 0.0, 0.030, 0.80)
THIN = Curve(0.45, 0.0, 0.070, 3.00)

TERMS = (
    Terms("USDC", 6, curve=DOLLARS), Terms("USDT", 6, curve=DOLLARS, supply_cap=90_000_000),
    Terms("DAI", 18, curve=Curve(0.85, 0.0, 0.050, 0.75), reserve_factor=0.15),
    Terms("FRAX", 18, curve=Curve(0.80, 0.0, 0.055, 0.75), reserve_factor=0.20),
    Terms("LUSD", 18, curve=Curve(0.80, 0.0, 0.060, 0.87)),
    Terms("PYUSD", 6, curve=Curve(0.80, 0.0, 0.050, 0.60), supply_cap=60_000_000),
    Terms("USDE", 18, curve=Curve(0.80, 0.0, 0.080, 0.75), reserve_factor=0.25),
    Terms("WETH", 18, 2_000.0, COINS, 0.15), Terms("WBTC", 8, 36_000.0, COINS, 0.20),
    Terms("CBETH", 18, 2_100.0, THIN, 0.15), Terms("LINK", 18, 14.0, THIN, 0.20, borrow_cap=400_000),
    Terms("UNI", 18, 5.2, THIN, 0.20),
    Terms("WSTETH", 18, 2_300.0, THIN, 0.15), Terms("PAXG", 18, 2_000.0, COINS),
)  # fmt: skip

HABITS = (
    lending.Habit("USDC", 60e6, 55e6), lending.Habit("USDT", 40e6, 37.5e6),
    lending.Habit("DAI", 25e6, 22.8e6),
    lending.Habit("FRAX", 8e6, 6.9e6), lending.Habit("LUSD", 4e6, 3.4e6), lending.Habit("PYUSD", 14e6, 12e6),
    lending.Habit("USDE", 12e6, 10.4e6), lending.Habit("WETH", 50e6, 39e6, "PAXG"),
    lending.Habit("WBTC", 12e6, 7.6e6, "PAXG"), lending.Habit("CBETH", 6e6, 2.7e6, "PAXG"),
    lending.Habit("LINK", 3e6, 1.35e6, "PAXG"), lending.Habit("UNI", 2e6, 0.85e6, "PAXG"),
    lending.Habit("WSTETH", 20e6, 0.6e6, "PAXG"), lending.Habit("PAXG", 5e6, 0.3e6),
)  # fmt: skip

POOLS = (
    exchange.Habit(("WETH", "USDC"), 8e6), exchange.Habit(("WBTC", "DAI"), 3e6),
    exchange.Habit(("WETH", "USDT"), 12e6, 3), exchange.Habit(("LINK", "USDC"), 1.5e6, 3, 10_000, 0.2),
)  # fmt: skip


@dataclass
class Economy:
    """A chain on which one market and some exchange pools live; `block` is the one being filled."""

    chain: Chain
    market: Market
    lending: Lending
    exchange: exchange.Exchange
    weather: Weather
    block: Block
    begins: int
    """Midnight of day 0, seconds since 1970."""

    def live(self, day: int) -> None:
        """One day: prices, news, people three times, and its last block."""
        midnight = self.begins + day * DAY
        prices = {name: float(path[day]) for name, path in self.weather.prices.items()}
        for call in self.market.price_calls(prices):
            self.block.send(self.chain.account, call)
        self.lending.keep_safe(self.block, day)
        self.block.mine(midnight + 3_600)
        for name in [name for name, when in self.weather.story.items() if when == day]:
            NEWS[name](self, midnight)
        for hour in HOURS:
            self.lending.act(self.block, day, 1.0 / len(HOURS))
            self.exchange.act(self.block, day, 1.0 / len(HOURS))
            self.block.mine(midnight + hour * 3_600)
        self.block.mine(midnight + LAST_SECOND)

    def govern(self, name: str, *values: object) -> None:
        """The market's admin changes something."""
        self.block.send(self.chain.account, self.market.configurator.data(name, *values))
        self.block.mine(self.block.now() + 12)

    def pay_rewards(self, symbol: str, share: float, until: str) -> None:
        """Reward tokens worth `share` of the wanted deposits a year, until that point of the story."""
        habit = next(one for one in HABITS if one.symbol == symbol)
        end = self.begins + self.weather.story[until] * DAY
        (coin,) = new_tokens(self.chain, 1)
        per_second = int(habit.deposits * share / (365 * DAY) * 10**18)
        price, till = fixed_price(self.chain, 1.0), self.market.till()
        self.market.reward(self.market.reserves[symbol], coin, per_second, end, till, price)
        self.lending.rewards[symbol] = share


def _curve(economy: Economy, curve: Curve) -> None:
    strategy = economy.market.new_curve(curve)
    asset = economy.market.reserves["DAI"].token.address
    economy.govern("setReserveInterestRateStrategyAddress", asset, strategy.address)


def _asset(economy: Economy, symbol: str) -> str:
    return economy.market.reserves[symbol].token.address


NEWS: dict[str, Callable[[Economy, int], object]] = {
    "crash": lambda *_: None,
    "run": lambda *_: None,
    "depeg": lambda *_: None,
    "freeze": lambda e, _: e.govern("setReserveFreeze", _asset(e, "LINK"), True),
    "thaw": lambda e, _: e.govern("setReserveFreeze", _asset(e, "LINK"), False),
    "pause": lambda e, _: e.govern("setReservePause", _asset(e, "UNI"), True),
    "unpause": lambda e, _: e.govern("setReservePause", _asset(e, "UNI"), False),
    "curve": lambda e, _: _curve(e, Curve(0.85, 0.0, 0.085, 0.75)),
    "curve back": lambda e, _: _curve(e, Curve(0.85, 0.0, 0.060, 0.75)),
    "rewards 1": lambda e, _: e.pay_rewards("PYUSD", 0.035, "rewards 1 end"),
    "rewards 1 end": lambda e, _: e.lending.rewards.pop("PYUSD", None),
    "rewards 2": lambda e, _: e.pay_rewards("USDT", 0.02, "rewards 2 end"),
    "rewards 2 end": lambda e, _: e.lending.rewards.pop("USDT", None),
    "cap": lambda e, _: e.govern("setSupplyCap", _asset(e, "LUSD"), 9_000_000),
}
"""What the admin does when; crash, run and depeg are in the weather."""


@contextmanager
def economy(home: Path, seed: int, days: int) -> Iterator[Economy]:
    """A new economy on a chain of its own, with everything in place before its first day."""
    # Old states are dropped: who reads them reads them as time passes.
    chain = Chain.start(home, "--slots-in-an-epoch", "0", "--prune-history", "400")
    try:
        chain.rpc("anvil_autoImpersonateAccount", True)
        weather = draw_weather(seed, days, {one.symbol: one.price for one in TERMS})
        market = deploy_aave(chain)
        market.add(TERMS)
        block = Block(chain)
        people = Lending(market, HABITS, weather, default_rng([seed, 2]))
        people.settle_in(block)
        block.mine(block.now() + 12)
        v3 = deploy_v3(chain)
        traders = exchange.Exchange(deploy_v2(chain), v3, market.reserves, weather, default_rng([seed, 3]))
        traders.open(block, list(POOLS))
        yield Economy(chain, market, people, traders, weather, block, (FIRST_BLOCK // DAY + 1) * DAY)
    finally:
        chain.stop()
