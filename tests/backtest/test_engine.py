from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defimon.backtest.costs import Costs
from defimon.backtest.engine import Rules, simulate
from defimon.backtest.market import Market
from defimon.core.errors import BadData, Doubtful, FixSettings

AT_ONCE = Rules(delay=0, smallest_move=0.0)


def days(count):
    return [date(2026, 1, 1) + timedelta(days=i) for i in range(count)]


def market(growth, **options):
    growth = np.asarray(growth, dtype=float)
    names = [f"p{i}" for i in range(growth.shape[1])]
    return Market(days(len(growth) + 1), names, growth, **options)


def always(*weights):
    return lambda _day, _holdings, _cash: np.array(weights, dtype=float)


def test_a_decision_is_executed_at_the_next_observation():
    run = simulate(market([[1.1], [1.1], [1.1]]), [0], always(1.0), 100.0, Costs(), Rules())
    assert run.equity == pytest.approx([100.0, 100.0, 110.0, 121.0])


def test_costs_are_taken_once_on_the_way_in():
    run = simulate(market([[1.0], [1.0]]), [0], always(1.0), 1_000.0, Costs(10, 1), Rules())
    deposit = (1_000 - 1) / 1.001
    assert run.holdings[0] == pytest.approx(deposit)
    assert run.costs_usd == pytest.approx(deposit * 0.001 + 1)
    assert run.equity[-1] == pytest.approx(1_000 - run.costs_usd)
    assert run.transactions == 1


def test_a_pool_that_was_not_observed_is_entered_when_it_is_again():
    seen = np.array([[True], [False], [False], [True], [True]])
    run = simulate(
        market([[1.1]] * 4, may_deposit=seen, may_withdraw=seen), [0], always(1.0), 100.0, Costs(), Rules()
    )
    assert run.equity == pytest.approx([100, 100, 100, 100, 110])


def test_money_in_a_paused_pool_stays_there_and_earns():
    may = np.ones((5, 2), dtype=bool)
    may[2:, 0] = False
    wanted = [np.array([1.0, 0.0]), np.array([0.0, 1.0])]
    run = simulate(
        market([[1.1, 1.0]] * 4, may_withdraw=may, may_deposit=may),
        [0, 2],
        lambda day, _holdings, _cash: wanted[day // 2],
        100.0,
        Costs(),
        Rules(),
    )
    assert run.holdings[1] == 0
    assert run.equity[-1] == pytest.approx(100 * 1.1**3)


def test_ones_own_deposit_dilutes_what_it_earns_but_not_what_it_loses():
    growth, tvl = [[1.0], [1.01], [0.9]], np.full((4, 1), 300.0)
    run = simulate(market(growth, tvl=tvl), [0], always(1.0), 100.0, Costs(), Rules())
    assert run.equity == pytest.approx([100, 100, 100.75, 100.75 * 0.9])
    plain = simulate(market(growth, tvl=tvl), [0], always(1.0), 100.0, Costs(), Rules(dilution=False))
    assert plain.equity == pytest.approx([100, 100, 101, 101 * 0.9])


def test_an_unknown_tvl_dilutes_nothing():
    run = simulate(
        market([[1.0], [1.01]], tvl=np.full((3, 1), np.nan)), [0], always(1), 100, Costs(), Rules()
    )
    assert run.equity[-1] == pytest.approx(101.0)


def test_idle_cash_earns_nothing():
    run = simulate(market([[2.0]] * 3), [0], always(0.0), 100.0, Costs(), Rules())
    assert run.equity == pytest.approx([100.0] * 4)
    assert run.transactions == 0


@pytest.mark.parametrize("weights", [(0.7, 0.7), (-0.1, 0.5), (float("nan"), 0.5)])
def test_impossible_weights_are_refused(weights):
    with pytest.raises(BadData, match="Weights"):
        simulate(market([[1.0, 1.0]] * 2), [0], always(*weights), 100.0, Costs(), Rules())


def test_capital_of_nothing_and_decisions_closer_than_the_delay_are_refused():
    with pytest.raises(FixSettings, match="capital"):
        simulate(market([[1.0]]), [0], always(1.0), 0.0, Costs(), Rules())
    with pytest.raises(FixSettings, match="delay"):
        simulate(market([[1.0]] * 5), [0, 1], always(1.0), 1.0, Costs(), Rules(delay=2))


def test_a_ledger_that_does_not_balance_stops_the_result():
    run = simulate(market([[1.1]] * 3), [0], always(1.0), 100.0, Costs(5, 1), Rules())
    with pytest.raises(Doubtful, match="ledger"):
        run.ledger.check(run.cash + 1e-3, run.holdings)
    with pytest.raises(Doubtful, match="ledger"):
        run.ledger.check(run.cash, run.holdings * (1 + 1e-6))


def test_the_ledger_tells_every_move_with_its_costs():
    run = simulate(market([[1.1]] * 2), [0], always(1.0), 100.0, Costs(10, 1), Rules())
    ledger = run.ledger.frame(days(3), ["p0"])
    assert ledger["kind"].to_list() == ["capital", "deposit", "cost_bps", "gas", "accrual"]
    assert ledger["pool_id"].to_list() == [None, "p0", "p0", "p0", "p0"]
    assert ledger["day"].to_list() == [days(3)[i] for i in (0, 1, 1, 1, 2)]
    assert ledger.select(pl.col("cash_usd").sum()).item() == pytest.approx(run.cash, abs=1e-9)
    assert ledger.select(pl.col("pool_usd").sum()).item() == pytest.approx(run.holdings.sum())


def random_run(seed, bps, gas, *, delay=1, tvl=True, every=3, smallest=0.0):
    rng = np.random.default_rng(seed)
    count, pools = 30, 4
    growth = 1 + rng.normal(0.001, 0.01, (count - 1, pools))
    shape = (count, pools)
    made = market(
        growth,
        may_deposit=rng.random(shape) > 0.2,
        may_withdraw=rng.random(shape) > 0.2,
        tvl=np.where(rng.random(shape) < 0.3, np.nan, rng.uniform(1e3, 1e6, shape)) if tvl else None,
    )
    table = rng.dirichlet(np.ones(pools + 1), count)[:, :pools]

    def decide(day, _holdings, _cash):
        return np.where(table[day] < 0.1, 0.0, table[day])

    rules = Rules(delay=delay, smallest_move=smallest)
    return simulate(made, list(range(0, count - 1, every)), decide, 10_000.0, Costs(bps, gas), rules)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    bps=st.floats(0, 500),
    gas=st.floats(0, 100),
    delay=st.integers(0, 2),
    tvl=st.booleans(),
    every=st.integers(2, 9),
)
def test_capital_is_conserved_and_no_balance_is_ever_negative(seed, bps, gas, delay, tvl, every):
    run = random_run(seed, bps, gas, delay=delay, tvl=tvl, every=every)
    ledger = run.ledger.frame(days(30), ["a", "b", "c", "d"])
    booked = ledger.select(pl.col("cash_usd").sum() + pl.col("pool_usd").sum()).item()
    assert abs(booked - run.equity[-1]) <= 1e-9 * 10_000
    accrued = ledger.filter(pl.col("kind") == "accrual")["pool_usd"].sum()
    assert abs(10_000 + accrued - run.costs_usd - run.equity[-1]) <= 1e-9 * 10_000
    path = ledger.with_columns(pl.col("cash_usd").cum_sum(), pl.col("pool_usd").cum_sum().over("pool_id"))
    assert path["cash_usd"].min() >= -1e-9
    assert path["pool_usd"].min() >= -1e-9
    assert (run.equity >= 0).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), bps=st.floats(0, 100), more=st.floats(1, 100))
def test_dearer_moves_never_leave_more(seed, bps, more):
    growth = 1 + np.abs(np.random.default_rng(seed).normal(0, 0.001, (29, 3)))
    table = np.random.default_rng(seed).dirichlet(np.ones(3), 30)
    cheap, dear = (
        simulate(
            market(growth),
            list(range(0, 29, 5)),
            lambda day, _holdings, _cash: table[day],
            1_000.0,
            Costs(cost),
            Rules(smallest_move=0.0),
        )
        for cost in (bps, bps + more)
    )
    assert dear.equity[-1] < cheap.equity[-1]
    assert dear.costs_usd > cheap.costs_usd
