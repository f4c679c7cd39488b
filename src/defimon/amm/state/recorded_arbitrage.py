"""Recorded arbitrage between a v2 pair and a v3 pool, funded in five ways."""

from collections.abc import Iterator

from defimon.amm.pools._errors import BadState
from defimon.amm.pools._fields import UINT112, Fields
from defimon.amm.pools.constant_product import ConstantProduct
from defimon.amm.state.document import State, Token
from defimon.amm.state.recorded_v3 import read_pool
from defimon.amm.state.recording import LOCAL_CHAIN, Gain, Recording, built, flag, objects
from defimon.amm.trading.arbitrage import OWN, Edge, Funding

PAIR = "v2"
"""The recording names no address of the pair."""

FUNDING = {
    "own": OWN,
    "v2flash": Funding.flash_swap(PAIR),
    "v3flash": Funding.v3_flash(100),
    "aave": Funding.aave(),
    "balancer": Funding.balancer(),
}
"""The pool that lends by flash is not the one that trades; the recorded profits show its fee of 100 ppm."""


def read_arbitrage(document: Fields, name: str) -> Recording:
    """Two pools, and the profit of several sizes by way of funding. No block is named: it is 0."""
    inner = Fields(document.raw("v3_state"), f"{document.path}.v3_state")
    pool_id, sides, pool = read_pool(inner)
    middle, start = sides if flag(document, "sellB_zeroForOne") else sides[::-1]
    reserves = document.integers("v2_reserves_in_out", below=UINT112)
    if len(reserves) != 2:
        raise BadState(
            f"{document.path}.v2_reserves_in_out has {len(reserves)} entries.", remedy="A pair has two."
        )
    pair = built(document.path, lambda: ConstantProduct((start, middle), (reserves[0], reserves[1])))
    tokens = tuple(
        Token(side, "", inner.integer(f"decimals{place}", below=19)) for place, side in enumerate(sides)
    )
    cycle = Edge(PAIR, start, middle), Edge(pool_id, middle, start)
    gains = tuple(gain for row in objects(document, "rows") for gain in _gains(row, cycle))
    state = State(LOCAL_CHAIN, 0, "simulated", tokens, {PAIR: pair, pool_id: pool})
    return Recording(name, state, (), gains)


def _gains(row: Fields, cycle: tuple[Edge, Edge]) -> Iterator[Gain]:
    """The recorded best size, and the profit at shares of it."""
    funding = FUNDING[row.text("method", among=tuple(FUNDING))]
    size, profit = row.integer("optimal_x", low=1, below=UINT112), row.integer("profit", low=-UINT112)
    yield Gain(f"{row.path}.profit", cycle, funding, size, profit, best=True)
    profile = Fields(row.raw("profile"), f"{row.path}.profile")
    for share in row.raw("profile"):
        path, figures = f"{profile.path}.{share}", profile.integers(str(share), low=-UINT112)
        if len(figures) != 2:
            raise BadState(f"{path} has {len(figures)} figures.", remedy="Give profit and gas.")
        yield Gain(path, cycle, funding, _part(size, str(share), path), figures[0])


def _part(size: int, share: str, path: str) -> int:
    """The recorder multiplied by a float; one times the size is the size itself."""
    try:
        factor = float(share)
    except ValueError:
        factor = -1.0
    if not 0 < factor <= 1_000:
        raise BadState(f"{path} is no share of the best size.", remedy="Write a number above 0.")
    return size if factor == 1 else int(size * factor)
