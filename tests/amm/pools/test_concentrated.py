"""Uniswap v3: every recorded answer of QuoterV2, SwapRouter and mainnet, and what a state must fulfil."""

import json
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defimon.amm.pools._errors import BadState, LeavesState, Refused
from defimon.amm.pools._fields import Fields
from defimon.amm.pools._tick_price import MAX_SQRT_PRICE, MIN_SQRT_PRICE, sqrt_price_at
from defimon.amm.pools._tick_table import TickTable
from defimon.amm.pools.concentrated import Concentrated
from defimon.core.errors import BadData

GOLDEN = {
    path.stem: json.loads(path.read_text())
    for path in sorted((Path(__file__).parents[2] / "golden").glob("v3_*.json"))
}
OUT_OF_GAS = 28_000_000
"""The recording node's blocks hold 30M gas, of which each nested call leaves 1/64 behind."""

each_file = pytest.mark.parametrize("recorded", GOLDEN.values(), ids=GOLDEN.keys())


def pool_of(state):
    rows = tuple((tick, int(gross), int(net)) for tick, gross, net in state["ticks_tick_gross_net"])
    return Concentrated(
        (state["token0"], state["token1"]),
        state["fee"],
        int(state["sqrtPriceX96"]),
        state["tick"],
        int(state["liquidity"]),
        TickTable(state["tickSpacing"], rows),
        (int(state["feeGrowthGlobal0X128"]), int(state["feeGrowthGlobal1X128"])),
        protocol_share=(state["feeProtocol"] % 16, state["feeProtocol"] >> 4),
    )


def sides_of(recorded):
    return recorded["state"]["token0"], recorded["state"]["token1"]


def ask(pool, asked):
    quote = pool.quote_exact_in if asked["mode"] == "exactIn" else pool.quote_exact_out
    sides = pool.tokens if asked["zeroForOne"] else pool.tokens[::-1]
    return quote(*sides, int(asked["amount"]), sqrt_price_limit_x96=int(asked["sqrtPriceLimitX96"]) or None)


def plain_pool(**changed):
    """Liquidity 10^18 from -600 to 600, a gap, and 10^15 from 6000 to 6060; price 1."""
    wide, far = 10**18, 10**15
    rows = ((-600, wide, wide), (600, wide, -wide), (6000, far, far), (6060, far, -far))
    values = {
        "tokens": ("A", "B"),
        "fee_ppm": 3_000,
        "sqrt_price_x96": 1 << 96,
        "tick": 0,
        "liquidity": wide,
        "ticks": TickTable(60, rows),
    }
    return Concentrated(**(values | changed))


@each_file
def test_every_quote_of_the_quoter_is_equal_and_every_revert_is_refused(recorded):
    pool = pool_of(recorded["state"])
    for asked in recorded["quoterV2"]:
        if "revert" in asked:
            with pytest.raises(Refused):
                ask(pool, asked)
            continue
        quote = ask(pool, asked)
        answer = quote.amount_out if asked["mode"] == "exactIn" else quote.amount_in
        assert (answer, quote.after.sqrt_price_x96) == (
            int(asked["amountQuoted"]),
            int(asked["sqrtPriceX96After"]),
        )


@each_file
def test_every_executed_swap_leaves_the_recorded_state(recorded):
    pool = pool_of(recorded["state"])
    for swap in recorded["executed"]:
        if "revert" in swap:
            if swap["mode"] == "exactIn":
                assert pool.gas(ask(pool, swap)) > OUT_OF_GAS
            else:
                with pytest.raises(Refused, match="at most"):
                    ask(pool, swap)
            continue
        quote = ask(pool, swap)
        after, paid = quote.after, 0 if swap["zeroForOne"] else 1
        assert quote.amount_in == int(swap[f"amount{paid}Delta"])
        assert quote.amount_out == -int(swap[f"amount{1 - paid}Delta"])
        assert after.sqrt_price_x96 == int(swap["sqrtPriceX96After"])
        assert after.tick == swap["tickAfter"]
        assert after.liquidity == int(swap["liquidityAfter"])
        assert after.fee_growth == tuple(int(swap[f"feeGrowthGlobal{n}X128After"]) for n in (0, 1))
        assert after.protocol_fees == tuple(map(int, swap["protocolFees"]))


@each_file
def test_every_state_after_a_swap_passes_the_checks_and_answers_as_one_made_anew(recorded):
    pool = pool_of(recorded["state"])
    for swap in recorded["executed"][::3]:
        if "revert" in swap or not MIN_SQRT_PRICE + 1 < int(swap["sqrtPriceX96After"]) < MAX_SQRT_PRICE - 1:
            continue
        after = ask(pool, swap).after
        anew = replace(after, ticks=TickTable(after.ticks.spacing, after.ticks.rows))
        assert anew == after
        for sell, buy in (pool.tokens, pool.tokens[::-1]):
            amount = max(pool.balance(sell) >> 3, 1)
            assert after.quote_exact_in(sell, buy, amount) == anew.quote_exact_in(sell, buy, amount)


def test_the_gas_estimate_is_as_good_as_it_says():
    errors = []
    for recorded in GOLDEN.values():
        pool = pool_of(recorded["state"])
        for swap in recorded["executed"]:
            if "revert" not in swap:
                gas = pool.gas(ask(pool, swap)) + 21_000
                errors.append(abs(gas / swap["gasUsed"] - 1))
    assert len(errors) == 112
    assert median(errors) < 0.02
    assert sorted(errors)[100] < 0.075
    assert max(errors) < 0.32


def recorded_mainnet(data_sets):
    folder = data_sets.parent / "golden" / "onchain" / "uniswap_v3"
    if not folder.is_dir():
        pytest.skip("needs the recorded mainnet pools beside the data sets")
    pool = json.loads((folder / "pool_wbtc_weth_24407242.json").read_text())
    return pool, json.loads((folder / "quotes_wbtc_weth_24407242.json").read_text())["entries"]


@pytest.mark.real_data
def test_every_quote_recorded_on_mainnet_is_equal(data_sets):
    state, quotes = recorded_mainnet(data_sets)
    scalars = state["scalars"]
    rows = tuple((int(tick), gross, net) for tick, (gross, net, _) in state["tick_data"].items())
    pool = Concentrated(
        ("WBTC", "WETH"),
        scalars["fee"],
        scalars["sqrt_price_x96"],
        scalars["tick"],
        scalars["liquidity"],
        TickTable(scalars["tick_spacing"], tuple(sorted(rows))),
    )
    for key, recorded in quotes.items():
        _, call, sides, amount = key.split("|")
        exact_in = call == "quoteExactInputSingle"
        # They were asked with the end of prices as their limit: what cannot be filled is quoted in part.
        limit = MIN_SQRT_PRICE + 1 if sides == "WBTC->WETH" else MAX_SQRT_PRICE - 1
        asking = pool.quote_exact_in if exact_in else pool.quote_exact_out
        quote = asking(*sides.split("->"), int(amount), sqrt_price_limit_x96=limit)
        assert (quote.amount_out if exact_in else quote.amount_in) == recorded["value"], key
    assert len(quotes) == 80


def test_an_exact_in_trade_that_runs_the_pool_dry_is_told_as_partial():
    pool = plain_pool()
    quote = pool.quote_exact_in("A", "B", 10**30)
    assert quote.partial
    assert quote.amount_in < quote.asked == 10**30
    assert quote.after.sqrt_price_x96 == MIN_SQRT_PRICE + 1
    assert quote.after.liquidity == 0


def test_an_exact_out_trade_that_cannot_be_filled_is_refused_or_partial_with_a_limit():
    pool = plain_pool()
    with pytest.raises(Refused, match="at most"):
        pool.quote_exact_out("A", "B", 10**18)
    limit = sqrt_price_at(-300)
    quote = pool.quote_exact_out("A", "B", 10**18, sqrt_price_limit_x96=limit)
    assert quote.partial
    assert 0 < quote.amount_out < 10**18
    assert quote.after.sqrt_price_x96 == limit


def test_a_price_limit_ends_a_trade_where_it_says():
    pool = plain_pool()
    limit = sqrt_price_at(300) + 12345
    quote = pool.quote_exact_in("B", "A", 10**30, sqrt_price_limit_x96=limit)
    assert quote.partial
    assert quote.after.sqrt_price_x96 == limit
    assert quote.after.tick == 300
    exactly = pool.quote_exact_in("B", "A", quote.amount_in)
    assert not exactly.partial
    assert exactly.amount_out == quote.amount_out


def test_a_trade_over_a_gap_finds_the_liquidity_beyond_it():
    pool = plain_pool()
    to_the_edge = pool.quote_exact_in("B", "A", 10**30, sqrt_price_limit_x96=sqrt_price_at(600))
    assert (to_the_edge.crossed, to_the_edge.after.liquidity) == (1, 0)
    within = pool.quote_exact_in("B", "A", 10**30, sqrt_price_limit_x96=sqrt_price_at(5000))
    assert (within.amount_in, within.amount_out) == (to_the_edge.amount_in, to_the_edge.amount_out)
    beyond = pool.quote_exact_in("B", "A", to_the_edge.amount_in + 1000)
    assert beyond.crossed == 2
    assert sqrt_price_at(6000) <= beyond.after.sqrt_price_x96 < sqrt_price_at(6060)


@pytest.mark.parametrize(
    ("sell", "buy", "limits"),
    [
        ("A", "B", (1 << 96, (1 << 96) + 1, MIN_SQRT_PRICE, 0, -5)),
        ("B", "A", (1 << 96, (1 << 96) - 1, MAX_SQRT_PRICE, 0)),
    ],
)
def test_a_limit_that_the_trade_does_not_move_towards_is_refused_as_spl(sell, buy, limits):
    for limit in limits:
        with pytest.raises(Refused, match="SPL"):
            plain_pool().quote_exact_in(sell, buy, 5, sqrt_price_limit_x96=limit)


@pytest.mark.parametrize("amount", [0, -1, 1 << 255])
def test_an_amount_that_the_contract_does_not_take_is_refused(amount):
    for quote in (plain_pool().quote_exact_in, plain_pool().quote_exact_out):
        with pytest.raises(Refused, match="AS"):
            quote("A", "B", amount)


def test_an_unknown_token_and_a_quote_of_another_state_are_bad_data():
    pool = plain_pool()
    for sides in (("A", "C"), ("C", "B"), ("A", "A")):
        with pytest.raises(BadData):
            pool.quote_exact_in(*sides, 5)
    quote = pool.quote_exact_in("A", "B", 10**9)
    with pytest.raises(BadData, match="another state"):
        quote.after.apply(quote)
    assert plain_pool().apply(quote) == quote.after


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"liquidity": 10**18 + 1}, "sum to 1000000000000000000"),
        ({"tick": 1}, "lies in tick 0, not in 1"),
        ({"tick": -2}, "lies in tick 0, not in -2"),
        ({"sqrt_price_x96": MIN_SQRT_PRICE - 1}, "out of range"),
        ({"sqrt_price_x96": MAX_SQRT_PRICE}, "out of range"),
        ({"fee_ppm": 1_000_000}, "fee_ppm"),
        ({"fee_ppm": -1}, "fee_ppm"),
        ({"tokens": ("A", "A")}, "tokens"),
        ({"tokens": ("A", "")}, "tokens"),
        ({"protocol_share": (3, 0)}, "protocol_share"),
        ({"protocol_share": (0, 11)}, "protocol_share"),
        ({"fee_growth": (0, 1 << 256)}, "fee_growth"),
        ({"protocol_fees": (1 << 128, 0)}, "protocol_fees"),
        ({"liquidity": -1, "ticks": TickTable(60, (), frozenset())}, "liquidity"),
    ],
)
def test_a_state_that_contradicts_itself_is_refused_with_the_reason(changed, reason):
    with pytest.raises(BadState, match=reason):
        plain_pool(**changed)


def test_a_quote_that_leaves_the_recorded_words_names_the_word():
    whole = plain_pool()
    rows = whole.ticks.rows[1:2]
    pool = plain_pool(ticks=TickTable(60, rows, frozenset({0})))
    assert (
        pool.quote_exact_in("B", "A", 10**15).amount_out == whole.quote_exact_in("B", "A", 10**15).amount_out
    )
    with pytest.raises(LeavesState, match="bitmap word -1"):
        pool.quote_exact_in("A", "B", 1)
    with pytest.raises(LeavesState, match="bitmap word 1 "):
        pool.quote_exact_in("B", "A", 10**30)
    assert (
        pool.balance("A")
        == whole.quote_exact_in("B", "A", 10**30, sqrt_price_limit_x96=sqrt_price_at(600)).amount_out
    )


def test_liquidity_that_would_fall_below_nothing_in_a_table_in_part_is_refused():
    ticks = TickTable(60, ((600, 10**19, -(10**19)),), frozenset({0}))
    with pytest.raises(BadState, match="Beyond tick 600 the liquidity would be -"):
        plain_pool(ticks=ticks).quote_exact_in("B", "A", 10**30)


@pytest.mark.parametrize("words", [None, frozenset({-1, 0})])
def test_a_state_written_and_read_again_is_the_same(words):
    rows = plain_pool().ticks.rows
    pool = plain_pool(
        ticks=TickTable(60, rows, words),
        fee_growth=(3, 1 << 200),
        protocol_fees=(5, 6),
        protocol_share=(4, 10),
    )
    written = json.loads(json.dumps(pool.to_state()))
    fields = Fields(written, "pool")
    assert Concentrated.from_state(fields) == pool
    fields.done()


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("tokens", ["A"], "tokens has 1 values"),
        ("fee_growth", ["1"], "fee_growth has 1 values"),
        ("ticks", [["0", "1"]], r"ticks\[0\]"),
        ("words", "some", "words"),
        ("words", None, "words"),
        ("sqrt_price_x96", "0", "sqrt_price_x96"),
        ("protocol_share", ["0", "12"], "protocol_share"),
        ("tick", 1.5, "tick"),
    ],
)
def test_a_document_with_a_bad_field_is_refused_by_its_name(field, value, reason):
    written = plain_pool().to_state() | {field: value}
    with pytest.raises(BadState, match=reason):
        Concentrated.from_state(Fields(written, "pool"))


@pytest.mark.parametrize(("sell", "buy"), [("A", "B"), ("B", "A")])
@pytest.mark.parametrize("bps", [0, 1, 30, 500, 3000])
def test_the_largest_trade_within_an_impact_is_the_last_that_stays_within(sell, buy, bps):
    pool, impact = plain_pool(), Fraction(bps, 10_000)
    best = pool.largest_within(sell, buy, impact)
    assert best.price_impact <= impact
    assert not best.partial
    following = pool.quote_exact_in(sell, buy, best.asked + 1)
    assert following.partial or following.price_impact > impact
    assert best == super(Concentrated, pool).largest_within(sell, buy, impact)


def test_the_largest_trade_refuses_what_is_no_share_and_pools_where_nothing_trades():
    with pytest.raises(BadData, match="impact"):
        plain_pool().largest_within("A", "B", Fraction(1))
    empty = plain_pool(ticks=TickTable(60, ()), liquidity=0)
    with pytest.raises(Refused, match="Not even one"):
        empty.largest_within("A", "B", Fraction(1, 100))
    assert empty.balance("A") == empty.balance("B") == 0


def test_many_quotes_are_those_asked_one_by_one():
    pool, amounts = plain_pool(), [10**n for n in range(20)]
    assert pool.quote_many("A", "B", amounts) == [pool.quote_exact_in("A", "B", a) for a in amounts]


def test_prices_are_exact_and_inverse():
    pool = plain_pool(sqrt_price_x96=sqrt_price_at(100), tick=100)
    price = pool.spot_price("A", "B")
    assert price == Fraction(sqrt_price_at(100) ** 2, 1 << 192)
    assert pool.spot_price("B", "A") == 1 / price


def test_threads_that_share_a_pool_get_the_answers_of_one():
    recorded = GOLDEN["v3_500_18_6_many_ranges"]
    amounts = [10**n + k for n in range(12, 22) for k in range(5)]
    alone = [
        quote.amount_out for quote in pool_of(recorded["state"]).quote_many(*sides_of(recorded), amounts)
    ]
    pool = pool_of(recorded["state"])

    def ask_all(_):
        return [quote.amount_out for quote in pool.quote_many(*sides_of(recorded), amounts)]

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask_all, range(16))) == [alone] * 16


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 10**16), st.integers(1, 10**16), st.sampled_from([("A", "B"), ("B", "A")]))
def test_a_trade_and_another_on_the_pool_after_equal_one_of_their_sum_within_rounding(first, second, sides):
    pool = plain_pool()
    one = pool.quote_exact_in(*sides, first)
    two = one.after.quote_exact_in(*sides, second)
    both = pool.quote_exact_in(*sides, first + second)
    # The price near 1 and a second cut step: one unit for each rounding of price, fee and amount.
    assert both.amount_out - 4 <= one.amount_out + two.amount_out <= both.amount_out + 1
    assert abs(two.after.sqrt_price_x96 - both.after.sqrt_price_x96) <= 4 * (1 << 96) // pool.liquidity + 4


def test_a_copy_made_after_quotes_equals_the_pool_and_answers_the_same():
    pool = plain_pool(fee_growth=(1, 2), protocol_share=(4, 5))
    quote = pool.quote_exact_in("A", "B", 10**17)
    copied = deepcopy(pool)
    assert copied == pool
    assert hash(copied) == hash(pool)
    assert copied.quote_exact_in("A", "B", 10**17) == quote


def test_the_balance_of_an_unknown_token_is_bad_data():
    with pytest.raises(BadData, match="does not hold 'C'"):
        plain_pool().balance("C")
