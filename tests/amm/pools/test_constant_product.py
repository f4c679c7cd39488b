"""Uniswap v2: every recorded answer of the pair and its router, and what follows from the formula."""

import json
from fractions import Fraction
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defimon.amm.pools._base import Pool
from defimon.amm.pools._errors import BadState, Refused
from defimon.amm.pools.constant_product import GAS, ConstantProduct
from defimon.core.errors import BadData

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "v2_pairs.json").read_text())
LIMIT = 1 << 112

each_pair = pytest.mark.parametrize("pair", GOLDEN["pairs"], ids=lambda pair: pair["reserve0"])


def pool_of(pair):
    reserves = int(pair["reserve0"]), int(pair["reserve1"])
    return ConstantProduct((pair["token0"], pair["token1"]), reserves, 3_000)


def sides(pool, recorded):
    return pool.tokens if recorded["zeroForOne"] else pool.tokens[::-1]


@each_pair
def test_every_quote_of_the_router_is_equal_and_every_revert_is_refused(pair):
    pool = pool_of(pair)
    for recorded in pair["quotes"]:
        sell, buy = sides(pool, recorded)
        exact_in = recorded["mode"] == "exactIn"
        ask = pool.quote_exact_in if exact_in else pool.quote_exact_out
        if "revert" in recorded:
            with pytest.raises(Refused, match=r"ds-math-sub-underflow|division by zero"):
                ask(sell, buy, int(recorded["amount"]))
            continue
        quote = ask(sell, buy, int(recorded["amount"]))
        assert (quote.amount_out if exact_in else quote.amount_in) == int(recorded["amountQuoted"])


@each_pair
def test_every_executed_swap_leaves_the_recorded_reserves(pair):
    pool = pool_of(pair)
    for recorded in pair["executed"]:
        quote = pool.quote_exact_in(*sides(pool, recorded), int(recorded["amountIn"]))
        if "revert" in recorded:
            with pytest.raises(Refused, match="INSUFFICIENT_OUTPUT_AMOUNT"):
                pool.apply(quote)
            continue
        assert quote.amount_out == int(recorded["amountOut"])
        after = int(recorded["reserve0After"]), int(recorded["reserve1After"])
        assert quote.after.reserves == after


def test_the_gas_is_the_median_of_the_recorded_swaps_less_the_transaction():
    used = [swap["gasUsed"] for pair in GOLDEN["pairs"] for swap in pair["executed"] if "gasUsed" in swap]
    pool = pool_of(GOLDEN["pairs"][0])
    assert pool.gas(pool.quote_exact_in(*pool.tokens, 10**6)) == GAS == median(used) - 21_000


def test_any_fee_takes_its_share_of_the_amount_sold():
    free, tenth = (ConstantProduct(("a", "b"), (10**6, 10**6), fee) for fee in (0, 100_000))
    assert free.quote_exact_in("a", "b", 10**6).amount_out == 500_000
    quote = tenth.quote_exact_in("a", "b", 10**6)
    assert (quote.fee, quote.fee_token) == (100_000, "a")
    assert quote.amount_out == 900_000 * 10**6 // 1_900_000
    assert ConstantProduct(("a", "b"), (10**6, 10**6), 2_500).quote_exact_in("a", "b", 10).fee == 1


def test_prices_impact_and_slippage_follow_from_the_reserves():
    pool = ConstantProduct(("a", "b"), (1_000, 4_000), 0)
    quote = pool.quote_exact_in("a", "b", 1_000)
    assert (quote.price_before, quote.price_after) == (4, 1)
    assert (quote.average_price, quote.price_impact, quote.slippage) == (2, Fraction(3, 4), Fraction(1, 2))
    assert pool.spot_price("b", "a") == Fraction(1, 4)


def test_a_trade_that_buys_nothing_is_quoted_and_cannot_be_executed():
    pool = ConstantProduct(("a", "b"), (10**12, 1_500))
    quote = pool.quote_exact_in("a", "b", 1)
    assert quote.amount_out == 0
    with pytest.raises(Refused, match="INSUFFICIENT_OUTPUT_AMOUNT"):
        _ = quote.price_impact
    with pytest.raises(Refused, match="buys a base unit"):
        pool.largest_within("a", "b", Fraction(1, 10_000))


def test_a_reserve_over_112_bits_is_quoted_and_cannot_be_executed():
    pool = ConstantProduct(("a", "b"), (LIMIT - 10, 10**20))
    assert pool.quote_exact_in("a", "b", 9).asked == 9
    most = ConstantProduct(("a", "b"), (LIMIT - 10**15, LIMIT - 1))
    assert most.quote_exact_in("a", "b", 10**15 - 1).after.reserves[0] == LIMIT - 1
    with pytest.raises(Refused, match="OVERFLOW"):
        _ = most.quote_exact_in("a", "b", 10**15).after
    assert most.largest_within("a", "b", Fraction(1, 2)).amount_in == 10**15 - 1


def test_a_product_over_256_bits_is_refused_at_the_contracts_amount():
    pool = ConstantProduct(("a", "b"), (10**20, 10**20))
    first_refused = -(-(1 << 256) // (997 * 10**20))
    assert pool.quote_exact_in("a", "b", first_refused - 1).amount_out == 10**20 - 1
    with pytest.raises(Refused, match="ds-math-mul-overflow"):
        pool.quote_exact_in("a", "b", first_refused)


def test_the_whole_reserve_cannot_be_bought():
    pool = ConstantProduct(("a", "b"), (1_000, 4_000))
    assert pool.quote_exact_out("a", "b", 3_999).amount_in > 10**6
    for amount in (4_000, 4_001):
        with pytest.raises(Refused, match="holds 4000 of b"):
            pool.quote_exact_out("a", "b", amount)


@pytest.mark.parametrize(
    ("tokens", "reserves", "fee", "named"),
    [
        (("a", "a"), (1, 1), 3_000, "tokens"),
        (("a", "b", "c"), (1, 1), 3_000, "tokens"),
        (("a", "b"), (0, 1), 3_000, "reserves"),
        (("a", "b"), (1, LIMIT), 3_000, "reserves"),
        (("a", "b"), (1, 1, 1), 3_000, "reserves"),
        (("a", "b"), (1, 1), 1_000_000, "fee_ppm"),
        (("a", "b"), (1, 1), -1, "fee_ppm"),
    ],
)
def test_a_state_that_contradicts_itself_is_refused_with_the_field(tokens, reserves, fee, named):
    with pytest.raises(BadState, match=named):
        ConstantProduct(tokens, reserves, fee)


def test_an_impact_that_is_no_share_is_refused():
    pool = ConstantProduct(("a", "b"), (1_000, 4_000))
    for impact in (Fraction(-1, 10), Fraction(1)):
        with pytest.raises(BadData, match="impact is"):
            pool.largest_within("a", "b", impact)


some_pools = st.builds(
    ConstantProduct,
    st.just(("a", "b")),
    st.tuples(st.integers(1, 10**30), st.integers(1, 10**30)),
    st.integers(0, 999_999),
)


@settings(max_examples=200, deadline=None)
@given(pool=some_pools, amount=st.integers(1, 10**31))
def test_the_product_of_the_reserves_never_falls(pool, amount):
    quotes = [pool.quote_exact_in("a", "b", amount)]
    if amount < pool.reserves[1]:
        quotes.append(pool.quote_exact_out("a", "b", amount))
    for quote in quotes:
        if quote.amount_out:
            first, second = quote.after.reserves
            assert first * second >= pool.reserves[0] * pool.reserves[1]


@settings(max_examples=60, deadline=None)
@given(pool=some_pools, bps=st.integers(1, 9_000))
def test_the_quick_search_for_the_largest_trade_finds_what_the_plain_one_finds(pool, bps):
    share = Fraction(bps, 10_000)
    try:
        largest = pool.largest_within("a", "b", share)
    except Refused:
        return
    following = pool.quote_exact_in("a", "b", largest.amount_in + 1)
    assert largest.price_impact <= share < following.price_impact
    if pool.quote_exact_in("a", "b", 1).amount_out:
        assert Pool.largest_within(pool, "a", "b", share) == largest
