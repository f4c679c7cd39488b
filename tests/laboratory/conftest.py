"""The laboratory: one local EVM a test process, and the seed of everything random in it."""

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1]))  # so that `laboratory.chain` can be imported

from laboratory.chain import Chain, binary
from laboratory.contracts import Contract
from laboratory.pool_shapes import draw_shape
from laboratory.uniswap_v3 import UniswapV3, deploy_v3, read_pool

from defimon.amm.pools.concentrated import Concentrated

SEED = int(os.environ.get("LABORATORY_SEED") or random.SystemRandom().randrange(1 << 15))


@pytest.fixture(scope="session")
def laboratory_seed() -> int:
    """Set LABORATORY_SEED to repeat a run; scripts/test chooses one for all its processes and prints it."""
    return SEED


@pytest.fixture(autouse=True)
def _say_the_seed() -> None:
    print(f"LABORATORY_SEED={SEED}")  # noqa: T201 - pytest shows it with a test that fails


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """A fresh local EVM; a test that asks for it skips where npm has not installed one."""
    try:
        binary()
    except FileNotFoundError as missing:
        pytest.skip(f"needs npm: 'npm ci --ignore-scripts' in tests/laboratory did not bring {missing}")
    running = Chain.start(tmp_path_factory.mktemp("anvil"))
    yield running
    running.stop()


FEES = {100: 1, 500: 10, 3_000: 60, 10_000: 200}
"""Fee in parts per million and tick spacing. UniswapV3Factory has the last three; 100 was voted in later."""

POOLS = [*FEES, *FEES, None, None]
"""Two of each fee, and two of a random fee and spacing, as forks have them."""


@pytest.fixture(scope="session")
def uniswap_v3(chain: Chain) -> UniswapV3:
    uniswap = deploy_v3(chain)
    uniswap.allow(100, FEES[100])
    return uniswap


@pytest.fixture(scope="session", params=range(len(POOLS)))
def v3_pool(
    request: pytest.FixtureRequest, uniswap_v3: UniswapV3, laboratory_seed: int
) -> tuple[Contract, Concentrated]:
    """Pools of random prices, ranges and protocol shares, and how each began: earlier tests have moved it."""
    draw = random.Random(f"v3 pool {request.param} {laboratory_seed}")
    fee = POOLS[request.param]
    if fee is None:
        fee, spacing = draw.choice([0, 1, draw.randrange(1_000_000), 999_999]), draw.randint(1, 500)
        while uniswap_v3.factory.call("feeAmountTickSpacing", fee) > 0:  # taken by another pool
            fee = draw.randrange(1_000_000)
        uniswap_v3.allow(fee, spacing)
    else:
        spacing = FEES[fee]
    shape = draw_shape(draw, spacing)
    pool = uniswap_v3.pool(fee, shape.sqrt_price, shape.positions, shape.share)
    return pool, read_pool(pool)
