import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defimon.amm.pools.constant_product import ConstantProduct
from defimon.backtest.costs import Costs, proceeds
from defimon.backtest.orders import moves
from defimon.backtest.swap_path import SwapPath
from defimon.backtest.swaps import NO_SWAP, Route, Swaps
from defimon.core.errors import FixSettings


def route(dollars, fee_ppm=500, most_slippage=0.05):
    pool = ConstantProduct(("USDC", "DAI"), (dollars * 10**6, dollars * 10**18), fee_ppm)
    return Route.of(SwapPath(("USDC", "DAI"), (pool,), (6, 18)), most_slippage)


DEEP, SHALLOW = route(10**9), route(200_000)
THREE = Swaps([DEEP, SHALLOW], np.array([NO_SWAP, 0, 1, 1]))
"""A pool of the cash token, one of an asset that is easy to buy, two of one that is not."""


def cash_after(cash, planned, costs):
    spent = planned.deposit.sum() * (1 + costs.rate) + costs.gas_usd * np.count_nonzero(planned.deposit)
    return cash + proceeds(planned.withdraw, costs) - spent - planned.swap.sum()


def test_a_deposit_shrinks_by_exactly_what_its_swap_loses():
    planned = moves(np.zeros(4), 5_000.0, np.array([0.0, 0.0, 1.0, 0.0]), Costs(), swaps=THREE)
    deposit = planned.deposit[2]
    assert planned.swap.tolist() == [0.0, 0.0, SHALLOW.into.at(deposit), 0.0]
    assert deposit + planned.swap[2] == pytest.approx(5_000.0, rel=1e-11)
    assert 20 < planned.swap[2] / deposit * 1e4 < 300


def test_a_pool_of_the_cash_token_needs_no_swap():
    planned = moves(np.zeros(4), 5_000.0, np.array([1.0, 0, 0, 0]), Costs(), swaps=THREE)
    assert planned.deposit[0] == pytest.approx(5_000.0)
    assert planned.swap.sum() == 0


def test_leaving_a_pool_pays_the_way_back_to_cash():
    planned = moves(np.array([0.0, 0, 5_000.0, 0]), 0.0, np.zeros(4), Costs(), swaps=THREE)
    assert planned.withdraw[2] == 5_000.0
    assert planned.swap[2] == SHALLOW.out.at(5_000.0)


def test_money_that_stays_in_its_asset_is_not_sold_and_bought_back():
    planned = moves(np.array([0.0, 0, 5_000.0, 0]), 0.0, np.array([0, 0, 0, 1.0]), Costs(), swaps=THREE)
    assert planned.deposit[3] == pytest.approx(5_000.0)
    assert planned.swap.sum() == pytest.approx(0.0, abs=1e-6)


def test_pools_of_one_asset_share_the_impact_of_their_orders():
    both = moves(np.zeros(4), 8_000.0, np.array([0, 0, 0.5, 0.5]), Costs(), swaps=THREE)
    assert both.swap.sum() == pytest.approx(SHALLOW.into.at(both.deposit.sum()))
    assert both.swap[2] == pytest.approx(both.swap[3])
    assert both.swap.sum() > 2 * SHALLOW.into.at(4_000.0) - 1e-9


def test_an_order_beyond_the_means_of_the_pool_is_cut_and_the_rest_refused():
    planned = moves(np.zeros(4), 1e6, np.array([0.3, 0, 0.7, 0]), Costs(), swaps=THREE)
    assert planned.deposit[2] == pytest.approx(SHALLOW.into.most)
    assert planned.deposit[0] == pytest.approx(300_000.0)
    assert planned.refused.tolist() == [False, False, True, False]
    back = moves(np.array([0, 0, 40_000.0, 0]), 0.0, np.array([1.0, 0, 0, 0]), Costs(), swaps=THREE)
    assert back.withdraw[2] == pytest.approx(SHALLOW.out.most)
    assert back.refused.tolist() == [True, False, True, False]


def test_a_change_of_pool_within_an_asset_is_not_held_up_by_what_can_be_sold():
    held = np.array([0.0, 0, 1e6, 0])
    planned = moves(held, 0.0, np.array([0, 0, 0, 1.0]), Costs(bps_per_side=5), swaps=THREE)
    assert planned.withdraw[2] == 1e6
    assert planned.deposit[3] == pytest.approx(1e6, rel=3e-3)
    assert cash_after(0.0, planned, Costs(5)) == pytest.approx(0.0, abs=1e-5)
    assert not planned.refused.any()


def test_a_change_within_an_asset_that_costs_more_than_can_be_sold_is_made_in_part():
    held, costs = np.array([0.0, 0, 1e6, 0]), Costs(bps_per_side=300)
    planned = moves(held, 0.0, np.array([0, 0, 0, 1.0]), costs, swaps=THREE)
    assert planned.withdraw[2] == pytest.approx(SHALLOW.out.most)
    assert 0 < planned.deposit[3] < planned.withdraw[2]
    assert cash_after(0.0, planned, costs) >= -1e-9
    assert planned.refused.tolist() == [False, False, True, True]


def test_a_withdrawal_that_only_pays_its_costs_is_not_made():
    planned = moves(np.array([0, 0, 1.0004, 0]), 0.0, np.zeros(4), Costs(gas_usd=1), swaps=THREE)
    assert not planned.any


@pytest.mark.parametrize("slippage", [0.0, 1.0, float("nan")])
def test_an_impossible_slippage_is_refused_by_name(slippage):
    with pytest.raises(FixSettings) as refusal:
        route(10**6, most_slippage=slippage)
    assert refusal.value.variable == "most_slippage"


USD = st.one_of(st.just(0.0), st.floats(0.0, 100.0), st.floats(0.0, 3e6))


@settings(max_examples=300, deadline=None)
@given(
    holdings=st.lists(USD, min_size=4, max_size=4),
    cash=USD,
    shares=st.lists(st.one_of(st.just(0.0), st.floats(0, 1)), min_size=5, max_size=5),
    bps=st.one_of(st.just(0.0), st.floats(0, 2_000), st.floats(0, 9_999)),
    gas=st.one_of(st.just(0.0), st.floats(0, 50)),
    flags=st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_cash_and_balances_never_fall_below_zero(holdings, cash, shares, bps, gas, flags):
    given_holdings, costs = np.array(holdings), Costs(bps, gas)
    planned = moves(
        given_holdings,
        cash,
        np.array(shares[:4]) / max(sum(shares), 1.0),
        costs,
        may_deposit=np.array(flags[:4]),
        may_withdraw=np.array(flags[4:]),
        swaps=THREE,
    )
    assert cash_after(cash, planned, costs) >= -1e-9
    assert (given_holdings - planned.withdraw >= 0).all()
    assert (planned.deposit >= 0).all()
    net = THREE.by_route(planned.deposit - planned.withdraw)
    assert (net <= THREE.most_in * (1 + 1e-9)).all()
    assert (-net <= THREE.most_out * (1 + 1e-9)).all()
    assert planned.swap.sum() == pytest.approx(THREE.costs(net).sum(), rel=1e-6, abs=1e-9)
    assert given_holdings.tolist() == holdings
