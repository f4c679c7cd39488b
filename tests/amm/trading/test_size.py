from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defimon.amm.pools._errors import LeavesState, Refused
from defimon.amm.pools._tick_table import TickTable
from defimon.amm.pools.concentrated import Concentrated
from defimon.amm.pools.constant_product import ConstantProduct
from defimon.amm.trading._sawtooth import Sawtooth
from defimon.amm.trading.size import best_size, largest_within_impact, largest_within_slippage
from defimon.core.errors import BadData

RESERVE = st.integers(2, 400)
SMALL = st.builds(
    ConstantProduct,
    st.just(("A", "B")),
    st.tuples(RESERVE, RESERVE),
    st.sampled_from([0, 100, 3_000, 10_000]),
)
PRICE = st.builds(Fraction, st.integers(1, 30), st.integers(1, 30))


@settings(max_examples=30, deadline=None)
@given(SMALL, PRICE)
def test_the_best_size_gains_as_much_as_brute_force_finds(pool, price):
    found = best_size(pool, "A", "B", price, window=2_000)
    gains = {
        amount: pool.quote_exact_in("A", "B", amount).amount_out * price - amount
        for amount in range(1, int(pool.reserves[1] * price) + 2)
    }
    best = max(gains.values())
    if best <= 0:
        assert found is None
    else:
        assert found.gain == best
        assert found.quote.amount_in == min(amount for amount, gain in gains.items() if gain == best)
        assert found.proven


@settings(max_examples=30, deadline=None)
@given(SMALL, st.fractions(0, 1, max_denominator=100).filter(lambda share: share < 1))
def test_the_largest_size_within_a_slippage_is_the_largest_that_brute_force_finds(pool, slippage):
    def fits(amount):
        return pool.quote_exact_in("A", "B", amount).slippage <= slippage

    least = (1 - slippage) * pool.spot_price("A", "B")
    fitting = [amount for amount in range(1, int(pool.reserves[1] / least) + 2) if fits(amount)]
    if fitting:
        assert largest_within_slippage(pool, "A", "B", slippage).amount_in == fitting[-1]
    else:
        with pytest.raises(Refused, match="slippage"):
            largest_within_slippage(pool, "A", "B", slippage)


def test_the_largest_size_within_an_impact_is_the_pools_own_answer():
    pool = ConstantProduct(("A", "B"), (10**24, 10**24))
    quote = largest_within_impact(pool, "A", "B", Fraction(30, 10_000))
    assert quote == pool.largest_within("A", "B", Fraction(30, 10_000))
    assert quote.price_impact <= Fraction(30, 10_000)
    assert pool.quote_exact_in("A", "B", quote.amount_in + 1).price_impact > Fraction(30, 10_000)


def test_the_best_size_of_a_deep_pool_meets_its_closed_form_to_a_base_unit():
    pool = ConstantProduct(("A", "B"), (10**24, 10**24), 0)
    found = best_size(pool, "A", "B", Fraction(4))
    # Without fee, 4 k x / (k + x) - x is highest at x = k, where it is k.
    assert 0 <= 10**24 - found.gain < 4
    assert abs(found.quote.amount_in - 10**24) < 10**13


def test_gas_lowers_the_gain_and_refuses_what_it_eats_up():
    pool = ConstantProduct(("A", "B"), (10**9, 10**9), 0)
    free = best_size(pool, "A", "B", Fraction(2))
    paid = best_size(pool, "A", "B", Fraction(2), gas_sold=5, gas_bought=7)
    assert free.gain - paid.gain == 5 + 7 * 2
    assert paid.quote == free.quote
    assert best_size(pool, "A", "B", Fraction(2), gas_sold=free.gain) is None


def test_a_best_size_at_the_edge_of_what_was_recorded_is_an_error():
    table = TickTable(60, ((-600, 10**18, 10**18), (600, 10**18, -(10**18))), frozenset({-1, 0}))
    pool = Concentrated(("A", "B"), 3_000, 2**96, 0, 10**18, table)
    assert best_size(pool, "A", "B", Fraction(101, 100)).quote.amount_in < 10**16
    narrow = TickTable(1, (), frozenset({0}))
    cut = Concentrated(("A", "B"), 3_000, 2**96, 0, 10**18, narrow)
    for sell, buy in (("A", "B"), ("B", "A")):
        with pytest.raises(LeavesState):
            best_size(cut, sell, buy, Fraction(2))


def test_a_price_or_a_share_out_of_range_is_refused():
    pool = ConstantProduct(("A", "B"), (100, 100))
    with pytest.raises(BadData, match="price"):
        best_size(pool, "A", "B", Fraction(0))
    with pytest.raises(BadData, match="slippage"):
        largest_within_slippage(pool, "A", "B", Fraction(1))


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 400), st.integers(0, 3), st.integers(1, 9))
def test_the_peak_of_a_sawtooth_is_the_first_of_the_highest_points(top, flat, step):
    def worth(x):
        return -((x // step * step - top) ** 2) // 7

    curve = Sawtooth(worth, lambda x: flat * x // 3)
    found = curve.peak(0, 800, window=2_000)
    heights = [worth(x) - flat * x // 3 for x in range(801)]
    assert found.height == max(heights)
