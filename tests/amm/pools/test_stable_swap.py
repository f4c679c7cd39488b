"""StableSwap-NG: equal to the recorded contract in every answer, and sane where nothing was recorded."""

import json
from fractions import Fraction
from itertools import pairwise, permutations
from pathlib import Path
from statistics import median

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as some

from defimon.amm.pools._errors import BadState, Refused
from defimon.amm.pools._fields import Fields
from defimon.amm.pools.stable_swap import StableSwap
from defimon.core.errors import BadData

RECORDED = json.loads((Path(__file__).parents[2] / "golden" / "stableswap_ng.json").read_text())["pools"]
ONE = 10**18
PAR = StableSwap(("a", "b"), (10**6 * ONE, 10**12), (ONE, 10**30), 20_000, 4_000_000, 2 * 10**10)

each_recorded_pool = pytest.mark.parametrize("record", RECORDED, ids=[record["name"] for record in RECORDED])


def pool_of(record):
    return StableSwap(
        tuple(record["coins"]),
        tuple(map(int, record["balances"])),
        tuple(map(int, record["rates"])),
        int(record["A_precise"]),
        int(record["fee"]),
        int(record["offpeg_fee_multiplier"]),
    )


def coins(record, answer):
    return record["coins"][answer["i"]], record["coins"][answer["j"]]


@some.composite
def pools(draw, least_fee=0):
    """Pools of 2 to 8 coins of 6 or 18 decimals, out of balance up to a hundredfold.

    Far beyond that, with many coins and little amplification, the contract's iteration may never settle.
    """
    count = draw(some.integers(2, 8))
    decimals = draw(some.lists(some.sampled_from([6, 18]), min_size=count, max_size=count))
    held = draw(some.lists(some.integers(10_000, 10**6), min_size=count, max_size=count))
    fee = draw(some.integers(least_fee, 10**8))
    return StableSwap(
        tuple("abcdefgh"[:count]),
        tuple(amount * 10**places for amount, places in zip(held, decimals, strict=True)),
        tuple(10 ** (36 - places) + draw(some.integers(0, 10 ** (35 - places))) for places in decimals),
        draw(some.integers(1_000, 10**6)),
        fee,
        draw(some.integers(0, 5 * 10**10)),
    )


@each_recorded_pool
def test_each_recorded_get_dy_is_equal_reverts_included(record):
    pool = pool_of(record)
    for answer in record["quotes"]:
        if "revert" in answer:
            with pytest.raises(Refused):
                pool.get_dy(*coins(record, answer), int(answer["dx"]))
            with pytest.raises(Refused):
                pool.quote_exact_in(*coins(record, answer), int(answer["dx"]))
        else:
            assert pool.get_dy(*coins(record, answer), int(answer["dx"])) == int(answer["dy"]), answer


@each_recorded_pool
def test_each_recorded_get_dx_is_what_an_exact_out_quote_sells(record):
    pool = pool_of(record)
    for answer in record["get_dx"]:
        wished = int(answer["dy"])
        quote = pool.quote_exact_out(*coins(record, answer), wished)
        assert quote.amount_in == pool.get_dx(*coins(record, answer), wished) == int(answer["dx"]), answer
        assert quote.amount_out == pool.get_dy(*coins(record, answer), quote.amount_in)
        assert quote.asked == wished
        assert quote.partial == (quote.amount_out < wished)


@each_recorded_pool
def test_each_recorded_exchange_leaves_the_balances_that_the_contract_had(record):
    pool = pool_of(record)
    for answer in record["executed"]:
        quote = pool.quote_exact_in(*coins(record, answer), int(answer["dx"]))
        assert quote.amount_out == int(answer["dy"]), answer
        assert quote.fee_token == quote.buy
        after = quote.after
        assert isinstance(after, StableSwap)
        assert after.balances == tuple(map(int, answer["balances_after"])), answer


@each_recorded_pool
def test_the_invariant_gives_the_recorded_virtual_price(record):
    assert pool_of(record).invariant * ONE // int(record["totalSupply"]) == int(record["virtual_price"])


@each_recorded_pool
def test_gas_is_near_the_recorded_gas_without_the_transaction(record):
    pool = pool_of(record)
    used = median(answer["gasUsed"] for answer in record["executed"]) - 21_000
    assert pool.gas(pool.quote_exact_in(*pool.tokens[:2], 10**18)) == pytest.approx(used, rel=0.06)


@each_recorded_pool
def test_the_least_amount_pays_the_wish_and_one_unit_less_does_not(record):
    pool = pool_of(record)
    wishes = [(coins(record, answer), int(answer["dy"])) for answer in record["get_dx"][::3]]
    wishes += [(pair, 1) for pair in permutations(pool.tokens, 2)]
    for pair, wished in wishes:
        try:
            quote = pool.quote_exact_out(*pair, wished, least=True)
        except Refused:
            assert wished == 1
            continue
        assert quote.amount_out >= wished
        assert not quote.partial
        try:
            assert pool.get_dy(*pair, quote.amount_in - 1) < wished
        except Refused:
            assert wished == 1


@each_recorded_pool
def test_the_marginal_price_lies_between_small_trades_one_way_and_the_other(record):
    pool = pool_of(record)
    free = StableSwap(pool.tokens, pool.balances, pool.rates, pool.amplification, 0, 0)
    for sell, buy in ((0, 1), (1, 0), (len(pool.tokens) - 1, 0)):
        ids = pool.tokens[sell], pool.tokens[buy]
        price = pool.spot_price(*ids)
        sold = pool.balances[sell] // 10_000
        lower = Fraction(free.get_dy(*ids, sold), sold)
        bought = pool.balances[buy] // 10_000
        upper = Fraction(bought, free.get_dy(*ids[::-1], bought))
        assert lower < price < upper
        assert upper / lower - 1 < Fraction(1, 50 if pool.balances[sell] < 10**7 else 1_000)


def test_the_marginal_price_of_a_balanced_pool_is_par_times_the_rates():
    assert PAR.spot_price("a", "b") == Fraction(1, 10**12)
    assert PAR.spot_price("b", "a") == 10**12


@settings(max_examples=60, deadline=None)
@given(pools(), some.data())
def test_marginal_prices_multiply_along_a_path_and_back(pool, data):
    first, second = data.draw(some.permutations(pool.tokens))[:2]
    assert pool.spot_price(first, second) * pool.spot_price(second, first) == 1
    third = pool.tokens[-1]
    if third not in (first, second):
        through = pool.spot_price(first, third) * pool.spot_price(third, second)
        assert through == pool.spot_price(first, second)


@settings(max_examples=100, deadline=None)
@given(pools(least_fee=10**6), some.data())
def test_a_round_trip_never_gains(pool, data):
    # Without a fee and for dust the contract's own rounding can give a unit of 10^-18 too much.
    sell, buy = data.draw(some.permutations(pool.tokens))[:2]
    there = pool.quote_exact_in(sell, buy, data.draw(some.integers(10**9, 2 * pool.balance(sell))))
    assume(there.amount_out > 0)
    back = there.after.quote_exact_in(buy, sell, there.amount_out)
    assert back.amount_out <= there.amount_in


@settings(max_examples=100, deadline=None)
@given(pools(), some.data())
def test_without_a_rising_fee_selling_more_never_buys_less_and_never_all(pool, data):
    plain = StableSwap(pool.tokens, pool.balances, pool.rates, pool.amplification, pool.fee, 0)
    sell, buy = data.draw(some.permutations(plain.tokens))[:2]
    sizes = sorted(data.draw(some.lists(some.integers(1, 3 * plain.balance(sell)), min_size=2, max_size=5)))
    bought = [quote.amount_out for quote in plain.quote_many(sell, buy, sizes)]
    # Newton's stop rule lets the contract's own answer waver by a unit of 10^-18.
    waver = 2 * ONE // plain.rates[plain.tokens.index(buy)] + 1
    assert all(less <= more + waver for less, more in pairwise(bought))
    assert max(bought) < plain.balance(buy)


@settings(max_examples=100, deadline=None)
@given(pools(least_fee=10**6), some.data())
def test_the_invariant_never_falls_by_a_trade_with_a_fee(pool, data):
    sell, buy = data.draw(some.permutations(pool.tokens))[:2]
    quote = pool.quote_exact_in(sell, buy, data.draw(some.integers(10**9, 2 * pool.balance(sell))))
    after = quote.after
    assert isinstance(after, StableSwap)
    assert after.invariant >= pool.invariant


def test_the_fee_rises_as_the_trade_leaves_the_peg():
    small, large = (PAR.quote_exact_in("a", "b", amount * ONE) for amount in (100, 900_000))
    assert Fraction(small.fee, small.amount_out + small.fee) == pytest.approx(Fraction(4, 10_000), rel=0.01)
    assert Fraction(large.fee, large.amount_out + large.fee) > Fraction(44, 100_000)


def test_a_rising_fee_can_make_the_last_coins_cost_more_than_they_pay():
    steep = StableSwap(PAR.tokens, PAR.balances, PAR.rates, 20_000, 10**7, 10**11)
    assert steep.get_dy("a", "b", 5 * 10**24) < steep.get_dy("a", "b", 4 * 10**24)


def test_a_multiplier_of_one_or_less_is_the_plain_fee():
    plain, one = (
        StableSwap(PAR.tokens, PAR.balances, PAR.rates, PAR.amplification, PAR.fee, multiplier)
        for multiplier in (0, 10**10)
    )
    assert plain.get_dy("a", "b", 10**24) == one.get_dy("a", "b", 10**24) > PAR.get_dy("a", "b", 10**24)


def test_half_of_the_fee_leaves_for_the_protocol():
    quote = PAR.quote_exact_in("a", "b", 1_000 * ONE)
    kept = quote.after.balance("b") - (PAR.balance("b") - quote.amount_out - quote.fee)
    assert kept == pytest.approx(quote.fee / 2, abs=2)


def test_the_largest_trade_within_an_impact_is_exact():
    quote = PAR.largest_within("b", "a", Fraction(30, 10_000))
    assert quote.price_impact <= Fraction(30, 10_000)
    assert PAR.quote_exact_in("b", "a", quote.amount_in + 1).price_impact > Fraction(30, 10_000)


@pytest.mark.parametrize("amount", [0, -1, 2**255, 2**300])
def test_an_amount_that_the_contract_cannot_trade_is_refused(amount):
    with pytest.raises(Refused):
        PAR.quote_exact_in("a", "b", amount)


@pytest.mark.parametrize("wished", [0, -1, 10**12, 10**15])
def test_a_wish_that_the_pool_cannot_pay_is_refused(wished):
    with pytest.raises(Refused):
        PAR.quote_exact_out("a", "b", wished)


def test_an_unknown_coin_or_the_same_twice_is_bad_data():
    for sell, buy in (("a", "c"), ("c", "a"), ("a", "a")):
        with pytest.raises(BadData):
            PAR.quote_exact_in(sell, buy, 1)
    with pytest.raises(BadData):
        PAR.balance("c")


def test_a_quote_of_another_state_is_not_applied():
    quote = PAR.quote_exact_in("a", "b", ONE)
    with pytest.raises(BadData, match="another state"):
        quote.after.apply(quote)


@each_recorded_pool
def test_a_state_written_and_read_is_the_same_pool(record):
    pool = pool_of(record)
    fields = Fields(json.loads(json.dumps(pool.to_state())), "pool")
    assert StableSwap.from_state(fields) == pool
    fields.done()


GOOD = {
    "tokens": ("a", "b"),
    "balances": (10**24, 10**12),
    "rates": (ONE, 10**30),
    "amplification": 20_000,
    "fee": 4_000_000,
    "offpeg_fee_multiplier": 2 * 10**10,
}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"balances": (0, 10**12)}, r"balances\[0\] is 0"),
        ({"balances": (-5, 10**12)}, r"balances\[0\]"),
        ({"balances": (1.5, 10**12)}, r"balances\[0\]"),
        ({"balances": (10**24,)}, "1 entries for 2 tokens"),
        ({"rates": (ONE, 0)}, r"rates\[1\] is 0"),
        ({"rates": (ONE, 1)}, "worth nothing"),
        ({"tokens": ("a",), "balances": (1,), "rates": (ONE,)}, "2 to 8"),
        ({"tokens": tuple("abcdefghi"), "balances": (ONE,) * 9, "rates": (ONE,) * 9}, "2 to 8"),
        ({"tokens": ("a", "a")}, "different"),
        ({"amplification": 99}, "amplification is 99"),
        ({"amplification": 10**8 + 1}, "amplification"),
        ({"fee": 5 * 10**9 + 1}, "fee is"),
        ({"fee": 10**9, "offpeg_fee_multiplier": 10**11}, "offpeg_fee_multiplier"),
        ({"balances": (10**60, 1)}, "No invariant fits"),
        ({"balances": (10**39, 10**27)}, "No invariant fits"),
    ],
)
def test_a_state_that_contradicts_itself_is_refused_with_the_reason(wrong, reason):
    StableSwap(**GOOD)
    with pytest.raises(BadState, match=reason):
        StableSwap(**(GOOD | wrong))
