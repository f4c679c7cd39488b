from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defimon.amm.pools.constant_product import ConstantProduct
from defimon.backtest.costs import Costs
from defimon.backtest.engine import Rules, simulate
from defimon.backtest.market import Market, market_of
from defimon.backtest.swap_path import SwapPath
from defimon.backtest.swaps import NO_SWAP, Route, Swaps
from defimon.backtest.views import Known, decide_by
from defimon.strategies._base import Strategy

AT_ONCE = Rules(delay=0, smallest_move=0.0)
DAYS, POOLS = 30, 4


def path(dollars, fee_ppm=500):
    pool = ConstantProduct(("USDC", "DAI"), (dollars * 10**6, dollars * 10**18), fee_ppm)
    return SwapPath(("USDC", "DAI"), (pool,), (6, 18))


DEEP, SHALLOW = Route.of(path(10**9)), Route.of(path(200_000))


def days(count):
    return [date(2026, 1, 1) + timedelta(days=i) for i in range(count)]


def market(growth, **options):
    growth = np.asarray(growth, dtype=float)
    return Market(days(len(growth) + 1), [f"p{i}" for i in range(growth.shape[1])], growth, **options)


def test_entering_and_leaving_costs_what_the_pool_answers_for_these_amounts():
    where = path(10**6)
    wanted = {0: np.array([1.0]), 2: np.array([0.0])}
    swaps = Swaps([Route.of(where)], np.array([0]))
    run = simulate(
        market([[1.0]] * 4), [0, 2], lambda day, _h, _c: wanted[day], 20_000.0, Costs(), Rules(), swaps
    )
    (bought,) = where.swapped([20_000 * 10**6], into=True)
    (back,) = where.swapped([bought], into=False)
    tenth_bp = 20_000 * 1e-5
    assert run.equity[1] == pytest.approx(float(bought * where.mid() / 10**6), abs=tenth_bp)
    assert run.equity[-1] == pytest.approx(back / 10**6, abs=2 * tenth_bp)
    assert run.cash == run.equity[-1]
    assert run.swap_usd == run.costs_usd == pytest.approx(20_000 - run.cash)


def test_the_ledger_tells_the_cost_of_a_swap_after_the_move_that_needed_it():
    swaps = Swaps([SHALLOW], np.array([0]))
    run = simulate(market([[1.1]] * 2), [0], lambda *_: np.array([1.0]), 100.0, Costs(10, 1), Rules(), swaps)
    ledger = run.ledger.frame(days(3), ["p0"])
    assert ledger["kind"].to_list() == ["capital", "deposit", "cost_bps", "gas", "swap", "accrual"]
    assert ledger["pool_usd"][4] == 0.0
    assert -ledger["cash_usd"][4] == pytest.approx(run.swap_usd)
    assert ledger["cash_usd"].sum() == pytest.approx(run.cash, abs=1e-9)
    assert run.ledger.check(run.cash, run.holdings) < 1e-9


def test_what_a_pool_cannot_take_in_one_day_follows_on_the_next():
    swaps = Swaps([SHALLOW], np.array([0]))
    most = SHALLOW.into.most
    capital = 3.5 * (most + SHALLOW.into.at(most))
    run = simulate(market([[1.0]] * 9), [0], lambda *_: np.array([1.0]), capital, Costs(), Rules(), swaps)
    deposits = run.ledger.frame(days(10), ["p0"]).filter(pl.col("kind") == "deposit")
    assert deposits["day"].to_list() == days(10)[1:5]
    assert deposits["pool_usd"].to_list()[:3] == pytest.approx([most] * 3)
    assert run.cash == pytest.approx(0.0, abs=1e-6)


def test_a_larger_purse_pays_more_basis_points():
    swaps = Swaps([SHALLOW], np.array([0]))
    rates = []
    for capital in (100.0, 1_000.0, 9_000.0):
        run = simulate(market([[1.0]] * 2), [0], lambda *_: np.array([1.0]), capital, Costs(), Rules(), swaps)
        rates.append(run.swap_usd / capital)
    assert rates[0] < rates[1] < rates[2]


def random_run(seed, bps, gas, capital, swaps_of=lambda route_of: Swaps([DEEP, SHALLOW], route_of)):
    rng = np.random.default_rng(seed)
    shape = (DAYS, POOLS)
    made = market(
        1 + rng.normal(0.001, 0.01, (DAYS - 1, POOLS)),
        may_deposit=rng.random(shape) > 0.2,
        may_withdraw=rng.random(shape) > 0.2,
    )
    table = rng.dirichlet(np.ones(POOLS + 1), DAYS)[:, :POOLS]
    route_of = rng.integers(NO_SWAP, 2, POOLS)

    def decide(day, _holdings, _cash):
        return np.where(table[day] < 0.1, 0.0, table[day])

    rules, swaps = Rules(smallest_move=0.0), swaps_of(route_of)
    return simulate(made, list(range(0, DAYS - 1, 3)), decide, capital, Costs(bps, gas), rules, swaps)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    bps=st.floats(0, 500),
    gas=st.floats(0, 100),
    capital=st.sampled_from([1_000.0, 30_000.0, 1e6, 1e9]),
)
def test_capital_is_conserved_and_no_balance_is_ever_negative(seed, bps, gas, capital):
    run = random_run(seed, bps, gas, capital)
    ledger = run.ledger.frame(days(DAYS), ["a", "b", "c", "d"])
    booked = ledger.select(pl.col("cash_usd").sum() + pl.col("pool_usd").sum()).item()
    accrued = ledger.filter(pl.col("kind") == "accrual")["pool_usd"].sum()
    assert abs(booked - run.equity[-1]) <= 1e-9 * capital
    assert abs(capital + accrued - run.costs_usd - run.equity[-1]) <= 1e-9 * capital
    lost = ledger.filter(pl.col("kind") == "swap")["cash_usd"].sum()
    assert -lost == pytest.approx(run.swap_usd, abs=1e-9 * capital)
    path = ledger.with_columns(pl.col("cash_usd").cum_sum(), pl.col("pool_usd").cum_sum().over("pool_id"))
    assert path["cash_usd"].min() >= -1e-9 * max(1.0, capital / 1e6)
    assert path["pool_usd"].min() >= -1e-9 * max(1.0, capital / 1e6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), capital=st.sampled_from([1_000.0, 30_000.0]))
def test_a_market_in_which_nothing_needs_a_swap_gives_what_it_gives_without(seed, capital):
    plain = random_run(seed, 20, 1, capital, lambda _routes: None)
    run = random_run(seed, 20, 1, capital, lambda _routes: Swaps([DEEP], np.full(POOLS, NO_SWAP)))
    assert run.equity == pytest.approx(plain.equity, rel=1e-10)
    assert run.swap_usd == 0.0
    assert run.ledger.frame(days(DAYS), list("abcd")).filter(pl.col("kind") == "swap").is_empty()


def test_the_way_between_pools_costs_both_swaps_and_nothing_within_an_asset():
    swaps = Swaps([DEEP, SHALLOW], np.array([NO_SWAP, 0, 1, 1]))
    assert swaps.between(1, 2, 5_000.0) == DEEP.out.at(5_000.0) + SHALLOW.into.at(5_000.0)
    assert swaps.between(2, None, 5_000.0) == swaps.between(2, 0, 5_000.0) == SHALLOW.out.at(5_000.0)
    assert swaps.between(2, 3, 5_000.0) == swaps.between(None, 0, 5_000.0) == 0.0
    most = SHALLOW.into.most
    assert swaps.between(None, 2, 2 * most) == pytest.approx(2 * SHALLOW.into.cost[-1])


class Nosy(Strategy):
    """Keeps what a view says of swaps."""

    name = "nosy"

    def weights(self, view):
        self.told = [view.swap(None, "p0", 1e3), view.swap("p0", "p1", 1e3), view.swap("p1", None, 1e3)]
        return {}


def test_a_strategy_is_told_what_the_swap_of_a_move_would_cost(daily_of):
    daily = daily_of({"p0": [0.1] * 3, "p1": [0.1] * 3})
    made = market_of(daily, daily["day"].min(), daily["day"].max())
    nosy, known = Nosy(), Known(daily, made, None)
    decide_by(nosy, known, made, Costs(), Swaps([SHALLOW], np.array([NO_SWAP, 0])))(1, np.zeros(2), 1.0)
    assert nosy.told == [0.0, SHALLOW.into.at(1e3), SHALLOW.out.at(1e3)]
    decide_by(nosy, known, made, Costs())(1, np.zeros(2), 1.0)
    assert nosy.told == [0.0, 0.0, 0.0]
