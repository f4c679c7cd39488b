"""Uniswap v2 deployed from npm: factory, Router02, and pairs with given reserves."""

from dataclasses import dataclass

from laboratory.chain import FIRST_BLOCK, Chain, Reverted
from laboratory.contracts import Contract, at, deploy

from defimon.amm.pools.constant_product import ConstantProduct

CORE = "@uniswap/v2-core/build"
PERIPHERY = "@uniswap/v2-periphery/build"

SUPPLY = 1 << 255
"""Of each test token: more than any pool takes."""

UNLIMITED = (1 << 256) - 1

FOREVER = FIRST_BLOCK * 10
"""A deadline that no run reaches."""


@dataclass(frozen=True)
class UniswapV2:
    """The two contracts that make pairs and trade with them; all tokens belong to the chain's account."""

    chain: Chain
    factory: Contract
    router: Contract

    def pair(self, tokens: list[Contract], reserves: tuple[int, int]) -> Contract:
        """A pair of two tokens with these reserves, in the order of the tokens."""
        addresses = [token.address for token in tokens]
        self.factory.send("createPair", *addresses)
        pair = at(self.chain, f"{CORE}/UniswapV2Pair.json", self.factory.call("getPair", *addresses))
        gifts = [
            token.data("transfer", pair.address, held) for token, held in zip(tokens, reserves, strict=True)
        ]
        self.chain.send([*gifts, pair.data("mint", self.chain.account)])
        return pair

    def tokens(self, count: int) -> list[Contract]:
        """New tokens, in the order of their addresses, that the router may take."""
        return new_tokens(self.chain, count, self.router)

    def swap(self, path: list[str], *, exact_in: bool, amount: int) -> bool:
        """Trade through the router and mine it; False when it reverts."""
        name = "swapExactTokensForTokens" if exact_in else "swapTokensForExactTokens"
        limit = 0 if exact_in else UNLIMITED
        values = (amount, limit, path, self.chain.account, FOREVER)
        try:
            self.router.call(name, *values)
        except Reverted:
            return False
        self.router.send(name, *values)
        return True


def deploy_v2(chain: Chain) -> UniswapV2:
    factory = deploy(chain, f"{CORE}/UniswapV2Factory.json", chain.account)
    wrapped = deploy(chain, f"{PERIPHERY}/WETH9.json")
    router = deploy(chain, f"{PERIPHERY}/UniswapV2Router02.json", factory.address, wrapped.address)
    return UniswapV2(chain, factory, router)


def new_tokens(chain: Chain, count: int, *spenders: Contract) -> list[Contract]:
    """Tokens in the order of their addresses, which the spenders may take from the chain's account."""
    tokens = [deploy(chain, f"{PERIPHERY}/ERC20.json", SUPPLY) for _ in range(count)]
    chain.send(token.data("approve", one.address, UNLIMITED) for token in tokens for one in spenders)
    return sorted(tokens, key=lambda token: token.address)


def read_pair(pair: Contract) -> ConstantProduct:
    """The pair's state as the contract tells it."""
    first, second, (*reserves, _) = pair.ask("token0", "token1", "getReserves")
    return ConstantProduct((first, second), (reserves[0], reserves[1]))
