"""A Uniswap v2 pair and two v3 pools, traded on every six hours, and their states as the contracts told."""

from functools import cache

from laboratory.chain import Chain, lasting_chain
from laboratory.uniswap_v2 import deploy_v2, read_pair
from laboratory.uniswap_v3 import FOREVER, deploy_v3, read_pool

from defimon.amm.pools._tick_price import sqrt_price_at

UNIT = 10**18


class Market:
    """A pair and a pool with one full-range position, traded on every six hours."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.v2, self.v3 = deploy_v2(chain), deploy_v3(chain)
        self.v3.allow(100, 1)
        self.tokens = self.v2.tokens(2)
        self.pair = self.v2.pair(self.tokens, (1_000 * UNIT, 2_000 * UNIT))
        far = 887_220
        self.pool = self.v3.pool(3_000, sqrt_price_at(1_000), [(-far, far, 1_000 * UNIT)], (0, 0))
        self.dense = self.v3.pool(
            100, sqrt_price_at(-3), [(-100, 100, UNIT), (-80_000, 70_000, UNIT)], (4, 5)
        )
        self.seen: dict[str, dict[int, object]] = {"pair": {}, "pool": {}}

    def trade(self, hours: int) -> None:
        for step in range(hours // 6):
            self.chain.rpc("evm_increaseTime", 6 * 3_600)
            first, second = (token.address for token in self.tokens)
            path = [first, second] if step % 2 else [second, first]
            assert self.v2.swap(path, exact_in=True, amount=(5 + step) * UNIT)
            fee_tokens = self.pool.ask("token0", "token1")
            order = fee_tokens if step % 2 else fee_tokens[::-1]
            self.v3.router.send(
                "exactInputSingle", (*order, 3_000, self.chain.account, FOREVER, (3 + step) * UNIT, 0, 0)
            )
            number = int(self.chain.rpc("eth_blockNumber"), 16)
            self.seen["pair"][number] = read_pair(self.pair)
            self.seen["pool"][number] = read_pool(self.pool)

    @property
    def url(self) -> str:
        return str(self.chain.http.base_url)


@cache
def played_market(days: int, chain_id: int = 31_337) -> Market:
    """A market after so many days, once a test process, on a chain of its own whose head is final.

    FileNotFoundError without anvil.
    """
    chain = lasting_chain(chain_id)
    chain.rpc("anvil_removeBlockTimestampInterval")
    made = Market(chain)
    made.trade(24 * days)
    return made
