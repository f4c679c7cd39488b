import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defimon.backtest.costs import Costs
from defimon.backtest.orders import moves, proceeds
from defimon.core.errors import FixSettings

USD = st.floats(0.0, 1e6)


def balances_after(holdings, cash, planned, costs):
    left = cash + proceeds(planned.withdraw, costs)
    left -= planned.deposit.sum() * (1 + costs.rate) + costs.gas_usd * np.count_nonzero(planned.deposit)
    return holdings - planned.withdraw + planned.deposit, left


def test_without_costs_the_weights_are_reached_exactly():
    holdings, cash = np.array([50.0, 0.0, 30.0]), 20.0
    planned = moves(holdings, cash, np.array([0.5, 0.5, 0.0]), Costs())
    after, left = balances_after(holdings, cash, planned, Costs())
    assert after == pytest.approx([50.0, 50.0, 0.0])
    assert left == pytest.approx(0.0, abs=1e-9)
    assert not planned.withdraw[0]
    assert not planned.deposit[0]


def test_deposits_shrink_alike_to_leave_room_for_their_costs():
    costs = Costs(bps_per_side=100, gas_usd=1)
    planned = moves(np.zeros(2), 1_000.0, np.array([0.75, 0.25]), costs)
    assert planned.deposit.sum() * 1.01 + 2 == pytest.approx(1_000.0)
    assert planned.deposit[0] == pytest.approx(3 * planned.deposit[1])


def test_a_small_change_is_left_alone_but_leaving_a_pool_is_not():
    holdings = np.array([50.2, 49.0, 0.8])
    planned = moves(holdings, 0.0, np.array([0.5, 0.5, 0.0]), Costs(), smallest=0.01)
    assert planned.withdraw.tolist() == [0.0, 0.0, 0.8]
    assert not planned.deposit.any()


def test_a_paused_pool_pays_nothing_out_and_its_move_is_told_as_refused():
    planned = moves(
        np.array([60.0, 40.0, 0.0]),
        0.0,
        np.array([0.0, 0.0, 1.0]),
        Costs(),
        may_withdraw=np.array([False, True, True]),
        may_deposit=np.array([False, True, True]),
    )
    assert planned.withdraw.tolist() == [0.0, 40.0, 0.0]
    assert planned.deposit[2] == pytest.approx(40.0)
    assert planned.refused.tolist() == [True, False, True]


def test_a_frozen_pool_takes_no_deposit():
    planned = moves(np.zeros(2), 100.0, np.array([0.5, 0.5]), Costs(), may_deposit=np.array([False, True]))
    assert planned.deposit.tolist() == [0.0, pytest.approx(50.0)]
    assert planned.refused.tolist() == [True, False]


def test_a_withdrawal_that_does_not_pay_its_own_gas_is_not_made():
    planned = moves(np.array([0.5, 0.0]), 0.0, np.array([0.0, 1.0]), Costs(gas_usd=1))
    assert not planned.any


def test_when_gas_is_too_dear_for_all_deposits_the_smallest_go_first():
    planned = moves(np.zeros(3), 10.0, np.array([0.5, 0.2, 0.3]), Costs(gas_usd=2.5))
    assert planned.deposit[0] > 0
    assert planned.deposit[1] == 0


@pytest.mark.parametrize("bps", [-1.0, 10_000.0, float("nan")])
def test_impossible_costs_are_refused_by_name(bps):
    with pytest.raises(FixSettings) as refusal:
        Costs(bps_per_side=bps)
    assert refusal.value.variable == "bps"


@given(
    holdings=st.lists(USD, min_size=1, max_size=6),
    cash=USD,
    shares=st.lists(st.floats(0, 1), min_size=7, max_size=7),
    bps=st.floats(0, 2_000),
    gas=st.floats(0, 50),
    flags=st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_no_move_makes_cash_or_a_balance_negative(holdings, cash, shares, bps, gas, flags):
    count = len(holdings)
    weights = np.array(shares[:count]) / max(sum(shares[: count + 1]), 1.0)
    costs = Costs(bps, gas)
    given_holdings = np.array(holdings)
    planned = moves(
        given_holdings,
        cash,
        weights,
        costs,
        may_deposit=np.array(flags[:count]),
        may_withdraw=np.array(flags[6 : 6 + count]),
    )
    after, left = balances_after(given_holdings, cash, planned, costs)
    assert left >= -1e-9
    assert (after >= 0).all()
    assert given_holdings.tolist() == holdings
    assert not (planned.deposit[~np.array(flags[:count])]).any()
    assert not (planned.withdraw[~np.array(flags[6 : 6 + count])]).any()
