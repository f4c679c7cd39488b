"""What every pool type must do; each brings a sample: tests/contract/pools/<name>.json.

A sample holds `state`, a pool of ordinary size; `small`, one of a few thousand base units, so that every
trade can be tried; and, where the contract itself is not exact, `allowed`: by how much a property may be
missed, as a share of what the pool can pay out of the token bought or of the fee, and why. All else holds
within one base unit of either token for each rounding.
"""

import json
from fractions import Fraction
from math import ceil
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from defimon.amm.pools._base import FAMILY
from defimon.amm.pools._errors import BadState, LeavesState, Refused
from defimon.amm.pools._fields import Fields
from defimon.core.errors import BadData

SAMPLES = Path(__file__).parent / "pools"
FEES = ("fee", "fee_ppm")
"""Fields of a state that hold the fee; at 0 a trade in two parts must equal the whole."""

each_type = pytest.mark.parametrize("name", FAMILY.names())
tries = settings(max_examples=60, deadline=None)


def sample(name):
    path = SAMPLES / f"{name}.json"
    assert path.is_file(), f"pool type {name} needs a sample: {path.name} beside the others"
    return json.loads(path.read_text())


def pool_from(name, state):
    fields = Fields(state, name)
    pool = FAMILY.load(name).from_state(fields)
    fields.done()
    return pool


def allowance(name, quality, pool, token, fee=0):
    """Base units of `token` by which `quality` may be missed, beyond rounding; `fee` is what it pays."""
    allowed = sample(name).get("allowed", {}).get(quality, {})
    of_balance, of_fee = (Fraction(allowed.get(key, "0")) for key in ("of_balance", "of_fee"))
    return ceil(of_balance * pool.balance(token)) + ceil(of_fee * fee)


def rounding(pool, sell, buy):
    """One base unit of what is bought, and what one base unit of what is sold is worth, three times."""
    return 3 * (1 + ceil(pool.spot_price(sell, buy)))


@st.composite
def amounts(draw, pool, token):
    """Of every size: from one base unit to what the pool can pay out of the same token."""
    most = max(pool.balance(token), 1)
    return draw(st.integers(1, max(1, most >> draw(st.integers(0, most.bit_length())))))


@st.composite
def pools(draw, name, *, free=False):
    """The sample's pool, small or ordinary, after up to three trades."""
    state = dict(sample(name)[draw(st.sampled_from(("state", "small")))])
    if free:
        state |= {field: "0" for field in FEES if field in state}
    pool = pool_from(name, state)
    for _ in range(draw(st.integers(0, 3))):
        sell, buy = draw(sides(pool))
        pool = executed(pool, sell, buy, draw(amounts(pool, sell))) or pool
    return pool


@st.composite
def sides(draw, pool):
    return draw(st.permutations(pool.tokens))[:2]


def executed(pool, sell, buy, amount):
    """The pool after the trade, or None where the contract refuses it."""
    try:
        return pool.quote_exact_in(sell, buy, amount).after
    except Refused:
        return None


def quoted(ask, *arguments):
    """The answer of `ask`; a refusal ends the example, since every type may refuse large or tiny trades."""
    try:
        return ask(*arguments)
    except Refused:
        assume(False)
        raise


@each_type
def test_a_pool_returns_from_its_state_unchanged(name):
    for which in ("state", "small"):
        state = sample(name)[which]
        pool = pool_from(name, state)
        assert pool.name == name
        assert pool.title
        assert pool_from(name, json.loads(json.dumps(pool.to_state()))) == pool
        assert hash(pool) == hash(pool_from(name, state))


@each_type
def test_a_state_with_an_unreadable_field_is_refused_with_its_name(name):
    state = pool_from(name, sample(name)["state"]).to_state()
    for field in state:
        with pytest.raises(BadState, match=field):
            pool_from(name, state | {field: {"not": "this"}})


@each_type
def test_a_state_with_the_same_token_twice_is_refused(name):
    state = sample(name)["state"]
    with pytest.raises(BadState):
        pool_from(name, state | {"tokens": [state["tokens"][0]] * len(state["tokens"])})


@each_type
def test_unknown_tokens_and_trades_of_nothing_are_refused(name):
    pool = pool_from(name, sample(name)["state"])
    first, second = pool.tokens[:2]
    for ask in (pool.quote_exact_in, pool.quote_exact_out):
        for sell, buy in ((first, "nobody"), ("nobody", first), (first, first)):
            with pytest.raises(BadData) as refusal:
                ask(sell, buy, 10)
            assert refusal.type is BadData
        for amount in (0, -1):
            with pytest.raises(Refused):
                ask(first, second, amount)
    for ask in (pool.spot_price, pool.side):
        with pytest.raises(BadData):
            ask("nobody", second)
    with pytest.raises(BadData):
        pool.balance("nobody")


@each_type
def test_an_impossible_amount_is_refused_or_filled_in_part(name):
    pool = pool_from(name, sample(name)["state"])
    first, second = pool.tokens[:2]
    held = pool.balance(second)
    for ask in (pool.quote_exact_in, pool.quote_exact_out):
        for amount in (held * 10**6, 1 << 200, 1 << 255, (1 << 256) - 1, 1 << 300):
            try:
                quote = ask(first, second, amount)
            except (Refused, LeavesState):
                continue
            assert quote.amount_out <= held
            assert quote.exact == "in" or quote.partial


@each_type
@tries
@given(data=st.data())
def test_a_quote_tells_one_story(name, data):
    pool = data.draw(pools(name))
    sell, buy = data.draw(sides(pool))
    amount = data.draw(amounts(pool, sell))
    quote = quoted(pool.quote_exact_in, sell, buy, amount)
    assert (quote.pool, quote.sell, quote.buy, quote.exact, quote.asked) == (pool, sell, buy, "in", amount)
    assert quote.partial == (quote.amount_in != amount)
    assert 0 <= quote.amount_in <= amount
    assert 0 <= quote.amount_out <= pool.balance(buy)
    assert quote.fee_token in (sell, buy)
    assert 0 <= quote.fee <= max(quote.amount_in if quote.fee_token == sell else pool.balance(buy), 1)
    assert quote.steps >= 1
    assert pool.gas(quote) > 20_000
    assert pool.quote_many(sell, buy, [amount, amount]) == [quote, quote]


@each_type
@tries
@given(data=st.data())
def test_a_trade_moves_its_amounts_and_leaves_a_sound_pool(name, data):
    pool = data.draw(pools(name))
    sell, buy = data.draw(sides(pool))
    quote = quoted(pool.quote_exact_in, sell, buy, data.draw(amounts(pool, sell)))
    after = quoted(pool.apply, quote)
    assert pool_from(name, json.loads(json.dumps(after.to_state()))) == after
    assert all(after.balance(token) >= 0 for token in pool.tokens)
    assert after.spot_price(sell, buy) <= pool.spot_price(sell, buy)
    assert quote.price_impact >= 0
    if after != pool:
        with pytest.raises(BadData, match="another state"):
            after.apply(quote)


@each_type
@tries
@given(data=st.data())
def test_more_sold_never_buys_less_and_more_bought_never_costs_less(name, data):
    pool = data.draw(pools(name))
    sell, buy = data.draw(sides(pool))
    more = data.draw(st.one_of(st.integers(1, 3), amounts(pool, sell)))
    amount = data.draw(amounts(pool, sell))
    less, larger = (quoted(pool.quote_exact_in, sell, buy, n) for n in (amount, amount + more))
    assert less.amount_out <= larger.amount_out
    more = data.draw(st.one_of(st.integers(1, 3), amounts(pool, buy)))
    amount = data.draw(amounts(pool, buy))
    less, larger = (quoted(pool.quote_exact_out, sell, buy, n) for n in (amount, amount + more))
    assert less.amount_in <= larger.amount_in


@each_type
@tries
@given(data=st.data())
def test_a_round_trip_never_gains(name, data):
    pool = data.draw(pools(name))
    sell, buy = data.draw(sides(pool))
    there = quoted(pool.quote_exact_in, sell, buy, data.draw(amounts(pool, sell)))
    assume(there.amount_out > 0)
    back = quoted(quoted(pool.apply, there).quote_exact_in, buy, sell, there.amount_out)
    assert back.amount_out <= there.amount_in


@each_type
@tries
@given(data=st.data())
def test_a_trade_in_two_parts_differs_from_the_whole_by_no_more_than_the_fee(name, data):
    """What the first part pays as fee stays in the pool, and then works against the second part."""
    pool = data.draw(pools(name))
    sell, buy = data.draw(sides(pool))
    whole, parts = in_two_parts(pool, sell, buy, data)
    gross = whole.amount_in if whole.fee_token == sell else whole.amount_out + whole.fee
    slack = rounding(pool, sell, buy)
    fee = ceil(whole.amount_out * Fraction(whole.fee, max(gross, 1)))
    assert parts <= whole.amount_out + slack + allowance(name, "chopped_gain", pool, buy, fee)
    assert parts >= whole.amount_out - slack - fee - allowance(name, "chopped_loss", pool, buy)


@each_type
@tries
@given(data=st.data())
def test_without_a_fee_a_trade_in_two_parts_equals_the_whole(name, data):
    pool = data.draw(pools(name, free=True))
    sell, buy = data.draw(sides(pool))
    whole, parts = in_two_parts(pool, sell, buy, data)
    slack = rounding(pool, sell, buy)
    assert parts <= whole.amount_out + slack
    assert parts >= whole.amount_out - slack - allowance(name, "chopped_loss", pool, buy)


def in_two_parts(pool, sell, buy, data):
    """Quote of a whole trade, and what it buys when it is made in two parts."""
    first, second = data.draw(amounts(pool, sell)), data.draw(amounts(pool, sell))
    whole = quoted(pool.quote_exact_in, sell, buy, first + second)
    assume(not whole.partial)
    quote = quoted(pool.quote_exact_in, sell, buy, first)
    rest = quoted(quoted(pool.apply, quote).quote_exact_in, sell, buy, second)
    return whole, quote.amount_out + rest.amount_out


@each_type
@tries
@given(data=st.data())
def test_selling_what_an_amount_costs_buys_that_amount(name, data):
    pool = data.draw(pools(name))
    sell, buy = data.draw(sides(pool))
    amount = data.draw(amounts(pool, buy))
    wanted = quoted(pool.quote_exact_out, sell, buy, amount)
    assert (wanted.exact, wanted.asked) == ("out", amount)
    assert wanted.partial == (wanted.amount_out < amount)
    sold = quoted(pool.quote_exact_in, sell, buy, wanted.amount_in)
    assert sold.amount_out >= wanted.amount_out - allowance(name, "shortfall", pool, buy)


@each_type
@pytest.mark.parametrize("turned", [False, True])
def test_the_largest_trade_within_an_impact_is_the_one_that_trying_all_finds(name, turned):
    pool = pool_from(name, sample(name)["small"])
    sell, buy = pool.tokens[:2][:: -1 if turned else 1]
    impacts = {}
    for amount in range(1, 2 * pool.balance(sell) + 1):
        try:
            quote = pool.quote_exact_in(sell, buy, amount)
            impacts[amount] = Fraction(2) if quote.partial else quote.price_impact
        except Refused:
            continue
    for bps in (0, 1, 10, 30, 100, 500, 2_000, 6_000):
        share = Fraction(bps, 10_000)
        best = max((amount for amount, impact in impacts.items() if impact <= share), default=0)
        if best:
            assert pool.largest_within(sell, buy, share).amount_in == best, bps
        else:
            with pytest.raises(Refused):
                pool.largest_within(sell, buy, share)


@each_type
def test_depth_is_the_largest_trade_both_ways(name):
    pool = pool_from(name, sample(name)["state"])
    first, second = pool.tokens[:2]
    depth = pool.depth(first, second, 50)
    assert depth.selling_first == pool.largest_within(first, second, Fraction(50, 10_000))
    assert depth.selling_second == pool.largest_within(second, first, Fraction(50, 10_000))
    for quote in (depth.selling_first, depth.selling_second):
        assert 0 <= quote.price_impact <= Fraction(50, 10_000)
        following = pool.quote_exact_in(quote.sell, quote.buy, quote.amount_in + 1)
        assert following.partial or following.price_impact > Fraction(50, 10_000)
    with pytest.raises(BadData):
        pool.largest_within(first, second, Fraction(1))
