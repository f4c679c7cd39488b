"""A followed pool in a store, as the collector would have left it: a golden pool, with swaps as logs."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from numpy.random import default_rng

from defimon.amm.pools._fields import Fields
from defimon.amm.state.document import write_state
from defimon.amm.state.recorded_v3 import read_v3
from defimon.core.tables import TABLES
from defimon.flows._pool_swaps import SWAP_V3
from defimon.flows.impact import read_statistics

FILE = Path(__file__).resolve().parents[1] / "golden" / "v3_500_18_6_many_ranges.json"
START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@cache
def golden():
    return json.loads(FILE.read_text())


class Chain:
    """A followed pool: what the collector would have stored of it."""

    def __init__(self, store):
        self.store, self.recorded = store, read_v3(Fields(golden(), "file"), "golden").state
        ((self.address, self.pool),) = self.recorded.pools.items()
        self.number = 0

    def row(self, table, **values):
        ts = START + self.number * MINUTE
        fixed = {"chain": "local", "number": self.number, "ts": ts, "known_at": ts, "block_hash": "0x0"}
        told = {"source": "uniswap", "origin": "simulated"}
        self.store.write(table, TABLES[table].rows([{**fixed, **told, **values}]))

    def keep_state(self):
        state = type(self.recorded)(
            31_337, self.number, "simulated", self.recorded.tokens, {self.address: self.pool}
        )
        self.row("pool_states", pool_id=self.address, document=json.dumps(write_state(state)))

    def swap(self, *sales):
        """One block with a swap for each (place of the token sold, amount)."""
        self.number += 1
        quotes = []
        for index, (sold, amount) in enumerate(sales):
            sell, buy = self.pool.tokens[sold], self.pool.tokens[1 - sold]
            quote = self.pool.quote_exact_in(sell, buy, amount)
            net = [quote.amount_in, -quote.amount_out][:: 1 if sold == 0 else -1]
            self.pool = quote.after
            self.log(index, net, self.pool.sqrt_price_x96, self.pool.liquidity, self.pool.tick)
            quotes.append(quote)
        return quotes

    def log(self, index, net, price, liquidity, tick):
        words = (one % (1 << 256) for one in (*net, price, liquidity, tick))
        self.raw_log(index, "0x" + "".join(f"{word:064x}" for word in words))

    def raw_log(self, index, data, kind=SWAP_V3):
        self.row(
            "events", log_index=index, address=self.address, transaction_hash="0x0",
            topics=f"{kind},0x0,0x0", data=data, removed=False,
        )  # fmt: skip


def traded_pool(store):
    """The golden pool after sixty blocks of swaps about as large as those executed on it, and its state."""
    made, draw = Chain(store), default_rng(8)
    made.keep_state()
    for _ in range(60):
        made.swap((0, int(draw.lognormal() * 3e14)), (1, int(draw.lognormal() * 1e6)))
    made.keep_state()
    return made


def statistics(chain, sold=0):
    sell, buy = chain.pool.tokens[sold], chain.pool.tokens[1 - sold]
    return read_statistics(chain.store, f"uniswap-v3:local:{chain.address}", sell, buy)
