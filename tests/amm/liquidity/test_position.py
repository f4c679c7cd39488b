"""A position's amounts, value and expected loss at each price."""

from math import inf, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from defimon.amm.liquidity.position import Position
from defimon.core.errors import BadData

PRICES = np.array([0.01, 0.5, 0.8, 1.0, 1.1, 1.25, 2.0, 80.0])


def test_a_v2_share_holds_equal_values_of_both_tokens():
    amount0, amount1 = Position.share_of(0.01, 1_000.0, 4_000.0).amounts(4.0)
    assert (amount0, amount1) == (pytest.approx(10.0), pytest.approx(40.0))


def test_a_v3_position_over_the_full_range_is_a_v2_share():
    full, share = Position.between_ticks(5.0, -887_272, 887_272), Position(5.0)
    assert full.value(PRICES) == pytest.approx(share.value(PRICES), rel=1e-12)
    for one, other in zip(full.amounts(PRICES), share.amounts(PRICES), strict=True):
        assert one == pytest.approx(other, rel=1e-12)


def test_outside_the_range_a_position_is_one_token_only():
    position = Position(3.0, 0.8, 1.25)
    amount0, amount1 = position.amounts(PRICES)
    assert (amount1[PRICES <= 0.8] == 0).all()
    assert (amount0[PRICES >= 1.25] == 0).all()
    assert (amount0[PRICES < 1.25] > 0).all()
    assert position.holds_in_range(PRICES).tolist() == [False, False, True, True, True, False, False, False]
    assert amount0[0] == amount0[1] == pytest.approx(3 * (1 / sqrt(0.8) - 1 / sqrt(1.25)))


def test_a_position_opened_with_a_value_is_worth_it():
    position = Position.worth(10_000.0, 1_800.0, 1_500.0, 2_200.0)
    assert position.value(1_800.0) == pytest.approx(10_000.0)
    assert position.liquidity > Position.worth(10_000.0, 1_800.0).liquidity


@settings(deadline=None)
@given(some.floats(0.01, 100), some.floats(1e-3, 1), some.floats(1.001, 1e3))
def test_a_turned_position_holds_the_same_valued_in_the_other_token(price, below, above):
    position = Position(2.0, price * below, price * above)
    amount0, amount1 = position.amounts(price)
    turned0, turned1 = position.turned().amounts(1 / price)
    assert (turned1, turned0) == (pytest.approx(amount0, rel=1e-9), pytest.approx(amount1, rel=1e-9))
    assert position.turned().value(1 / price) == pytest.approx(position.value(price) / price, rel=1e-9)
    assert Position(2.0).turned() == Position(2.0)


@settings(deadline=None)
@given(some.floats(0.1, 10), some.floats(0.1, 10), some.floats(0.05, 0.99), some.floats(1.01, 20))
def test_value_is_a_rising_curve_below_its_tangent(price, other, below, above):
    position = Position(1.0, below, above)
    amount0, _ = position.amounts(price)
    tangent = position.value(price) + amount0 * (other - price)
    assert position.value(other) <= tangent * (1 + 1e-12)
    assert (position.value(max(price, other)) - position.value(min(price, other))) >= -1e-12


def test_the_expected_loss_of_a_v2_share_is_an_eighth_of_the_variance_of_its_value():
    position = Position(7.0)
    assert position.loss_rate(PRICES, 0.6) == pytest.approx(0.6**2 / 8 * position.value(PRICES))


def test_the_expected_loss_is_half_the_variance_times_the_curvature_and_none_outside():
    position, price, step = Position(7.0, 0.8, 1.25), 1.05, 1e-4
    up, at, down = position.value([price + step, price, price - step])
    curvature = (up - 2 * at + down) / step**2
    assert position.loss_rate(price, 0.9) == pytest.approx(-(0.9**2) / 2 * price**2 * curvature, rel=1e-5)
    assert position.loss_rate([0.5, 1.25, 3.0], 0.9).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "wrong", [(0.0, 0.0, 1.0), (inf, 0.0, 1.0), (1.0, 2.0, 1.0), (1.0, -1.0, 1.0), (1.0, 1.0, 1.0)]
)
def test_a_position_that_cannot_be_is_refused(wrong):
    with pytest.raises(BadData):
        Position(*wrong)


def test_ticks_out_of_order_or_range_and_prices_that_are_none_are_refused():
    for ticks in ((10, 10), (-900_000, 0), (5, -5)):
        with pytest.raises(BadData):
            Position.between_ticks(1.0, *ticks)
    for price in (0.0, -1.0, float("nan"), inf):
        with pytest.raises(BadData, match="price"):
            Position(1.0).value(price)
