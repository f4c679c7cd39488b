import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defimon.amm.pools._errors import Refused
from defimon.amm.pools.constant_product import ConstantProduct
from defimon.amm.state.recorded import read_pools
from defimon.backtest.swap_curve import swap_curve
from defimon.backtest.swap_path import SwapPath
from defimon.core.errors import BadData

TENTH_BP = 1e-5
GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def pair(cash_usd, price, decimals, fee_ppm=500, tokens=("USDC", "DAI")):
    """A pair of 6-decimal dollars worth `cash_usd` and an asset of `price` USD a token."""
    asset = int(cash_usd / price * 10**decimals)
    return ConstantProduct(tokens, (int(cash_usd * 10**6), asset), fee_ppm)


def path_of(cash_usd=1_000_000, price=1.0, decimals=18, fee_ppm=500):
    return SwapPath(("USDC", "DAI"), (pair(cash_usd, price, decimals, fee_ppm),), (6, decimals))


def exact(path, given_units, *, into, one_usd=10**6):
    """USD the asset is worth at mid price and USD lost, from the pools' own answers."""
    (back,) = path.swapped([given_units], into=into)
    worth = Fraction(back if into else given_units) * path.mid()
    lost = given_units - worth if into else worth - back
    return float(worth / one_usd), float(lost / one_usd)


def units(path, usd, *, into):
    return max(int(usd * 10**6) if into else int(usd * 10**6 / path.mid()), 1)


@pytest.mark.parametrize("into", [True, False])
def test_a_cost_on_the_curve_is_the_loss_of_the_exact_quote(into):
    path = path_of()
    curve = swap_curve(path, into=into, most_slippage=0.05)
    for dollars in (1, 2, 64, 1024):
        worth, lost = exact(path, units(path, dollars, into=into), into=into)
        assert curve.at(worth) == pytest.approx(lost, rel=1e-9)
    assert curve.at(0.0) == 0.0


@settings(max_examples=40, deadline=None)
@given(
    cash=st.floats(1e4, 1e9),
    price=st.sampled_from([1.0, 0.97, 3_000.0, 90_000.0]),
    decimals=st.sampled_from([6, 8, 18]),
    fee=st.sampled_from([0, 100, 3_000, 10_000]),
    into=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_between_its_points_the_curve_is_within_a_tenth_of_a_basis_point_and_rounding(
    cash, price, decimals, fee, into, seed
):
    path = path_of(cash, price, decimals, fee)
    curve = swap_curve(path, into=into, most_slippage=0.05)
    unit = 2 * float(max(Fraction(1), path.mid())) / 10**6
    lowest = max(1.0, 1_000 * unit)
    sizes = np.random.default_rng(seed).uniform(np.log(lowest), np.log(curve.most * 0.99), 50)
    for usd in np.exp(sizes):
        worth, lost = exact(path, units(path, usd, into=into), into=into)
        assert abs(curve.at(worth) - lost) <= TENTH_BP * worth + 2 * unit


RECORDED = [
    (file, pool_id, into)
    for file in ("v3_100_6_6_dense.json", "v3_500_18_6_many_ranges.json", "stableswap_ng.json")
    for pool_id in read_pools(json.loads((GOLDEN / file).read_text())).pools
    for into in (True, False)
]


@pytest.mark.parametrize(("file", "pool_id", "into"), RECORDED)
def test_recorded_pools_of_other_types_are_followed_as_closely(file, pool_id, into):
    state = read_pools(json.loads((GOLDEN / file).read_text()))
    pool = state.pools[pool_id]
    cash, asset = pool.tokens[1], pool.tokens[0]
    path = SwapPath((cash, asset), (pool,), (state.token(cash).decimals, state.token(asset).decimals))
    curve = swap_curve(path, into=into, most_slippage=0.05)
    one_usd = 10 ** path.decimals[0]
    unit = 2 * float(max(Fraction(1), path.mid()) / one_usd)
    for usd in np.exp(np.random.default_rng(2).uniform(0, np.log(curve.most * 0.99), 60)):
        given_units = int(usd * one_usd) if into else int(usd * one_usd / path.mid())
        worth, lost = exact(path, given_units, into=into, one_usd=one_usd)
        assert abs(curve.at(worth) - lost) <= TENTH_BP * worth + 2 * unit


@pytest.mark.parametrize("into", [True, False])
def test_larger_swaps_cost_more_in_basis_points(into):
    curve = swap_curve(path_of(), into=into, most_slippage=0.2)
    sizes = np.geomspace(10, curve.most, 60)
    shares = np.array([curve.at(usd) / usd for usd in sizes])
    assert (np.diff(shares) > 0).all()
    assert shares[0] == pytest.approx(0.0005, rel=0.1)


@pytest.mark.parametrize("into", [True, False])
def test_the_curve_ends_where_a_swap_loses_what_it_may(into):
    path = path_of()
    curve = swap_curve(path, into=into, most_slippage=0.02)
    given_usd = curve.most + (curve.cost[-1] if into else 0.0)
    assert curve.cost[-1] / given_usd == pytest.approx(0.02, abs=1e-6)


def test_a_path_over_two_pools_quotes_the_second_with_what_the_first_gives():
    first, second = (
        pair(2e6, 3_000.0, 18, 500, ("USDC", "WETH")),
        ConstantProduct(("DAI", "WETH"), (3 * 10**24, 10**21), 3_000),
    )
    path = SwapPath(("USDC", "WETH", "DAI"), (first, second), (6, 18))
    between = first.quote_exact_in("USDC", "WETH", 5 * 10**9).amount_out
    assert path.swapped([5 * 10**9], into=True) == [second.quote_exact_in("WETH", "DAI", between).amount_out]
    assert float(path.mid() * 10**12) == pytest.approx(1.0)
    curve = swap_curve(path, into=True, most_slippage=0.05)
    worth, lost = exact(path, 4096 * 10**6, into=True)
    assert curve.at(worth) == pytest.approx(lost, rel=1e-9)


def test_a_path_that_does_not_fit_together_is_refused():
    pool = pair(1e6, 1.0, 18)
    with pytest.raises(BadData, match="one token more"):
        SwapPath(("USDC", "DAI", "WETH"), (pool,), (6, 18))
    with pytest.raises(BadData, match="twice"):
        SwapPath(("USDC", "DAI", "USDC"), (pool, pool), (6, 6))
    with pytest.raises(BadData, match="does not hold"):
        SwapPath(("USDC", "WETH"), (pool,), (6, 18))


def test_a_pool_that_is_too_dear_from_the_start_has_no_curve():
    with pytest.raises(BadData, match=r"loses less than 5\.00%"):
        swap_curve(path_of(fee_ppm=60_000), into=True, most_slippage=0.05)


def test_a_swap_that_a_pool_would_revert_is_told_by_the_path():
    with pytest.raises(Refused):
        path_of().swapped([0], into=True)


@pytest.mark.parametrize("into", [True, False])
def test_a_pool_that_is_all_but_emptied_still_gives_a_rising_curve(into):
    state = read_pools(json.loads((GOLDEN / "stableswap_ng.json").read_text()))
    for pool in state.pools.values():
        decimals = (state.token(pool.tokens[0]).decimals, state.token(pool.tokens[1]).decimals)
        curve = swap_curve(SwapPath(pool.tokens[:2], (pool,), decimals), into=into, most_slippage=0.9)
        assert (np.diff(curve.usd) > 0).all()
        assert curve.usd[0] == curve.cost[0] == 0
        assert np.isfinite(curve.cost).all()
