from fractions import Fraction
from itertools import chain, combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from defimon.amm.pools._errors import Refused
from defimon.amm.pools._log_exp import ONE
from defimon.amm.pools._tick_table import TickTable
from defimon.amm.pools.concentrated import Concentrated
from defimon.amm.pools.constant_product import ConstantProduct
from defimon.amm.pools.stable_swap import StableSwap
from defimon.amm.pools.weighted import Weighted
from defimon.amm.trading.route import best_route
from defimon.core.errors import BadData

UNIT = 10**18
QUICK = settings(max_examples=15, deadline=None)


def pair(first, second, one=1.0, other=1.0, fee=3_000):
    return ConstantProduct((first, second), (int(one * UNIT), int(other * UNIT)), fee)


def ranges(first, second, liquidity=50.0, fee=500, width=6_000):
    depth = int(liquidity * UNIT)
    table = TickTable(60, ((-width, depth, depth), (width, depth, -depth)))
    return Concentrated((first, second), fee, 2**96, 0, depth, table)


def stable(*tokens, balance=200.0):
    held = tuple(int(balance * UNIT) for _ in tokens)
    return StableSwap(tokens, held, (ONE,) * len(tokens), 20_000, 4 * 10**6, 2 * 10**10)


def weighted(first, second, one=100.0, other=100.0, share=50):
    weights = (share * 10**16, (100 - share) * 10**16)
    return Weighted((first, second), (int(one * UNIT), int(other * UNIT)), weights, 3 * 10**15, (18, 18), 2)


POOL = st.one_of(
    st.builds(
        pair, st.just("S"), st.just("B"), st.floats(1, 900), st.floats(1, 900), st.sampled_from([500, 3_000])
    ),
    st.builds(ranges, st.just("S"), st.just("B"), st.floats(1, 900)),
    st.builds(stable, st.just("S"), st.just("B"), balance=st.floats(1, 900)),
    st.builds(
        weighted,
        st.just("S"),
        st.just("B"),
        st.floats(10, 900),
        st.floats(10, 900),
        st.sampled_from([20, 50, 80]),
    ),
)


def mixed():
    return {
        "direct": pair("S", "B", 300, 290),
        "direct stable": stable("S", "B", balance=80),
        "first": ranges("S", "X", 400),
        "first weighted": weighted("S", "X", 200, 205, 80),
        "between": stable("X", "Y"),
        "back": pair("X", "Y", 90, 91, 500),
        "last": pair("X", "B", 400, 398, 500),
        "last ranges": ranges("Y", "B", 800),
    }


def audit(route, pools):
    """Replays the legs on evolving states and counts every token."""
    states, held = dict(pools), {route.sell: route.amount}
    for leg in route.legs:
        quote = states[leg.pool].quote_exact_in(leg.sell, leg.buy, leg.amount_in)
        assert (quote.amount_in, quote.amount_out) == (leg.amount_in, leg.amount_out)
        assert not quote.partial
        states[leg.pool] = quote.after
        held[leg.sell] -= leg.amount_in
        assert held[leg.sell] >= 0
        held[leg.buy] = held.get(leg.buy, 0) + leg.amount_out
    assert held.pop(route.buy) == route.amount_out
    assert not any(held.values())


@QUICK
@given(st.lists(POOL, min_size=1, max_size=5), st.integers(1, 200 * UNIT), st.integers(0, 10**12))
def test_a_split_spends_all_and_never_loses_against_one_pool(parallel, amount, gas_price):
    pools = {f"pool {n}": pool for n, pool in enumerate(parallel)}
    singles = []
    for pool in parallel:
        try:
            quote = pool.quote_exact_in("S", "B", amount)
        except Refused:
            continue
        if not quote.partial and quote.amount_out:
            singles.append(quote.amount_out - pool.gas(quote) * gas_price)
    try:
        route = best_route(pools, "S", "B", amount, gas_price=gas_price)
    except Refused:
        assert not singles
        return
    audit(route, pools)
    assert route.net_out >= max(singles, default=route.net_out)
    assert route.net_out >= route.single_net_out or not route.single
    assert 0 <= route.price_impact < 1


TINY = st.builds(
    ConstantProduct,
    st.just(("S", "B")),
    st.tuples(st.integers(2, 2_000), st.integers(2, 2_000)),
    st.sampled_from([0, 3_000, 10_000]),
)


@QUICK
@given(
    TINY, TINY, st.integers(1, 250), st.sampled_from([Fraction(0), Fraction(1, 20_000), Fraction(1, 90_000)])
)
def test_two_tiny_pools_are_split_as_brute_force_splits_them(one, other, amount, gas_price):
    def net(pool, part):
        if not part:
            return Fraction(0)
        quote = pool.quote_exact_in("S", "B", part)
        return quote.amount_out - pool.gas(quote) * gas_price if quote.amount_out else None

    ways = [(net(one, part), net(other, amount - part)) for part in range(amount + 1)]
    best = max((a + b for a, b in ways if a is not None and b is not None), default=None)
    if best is None:
        with pytest.raises(Refused):
            best_route({"one": one, "other": other}, "S", "B", amount, gas_price=gas_price)
        return
    route = best_route({"one": one, "other": other}, "S", "B", amount, gas_price=gas_price)
    assert route.net_out == best


def test_chains_and_direct_pools_of_all_types_share_the_amount():
    pools = mixed()
    route = best_route(pools, "S", "B", 120 * UNIT)
    audit(route, pools)
    assert len(route.legs) >= 6
    assert route.amount_out > route.single_out
    assert route.average_price == Fraction(route.amount_out, 120 * UNIT)
    assert [best_route(pools, "S", "B", 120 * UNIT, hops=hops).amount_out for hops in (1, 2)] < [
        route.amount_out
    ] * 2
    assert {leg.pool for leg in best_route(pools, "S", "B", UNIT, hops=1).legs} <= {"direct", "direct stable"}


@pytest.mark.parametrize("amount", [1, 2, 3, 17])
def test_a_handful_of_base_units_finds_a_way(amount):
    pools = {"coarse": ConstantProduct(("S", "B"), (10**4, 10**9), 3_000), **mixed()}
    route = best_route(pools, "S", "B", amount)
    audit(route, pools)


def test_no_small_move_between_two_legs_improves_the_marginal_prices():
    """At the optimum every used pool's marginal price after the trade, net of its fee, is the same."""
    pools = {
        "one": pair("S", "B", 300, 300),
        "two": pair("S", "B", 100, 101),
        "three": pair("S", "B", 50, 50, 500),
    }
    route = best_route(pools, "S", "B", 10 * UNIT)
    fees = {"one": 0.997, "two": 0.997, "three": 0.9995}
    # (Reserve + amount less fee) of the sold token decides: the fee that stays is not traded against.
    ends = []
    for leg in route.legs:
        into, out = pools[leg.pool].reserves
        kept = fees[leg.pool]
        ends.append(kept * into * out / (into + kept * leg.amount_in) ** 2)
    assert len(ends) == 3
    assert max(ends) / min(ends) - 1 < 1e-6


def test_the_kept_legs_are_the_best_subset_of_the_pools_net_of_gas():
    draw = default_rng(5)
    for _ in range(4):
        pools = {
            f"{n}": pair("S", "B", size, size * draw.uniform(0.99, 1.01))
            for n, size in enumerate(draw.uniform(5, 300, 5))
        }
        gas_price = Fraction(int(draw.uniform(1, 30) * 10**10))
        amount = int(draw.uniform(1, 40) * UNIT)
        route = best_route(pools, "S", "B", amount, gas_price=gas_price)
        nets = []
        for names in chain.from_iterable(combinations(pools, size) for size in range(1, 6)):
            free = best_route({name: pools[name] for name in names}, "S", "B", amount)
            nets.append(free.amount_out - free.gas * gas_price)
        assert float(route.net_out) == pytest.approx(float(max(nets)), rel=1e-12)


def test_gas_decides_between_a_chain_and_a_direct_pool():
    pools = {
        "direct": pair("S", "B", 100, 97),
        "in": pair("S", "X", 100, 100),
        "out": pair("X", "B", 100, 100),
    }
    assert len(best_route(pools, "S", "B", UNIT // 10).legs) == 2
    dear = best_route(pools, "S", "B", UNIT // 10, gas_price=10**11)
    assert [leg.pool for leg in dear.legs] == ["direct"]
    assert dear.net_out == dear.amount_out - dear.gas * 10**11


def test_a_pool_that_runs_dry_gets_no_more_than_it_takes():
    pools = {"narrow": ranges("S", "B", 100, width=60), "wide": pair("S", "B", 50, 50)}
    route = best_route(pools, "S", "B", 40 * UNIT)
    audit(route, pools)
    assert {leg.pool for leg in route.legs} == {"narrow", "wide"}
    with pytest.raises(Refused, match="together"):
        best_route({"narrow": pools["narrow"]}, "S", "B", 40 * UNIT)


def test_limits_and_unrecorded_parts_bound_a_leg():
    cut = Concentrated(("S", "B"), 500, 2**96, 0, 100 * UNIT, TickTable(60, (), frozenset({-1, 0})))
    pools = {"weighted": weighted("S", "B", 10, 10), "cut": cut}
    route = best_route(pools, "S", "B", 30 * UNIT)
    audit(route, pools)
    with pytest.raises(Refused, match="together"):
        best_route(pools, "S", "B", 500 * UNIT)


def test_pools_without_liquidity_and_strangers_are_passed_over():
    empty = Concentrated(("S", "B"), 500, 2**96, 0, 0, TickTable(60, ()))
    pools = {
        "empty": empty,
        "stranger": pair("P", "Q"),
        "dead end": pair("S", "Z"),
        "good": pair("S", "B", 9, 9),
    }
    route = best_route(pools, "S", "B", UNIT)
    assert [leg.pool for leg in route.legs] == ["good"]


def test_the_same_state_twice_shares_evenly():
    pools = {"one": pair("S", "B", 100, 100), "two": pair("S", "B", 100, 100)}
    route = best_route(pools, "S", "B", 2 * UNIT)
    one, two = (leg.amount_in for leg in route.legs)
    assert abs(one - two) < UNIT // 10**6
    assert route.amount_out > route.single_out


def test_free_money_in_a_circle_is_left_alone():
    """X and Y are wrongly priced against each other; chains stay simple all the same."""
    pools = {
        "in": pair("S", "X", 100, 100),
        "also in": pair("S", "Y", 100, 100),
        "there": pair("X", "Y", 100, 120, 500),
        "back": pair("Y", "X", 100, 120, 500),
        "out": pair("X", "B", 100, 100),
        "also out": pair("Y", "B", 100, 100),
    }
    route = best_route(pools, "S", "B", 10 * UNIT)
    audit(route, pools)
    bought = sum(leg.amount_out for leg in route.legs if leg.sell == "S")
    between = sum(leg.amount_in for leg in route.legs if leg.sell != "S" and leg.buy != "B")
    assert between <= bought


def test_a_pool_of_three_coins_serves_directly_and_in_chains():
    pools = {"three": stable("S", "X", "B"), "in": pair("S", "X", 500, 520), "out": pair("X", "B", 500, 500)}
    route = best_route(pools, "S", "B", 90 * UNIT)
    audit(route, pools)
    assert route.amount_out >= route.single_out


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"amount": 0}, "amount"),
        ({"hops": 4}, "hops"),
        ({"gas_price": -1}, "gas_price"),
        ({"buy": "S"}, "both"),
    ],
)
def test_questions_without_sense_are_refused(changes, match):
    asked = {"sell": "S", "buy": "B", "amount": 5, "hops": 3, "gas_price": 0} | changes
    sell, buy, amount = (asked.pop(name) for name in ("sell", "buy", "amount"))
    with pytest.raises(BadData, match=match):
        best_route({"p": pair("S", "B")}, sell, buy, amount, **asked)
    with pytest.raises(Refused, match="No chain"):
        best_route({"p": pair("S", "Q")}, "S", "B", 5)


@QUICK
@given(st.integers(0, 10**6))
def test_random_graphs_conserve_every_token(seed):
    draw = default_rng(seed)
    tokens = ["S", "B", "X", "Y", "Z"]
    makers = (pair, ranges, stable, weighted)
    pools = {}
    for n, (one, other) in enumerate(product(tokens, tokens)):
        if one < other and draw.random() < 0.7:
            pools[f"{n}"] = makers[int(draw.integers(4))](one, other)
    pools["sure"] = pair("S", "B", 50, 50)
    amount = int(10 ** draw.uniform(2, 20))
    gas_price = int(draw.choice([0, 10**9, 10**11]))
    route = best_route(pools, "S", "B", amount, gas_price=gas_price)
    audit(route, pools)
    assert not route.single or route.net_out >= route.single_net_out
