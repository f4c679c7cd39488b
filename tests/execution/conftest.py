from datetime import UTC, datetime, timedelta
from math import exp

import pytest
from numpy.random import default_rng

from defimon.amm.pools.constant_product import ConstantProduct
from defimon.execution.history import History, Point

START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def pair():
    return ConstantProduct(("eth", "usd"), (10**21, 2 * 10**12), 3_000)


@pytest.fixture
def walk():
    """Two days of minutes that move the log price by 10 bps each, and half a day at three times that."""
    draw = default_rng(11)
    steps = draw.normal(0, 0.001, 3_600)
    steps[2_880:] *= 3
    price = steps.cumsum()
    points = (Point(START + timedelta(minutes=n), float(p), 0.0) for n, p in enumerate(price))
    return History("eth", "usd", tuple(points))


@pytest.fixture
def still():
    """A market in which nothing happens."""
    return History("eth", "usd", tuple(Point(START + timedelta(minutes=n), 7.6, 0.0) for n in range(100)))


@pytest.fixture
def deeper():
    """A market in which only depth changes: each hour it doubles or halves."""
    turns = [0.0, 1.0] * 50
    return History(
        "eth",
        "usd",
        tuple(Point(START + timedelta(hours=n), 7.6, t * 0.6931471805599453) for n, t in enumerate(turns)),
    )


@pytest.fixture
def moved_pair(pair):
    """The pair after its price has moved by a natural log, to within rounding, without fees."""

    def move(log_change):
        root = exp(log_change / 2)
        eth, usd = pair.reserves
        return ConstantProduct(pair.tokens, (round(eth / root), round(usd * root)), pair.fee_ppm)

    return move
