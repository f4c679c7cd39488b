"""A small Aave v3 market with a lender and a borrower, and what its contracts said day by day."""

from functools import cache

from laboratory.aave import UNLIMITED, VARIABLE, Curve, Market, Reserve, Terms, deploy_aave
from laboratory.chain import Chain, lasting_chain

BORROWER = "0x" + "b0" * 20
DAYS = 5


class Scene:
    """A lender of 1,000,000 USDC, a borrower against ether; `said` is the contracts' word each midnight."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.market = deploy_aave(chain)
        self.usdc, self.ether, self.frozen = self.market.add(
            [
                Terms(
                    "USDC", 6, curve=Curve(0.9, 0.0, 0.055, 0.6), supply_cap=40_000_000, borrow_cap=9_000_000
                ),
                Terms("WETH", 18, 2_500.0, Curve(0.8, 0.01, 0.03, 0.8), reserve_factor=0.15),
                Terms("OLD", 8, 3.0),
            ]
        )
        self.market.configurator.send("setReserveFreeze", self.frozen.token.address, True)
        self.supply(self.usdc, 1_000_000, chain.account)
        self.supply(self.ether, 600, BORROWER)
        self.borrow(self.usdc, 700_000)
        self.said: list[dict[str, list[int]]] = []
        for _ in range(DAYS):
            self.pass_a_day()

    def supply(self, reserve: Reserve, tokens: float, account: str) -> None:
        asset, amount = reserve.token, reserve.units(tokens)
        for to, data in (
            asset.data("mint", amount),
            asset.data("approve", self.market.pool.address, UNLIMITED),
            self.market.pool.data("supply", asset.address, amount, account, 0),
        ):
            self.send(account, to, data)

    def borrow(self, reserve: Reserve, tokens: float) -> None:
        values = (reserve.token.address, reserve.units(tokens), VARIABLE, 0, BORROWER)
        self.send(BORROWER, *self.market.pool.data("borrow", *values))

    def send(self, account: str, to: str, data: bytes) -> None:
        if account == self.chain.account:
            self.chain.send([(to, data)])
        else:
            self.chain.send_from(account, to, data)

    def pass_a_day(self) -> None:
        """An action at noon, the last block of the day right before midnight, and the next day's first."""
        now = int(self.chain.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
        midnight = (now // 86_400 + 1) * 86_400
        self.chain.rpc(
            "evm_setNextBlockTimestamp", midnight - 43_200 if now < midnight - 43_300 else now + 60
        )
        self.supply(self.usdc, 1_000 * (1 + len(self.said)), self.chain.account)
        self.chain.rpc("evm_setNextBlockTimestamp", midnight - 5)
        self.chain.rpc("evm_mine")
        self.said.append(self.told())
        self.chain.rpc("evm_mine")

    def told(self) -> dict[str, list[int]]:
        """What the contracts' own view functions answer now, and what the lender could withdraw."""
        return {
            one.token.address: [
                *self.market.data.call("getReserveData", one.token.address),
                self.market.pool.call("getReserveNormalizedIncome", one.token.address),
                one.deposits.call("balanceOf", self.chain.account),
            ]
            for one in self.reserves
        }

    @property
    def reserves(self) -> list[Reserve]:
        return [self.usdc, self.ether, self.frozen]


def settings_for(market: Market, name: str = "local") -> dict[str, object]:
    """Settings that follow this one market, on the chain of that name."""
    url = str(market.chain.http.base_url)
    return {"rpc": {name: (url,)}, "aave_markets": (f"{name}:{market.provider.address}",)}


@cache
def played_scene(chain_id: int) -> Scene:
    """One a test process, on a chain of its own whose head is final. FileNotFoundError without anvil."""
    return Scene(lasting_chain(chain_id))
