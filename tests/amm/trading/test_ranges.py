import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from defimon.amm.pools._base import Pool, Quote
from defimon.amm.pools._errors import Refused
from defimon.amm.pools._tick_table import TickTable
from defimon.amm.pools.concentrated import Concentrated
from defimon.amm.pools.constant_product import ConstantProduct
from defimon.amm.pools.stable_swap import StableSwap
from defimon.amm.pools.weighted import Weighted
from defimon.amm.trading._market import Edge, Market
from defimon.amm.trading._ranges import NOTHING, ranges_of, through
from defimon.amm.trading.route import best_route

UNIT = 10**18
ROWS = (
    (-1_200, 3 * UNIT, 3 * UNIT),
    (-120, 5 * UNIT, 5 * UNIT),
    (180, 5 * UNIT, -5 * UNIT),
    (900, 3 * UNIT, -3 * UNIT),
)
POOLS = {
    "constant product": ConstantProduct(("A", "B"), (7 * UNIT, 10**10)),
    "concentrated": Concentrated(("A", "B"), 3_000, 2**96, 0, 8 * UNIT, TickTable(60, ROWS)),
    "weighted": Weighted(("A", "B"), (9 * UNIT, 5 * 10**8), (8 * 10**17, 2 * 10**17), 10**15, (18, 8), 2),
    "stable swap": StableSwap(
        ("A", "B", "C"), (UNIT, 10**6, 2 * UNIT), (UNIT, 10**30, UNIT), 20_000, 10**6, 5 * 10**10
    ),
}


@dataclass(frozen=True, slots=True)
class Foreign(Pool):
    """A pool of a type that is not known: sells at ever worse prices, up to a limit."""

    name = "foreign"
    title = "Foreign"
    tokens: tuple[str, str] = ("A", "B")
    held: int = 10**12

    def quote_exact_in(self, sell, buy, amount):
        self.side(sell, buy)
        if not 0 < amount <= self.held:
            raise Refused("Too much or nothing.")
        out = self.held * amount // (self.held + amount)
        return Quote(self, sell, buy, "in", amount, amount, out, 0, sell)

    def quote_exact_out(self, sell, buy, amount):
        raise Refused(f"It sells {sell} for {buy} only, not for {amount}.")

    def apply(self, quote):
        return type(self)(self.tokens, self.held - quote.amount_in)

    def spot_price(self, sell, buy):
        return Fraction(1) if self.side(sell, buy) else Fraction(0)

    def gas(self, quote):
        return quote.steps

    def balance(self, token):
        return self.held if token in self.tokens else 0

    @classmethod
    def from_state(cls, fields):
        return cls(fields.texts("tokens"), fields.integer("held"))

    def to_state(self):
        return {"tokens": list(self.tokens), "held": str(self.held)}


POOLS["foreign"] = Foreign()


@pytest.mark.parametrize("name", sorted(POOLS))
@pytest.mark.parametrize("way", [("A", "B"), ("B", "A")])
def test_a_curve_pays_what_the_pool_quotes(name, way):
    pool = POOLS[name]
    market = Market.of({"pool": pool}, [Edge("pool", *way)], *way)
    open_ = np.zeros(1, dtype=bool)
    seen = 0
    for fall in (0.9999, 0.999, 0.99, 0.97, 0.9):
        answer = market.respond(np.array([market.spot[0] * fall, 1.0]), open_)
        sold, bought = answer.sold[0], answer.bought[0]
        if int(sold) < 10**5 or not market.low[-1] ** 2 < market.spot[0] * fall:
            continue
        quote = pool.quote_exact_in(*way, int(sold))
        # 10^-4 of a price decides nothing: what a wrong split costs is of the square.
        assert quote.amount_out == pytest.approx(bought, rel=1e-4, abs=1)
        seen += 1
    assert seen >= 2


@pytest.mark.parametrize("name", ["constant product", "concentrated", "weighted", "stable swap"])
def test_a_curve_begins_at_the_spot_price_less_the_fee(name):
    pool = POOLS[name]
    market = Market.of({"pool": pool}, [Edge("pool", "A", "B")], "A", "B")
    quote = pool.quote_exact_in("A", "B", 10**12)
    assert market.spot[0] == pytest.approx(float(pool.spot_price("A", "B")), rel=6e-3)
    assert market.spot[0] >= quote.amount_out / quote.amount_in * (1 - 1e-6)


def test_a_curve_ends_where_the_pool_takes_no_more():
    pool = POOLS["concentrated"]
    curve = ranges_of(pool, "A", "B")
    most = float(np.sum(curve.a * (1 / curve.low - 1 / curve.high)))
    assert not pool.quote_exact_in("A", "B", math.floor(most * (1 - 1e-9))).partial
    assert pool.quote_exact_in("A", "B", math.ceil(most * (1 + 1e-9))).partial


def test_a_curve_ends_where_the_record_ends():
    table = TickTable(60, (), frozenset({-1, 0, 5}))
    cut = Concentrated(("A", "B"), 3_000, 2**96, 0, UNIT, table)
    for way, tick in ((("A", "B"), -256 * 60), (("B", "A"), 255 * 60)):
        curve = ranges_of(cut, *way)
        kept = 0.997**0.5
        assert curve.low[-1] == pytest.approx(1.0001 ** (-abs(tick) / 2) * kept, rel=1e-9)
        most = int(np.sum(curve.a * (1 / curve.low - 1 / curve.high)))
        assert not cut.quote_exact_in(*way, int(most * 0.999)).partial


def test_a_curve_through_points_of_a_hyperbola_is_that_hyperbola():
    sold = np.concatenate([[0.0], np.geomspace(1e-3, 10, 60)])
    curve = through(sold, sold / (1 + sold))
    assert curve.high[0] == pytest.approx(1, rel=1e-3)
    middle = (curve.high[1:] + curve.low[:-1]) / 2
    assert middle == pytest.approx(1 / (1 + sold[1:-1]), rel=2e-2)


def test_nothing_to_trade_is_an_empty_curve():
    empty = Concentrated(("A", "B"), 500, 2**96, 0, 0, TickTable(60, ()))
    assert ranges_of(empty, "A", "B") is NOTHING
    assert ranges_of(Foreign(held=0), "A", "B") is NOTHING
    assert through(np.array([0.0, 1.0]), np.array([0.0, 0.0])) is NOTHING


def test_a_route_uses_a_pool_of_an_unknown_type():
    pools = {"foreign": Foreign(), "known": ConstantProduct(("A", "B"), (10**12, 10**12))}
    route = best_route(pools, "A", "B", 10**11)
    assert {leg.pool for leg in route.legs} == {"foreign", "known"}
    assert route.amount_out > route.single_out
