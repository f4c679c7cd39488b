import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defimon.amm.pools._tick_table import TickTable
from defimon.amm.pools.concentrated import Concentrated
from defimon.amm.pools.constant_product import ConstantProduct
from defimon.amm.trading.arbitrage import OWN, Edge, Funding, best_arbitrage, between, profit_of
from defimon.core.errors import BadData

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "arb_funding.json").read_text())
CYCLE = (Edge("v2", "A", "B"), Edge("v3", "B", "A"))
FUNDING = {
    "own": OWN,
    "v2flash": Funding.flash_swap("v2"),
    "aave": Funding.aave(),
    # The pool that lends is another than the one that trades: its fee is 0.01 %.
    "v3flash": Funding.v3_flash(100),
    "balancer": Funding.balancer(),
}
ROWS = {row["method"]: row for row in GOLDEN["rows"]}


@pytest.fixture(scope="module")
def pools():
    state = GOLDEN["v3_state"]
    rows = tuple((tick, int(gross), int(net)) for tick, gross, net in state["ticks_tick_gross_net"])
    table = TickTable(state["tickSpacing"], rows)
    price, liquidity = int(state["sqrtPriceX96"]), int(state["liquidity"])
    first, second = (int(reserve) for reserve in GOLDEN["v2_reserves_in_out"])
    # sellB_zeroForOne is false: B is token 1 of the v3 pool.
    return {
        "v2": ConstantProduct(("A", "B"), (first, second)),
        "v3": Concentrated(("A", "B"), state["fee"], price, state["tick"], liquidity, table),
    }


@pytest.mark.parametrize("method", sorted(FUNDING))
def test_the_recorded_best_size_and_profit_are_met_to_the_wei(pools, method):
    """The recording's size is the end of a search by thirds from 10^15 to a tenth of the pair's reserve."""
    found = best_arbitrage(pools, CYCLE, FUNDING[method], low=10**15, high=10**23, window=0)
    assert found.size == int(ROWS[method]["optimal_x"])
    assert found.profit == int(ROWS[method]["profit"])


@pytest.mark.parametrize("method", sorted(FUNDING))
def test_every_recorded_profit_at_a_part_of_the_best_size_is_met_to_the_wei(pools, method):
    size = int(ROWS[method]["optimal_x"])
    for factor, (profit, _) in ROWS[method]["profile"].items():
        at = size if factor == "1.0" else int(size * float(factor))
        assert profit_of(pools, CYCLE, at, FUNDING[method]) == int(profit), factor


@pytest.mark.parametrize("method", sorted(FUNDING))
def test_looking_at_the_steps_around_finds_no_less_and_at_most_two_wei_more(pools, method):
    found = best_arbitrage(pools, CYCLE, FUNDING[method])
    assert 0 <= found.profit - int(ROWS[method]["profit"]) <= 2
    assert found.legs[-1].amount_out - found.size - found.fee == found.profit


@pytest.mark.parametrize(("part", "succeeds"), [(row[0], row[1]) for row in GOLDEN["frontrun"]])
def test_a_trade_behind_a_front_runner_succeeds_where_it_still_profits(pools, part, succeeds):
    size = int(ROWS["own"]["optimal_x"])
    first = pools["v2"].quote_exact_in("A", "B", int(size * part))
    second = pools["v3"].quote_exact_in("B", "A", first.amount_out)
    profit = profit_of({"v2": first.after, "v3": second.after}, CYCLE, size)
    assert (profit >= 0) == bool(succeeds)


RESERVE = st.integers(2, 400)
SMALL = st.builds(
    ConstantProduct, st.just(("A", "B")), st.tuples(RESERVE, RESERVE), st.sampled_from([0, 3_000])
)
LOAN = st.sampled_from(
    [OWN, Funding.aave(), Funding.aave(90), Funding.v3_flash(3_000), Funding("flat", flat=3)]
)


@settings(max_examples=30, deadline=None)
@given(SMALL, SMALL, LOAN)
def test_the_best_size_profits_as_much_as_brute_force_finds(one, other, funding):
    small = {"one": one, "other": other}
    cycle = (Edge("one", "A", "B"), Edge("other", "B", "A"))
    found = best_arbitrage(small, cycle, funding, window=2_000)
    profits = [profit_of(small, cycle, size, funding) for size in range(1, other.reserves[0] + 1)]
    best = max(profits)
    if best <= 0:
        assert found is None
    else:
        assert found.profit == best
        assert found.size == profits.index(best) + 1
        assert found.proven


def test_between_takes_the_way_round_that_gains():
    cheap = ConstantProduct(("A", "B"), (10**18, 2 * 10**18))
    dear = ConstantProduct(("A", "B"), (10**18, 10**18))
    pools = {"dear": dear, "cheap": cheap}
    found = between(pools, "dear", "cheap", "A", "B")
    assert [leg.pool for leg in found.legs] == ["cheap", "dear"]
    assert between(pools, "dear", "cheap", "A", "B", Funding.flash_swap("dear")) is None
    assert between(pools, "dear", "cheap", "A", "B", Funding.flash_swap("cheap")).profit == found.profit
    assert found.gas > 0


def test_fees_round_as_their_lenders_round():
    assert [Funding.aave().fee(amount) for amount in (999, 1_000, 3_000)] == [0, 1, 2]
    assert [Funding.v3_flash(100).fee(amount) for amount in (1, 10_000, 10_001)] == [1, 1, 2]
    assert [Funding.balancer().fee(amount) for amount in (1, 10**24)] == [0, 0]
    assert Funding("flat", flat=7).fee(10**24) == 7


def test_a_lender_that_is_locked_and_a_broken_cycle_are_refused(pools):
    with pytest.raises(BadData, match="locked"):
        best_arbitrage(pools, CYCLE, Funding.v3_flash(3_000, lender="v3"))
    with pytest.raises(BadData, match="flash swap"):
        best_arbitrage(pools, CYCLE, Funding.flash_swap("v3"))
    with pytest.raises(BadData, match="cycle"):
        best_arbitrage(pools, CYCLE[:1])
    with pytest.raises(BadData, match="cycle"):
        best_arbitrage(pools, (CYCLE[0], CYCLE[0]))


def test_three_pools_in_a_circle_profit_and_a_fair_circle_does_not():
    def circle(price):
        return {
            "ab": ConstantProduct(("A", "B"), (10**20, 2 * 10**20)),
            "bc": ConstantProduct(("B", "C"), (10**20, 3 * 10**20)),
            "ca": ConstantProduct(("C", "A"), (10**20, int(10**20 * price))),
        }

    cycle = (Edge("ab", "A", "B"), Edge("bc", "B", "C"), Edge("ca", "C", "A"))
    assert best_arbitrage(circle(Fraction(1, 6)), cycle) is None
    found = best_arbitrage(circle(Fraction(1, 5)), cycle)
    assert found.profit > 0
    assert found.legs[0].amount_in == found.size
    assert [leg.amount_out for leg in found.legs[:-1]] == [leg.amount_in for leg in found.legs[1:]]
