"""Aave v3 deployed from npm: a market with reserves, prices that can be set, and rewards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from eth_hash.auto import keccak
from laboratory.chain import Chain
from laboratory.contracts import Contract, at, deploy

CORE = "@aave/core-v3/artifacts/contracts"
REWARDS = "@aave/periphery-v3/artifacts/contracts/rewards"
LOGIC = f"{CORE}/protocol/libraries/logic"
TOKENS = f"{CORE}/protocol/tokenization"

RAY = 10**27
DOLLAR = 10**8
"""Base currency units of the oracle a dollar, as on Aave's own markets."""
NOBODY = "0x" + "0" * 40
VARIABLE = 2
"""DataTypes.InterestRateMode.VARIABLE."""
UNLIMITED = (1 << 256) - 1


@dataclass(frozen=True)
class Curve:
    """Interest rates of a reserve, fractions a year: base, then slopes below and above the kink."""

    kink: float = 0.8
    base: float = 0.0
    low_slope: float = 0.04
    high_slope: float = 0.75


@dataclass(frozen=True)
class Terms:
    """How a reserve is set up; caps in whole tokens, 0 for none; `price` in dollars."""

    symbol: str
    decimals: int = 18
    price: float = 1.0
    curve: Curve = Curve()
    reserve_factor: float = 0.1
    loan_to_value: float = 0.75
    liquidation_threshold: float = 0.80
    supply_cap: int = 0
    borrow_cap: int = 0


@dataclass(frozen=True)
class Reserve:
    """One reserve: its token and the three that stand for deposits and debts."""

    terms: Terms
    token: Contract
    deposits: Contract
    stable_debt: Contract
    debt: Contract

    def units(self, tokens: float) -> int:
        return int(tokens * 10**self.terms.decimals)


@dataclass
class Market:
    """One market; the chain's account is its admin in every role, and owns the prices."""

    chain: Chain
    provider: Contract
    pool: Contract
    configurator: Contract
    data: Contract
    prices: Contract
    emissions: Contract
    rewards: Contract
    tokens: Mapping[str, Contract]
    reserves: dict[str, Reserve] = field(default_factory=dict)

    def price_calls(self, dollars: Mapping[str, float]) -> list[tuple[str, bytes]]:
        """Calls that set prices by symbol."""
        return [
            self.prices.data("setAssetPrice", self.reserves[name].token.address, round(price * DOLLAR))
            for name, price in dollars.items()
        ]

    def new_curve(self, curve: Curve) -> Contract:
        """An interest rate strategy; stable-rate borrowing is off everywhere."""
        rates = (curve.kink, curve.base, curve.low_slope, curve.high_slope)
        return deploy(
            self.chain,
            f"{CORE}/protocol/pool/DefaultReserveInterestRateStrategy.sol"
            "/DefaultReserveInterestRateStrategy.json",
            self.provider.address, *(round(one * 10**9) * 10**18 for one in rates), 0, 0, 0, 0, 0,
        )  # fmt: skip

    def add(self, many: Sequence[Terms]) -> list[Reserve]:
        """List reserves of new tokens, which anybody may mint."""
        coins = [new_coin(self.chain, terms) for terms in many]
        inputs = [
            self._listing(terms, coin, self.new_curve(terms.curve))
            for terms, coin in zip(many, coins, strict=True)
        ]
        self.configurator.send("initReserves", inputs)
        added = [self._reserve(terms, coin) for terms, coin in zip(many, coins, strict=True)]
        self.reserves.update((one.terms.symbol, one) for one in added)
        self.chain.send(call for one in added for call in self._opening(one))
        return added

    def _listing(self, terms: Terms, coin: Contract, curve: Contract) -> tuple[object, ...]:
        name = terms.symbol
        return (
            self.tokens["AToken"].address, self.tokens["StableDebtToken"].address,
            self.tokens["VariableDebtToken"].address, terms.decimals, curve.address, coin.address,
            self.chain.account, self.rewards.address,
            f"Deposits of {name}", f"a{name}", f"Debts of {name}", f"variableDebt{name}",
            f"Stable debts of {name}", f"stableDebt{name}", b"",
        )  # fmt: skip

    def _reserve(self, terms: Terms, coin: Contract) -> Reserve:
        deposits, stable, debt = self.data.call("getReserveTokensAddresses", coin.address)
        return Reserve(
            terms,
            coin,
            at(self.chain, f"{TOKENS}/AToken.sol/AToken.json", deposits),
            at(self.chain, f"{TOKENS}/StableDebtToken.sol/StableDebtToken.json", stable),
            at(self.chain, f"{TOKENS}/VariableDebtToken.sol/VariableDebtToken.json", debt),
        )

    def _opening(self, one: Reserve) -> list[tuple[str, bytes]]:
        terms, asset, configurator = one.terms, one.token.address, self.configurator
        collateral = [round(share * 10_000) for share in (terms.loan_to_value, terms.liquidation_threshold)]
        return [
            configurator.data("configureReserveAsCollateral", asset, *collateral, 10_500),
            configurator.data("setReserveBorrowing", asset, True),
            configurator.data("setReserveFactor", asset, round(terms.reserve_factor * 10_000)),
            configurator.data("setSupplyCap", asset, terms.supply_cap),
            configurator.data("setBorrowCap", asset, terms.borrow_cap),
            *self.price_calls({terms.symbol: terms.price}),
        ]

    def reward(
        self, reserve: Reserve, coin: Contract, per_second: int, end: int, transfer: Contract, price: Contract
    ) -> None:
        """Pay `per_second` base units of `coin` to depositors until the time `end`, seconds since 1970."""
        self.emissions.send("setEmissionAdmin", coin.address, self.chain.account)
        self.emissions.send(
            "configureAssets",
            [(per_second, 0, end, reserve.deposits.address, coin.address, transfer.address, price.address)],
        )

    def till(self) -> Contract:
        """Where rewards are paid from: what the chain's account holds of them."""
        return deploy(
            self.chain,
            f"{REWARDS}/transfer-strategies/PullRewardsTransferStrategy.sol/PullRewardsTransferStrategy.json",
            self.rewards.address, self.chain.account, self.chain.account,
        )  # fmt: skip


def new_coin(chain: Chain, terms: Terms) -> Contract:
    path = f"{CORE}/mocks/tokens/MintableERC20.sol/MintableERC20.json"
    return deploy(chain, path, f"{terms.symbol} of the laboratory", terms.symbol, terms.decimals)


def fixed_price(chain: Chain, dollars: float) -> Contract:
    """A price feed that always tells the same, with 8 decimals."""
    path = f"{CORE}/mocks/oracle/CLAggregators/MockAggregator.sol/MockAggregator.json"
    return deploy(chain, path, round(dollars * 10**8))


def deploy_aave(chain: Chain, name: str = "Laboratory") -> Market:
    """A market without reserves. Prices come from AaveOracle, which asks a list of set prices."""
    provider = deploy(chain, _built("protocol/configuration/PoolAddressesProvider"), name, chain.account)
    provider.send("setACLAdmin", chain.account)
    roles = deploy(chain, _built("protocol/configuration/ACLManager"), provider.address)
    provider.send("setACLManager", roles.address)
    roles.send("addPoolAdmin", chain.account)
    roles.send("addEmergencyAdmin", chain.account)
    libraries = _logic(chain)
    pool = deploy(chain, _built("protocol/pool/Pool"), provider.address, libraries=libraries)
    provider.send("setPoolImpl", pool.address)
    configurator = deploy(chain, _built("protocol/pool/PoolConfigurator"), libraries=libraries)
    provider.send("setPoolConfiguratorImpl", configurator.address)
    prices = deploy(chain, _built("mocks/oracle/PriceOracle"))
    oracle = deploy(
        chain, _built("misc/AaveOracle"), provider.address, [], [], prices.address, NOBODY, DOLLAR
    )
    provider.send("setPriceOracle", oracle.address)
    data = deploy(chain, _built("misc/AaveProtocolDataProvider"), provider.address)
    provider.send("setPoolDataProvider", data.address)
    proxy = provider.call("getPool")
    emissions, rewards = _rewards(chain, provider)
    return Market(
        chain, provider,
        at(chain, _built("protocol/pool/Pool"), proxy),
        at(chain, _built("protocol/pool/PoolConfigurator"), provider.call("getPoolConfigurator")),
        data, prices, emissions, rewards,
        {
            token: deploy(chain, f"{TOKENS}/{token}.sol/{token}.json", proxy)
            for token in ("AToken", "StableDebtToken", "VariableDebtToken")
        },
    )  # fmt: skip


def _built(path: str) -> str:
    return f"{CORE}/{path}.sol/{path.rpartition('/')[2]}.json"


def _logic(chain: Chain) -> dict[str, str]:
    """The libraries that the pool and its configurator are linked with."""
    alone = ["Borrow", "Bridge", "Configurator", "EMode", "Liquidation", "Pool", "Supply"]
    found = {
        f"{name}Logic": deploy(chain, f"{LOGIC}/{name}Logic.sol/{name}Logic.json").address for name in alone
    }
    flash = deploy(chain, f"{LOGIC}/FlashLoanLogic.sol/FlashLoanLogic.json", libraries=found)
    return {**found, "FlashLoanLogic": flash.address}


def _rewards(chain: Chain, provider: Contract) -> tuple[Contract, Contract]:
    """EmissionManager, and RewardsController behind the market's proxy."""
    path = f"{REWARDS}/RewardsController.sol/RewardsController.json"
    emissions = deploy(chain, f"{REWARDS}/EmissionManager.sol/EmissionManager.json", chain.account)
    controller = deploy(chain, path, emissions.address)
    place = keccak(b"INCENTIVES_CONTROLLER")  # as Aave's own deployment names it
    provider.send("setAddressAsProxy", place, controller.address)
    proxy = at(chain, path, provider.call("getAddress", place))
    emissions.send("setRewardsController", proxy.address)
    return emissions, proxy
