import numpy as np
import polars as pl
import pytest

from defimon.features._base import build
from defimon.features._tokens import CLASSES, class_of_token, token

DAYS = 25
"""A pool speaks for others from its twentieth day."""


@pytest.fixture
def market(one_pool):
    """Pools by id with a symbol and the factor of their rate on the last day."""

    def build_market(last, **columns):
        frames = [
            one_pool(
                name,
                [0.02] * (DAYS - 1) + [0.02 * factor],
                symbol=symbol,
                stablecoin=symbol == "USDC",
                **columns,
            )
            for name, (symbol, factor) in sorted(last.items())
        ]
        return pl.concat(frames)

    return build_market


def today(daily, name):
    return dict(
        build(daily, [name]).filter(pl.col("day") == daily["day"].max()).select("pool_id", name).rows()
    )


def move(factor):
    return np.log(0.0205 / (0.02 * factor + 0.0005))


def test_a_pool_never_speaks_for_itself(market):
    found = today(market({"a": ("USDC", 2), "b": ("USDC", 1), "c": ("LINK", 5)}), "token_ago_1")
    assert found == {"a": pytest.approx(0.0), "b": pytest.approx(move(2), abs=1e-5), "c": None}


def test_the_median_of_others_steps_over_the_pool_itself(market):
    found = today(
        market({"a": ("USDC", 1), "b": ("USDC", 2), "c": ("USDC", 3), "d": ("USDC", 4)}),
        "token_median_of_ago_1",
    )
    assert found["a"] == pytest.approx(move(3), abs=1e-5)
    assert found["b"] == pytest.approx(move(3), abs=1e-5)
    assert found["c"] == pytest.approx(move(2), abs=1e-5)
    assert found["d"] == pytest.approx(move(2), abs=1e-5)


def test_the_median_of_others_is_that_of_a_plain_loop(restless):
    names = ["apy_ago_7", "observed_days_30", "class_median_of_ago_7", "is_stable", "is_ether", "is_bitcoin"]
    rows = restless.select("status").with_columns(build(restless, names))
    speaks = (pl.col("status") == "active") & (pl.col("observed_days_30") >= 20)
    rows = rows.with_columns(pl.when(speaks).then(pl.col("apy_ago_7").clip(-2, 2)).alias("heard"))
    compared = 0
    for _, group in rows.group_by("day", "is_stable", "is_ether", "is_bitcoin"):
        heard, found = group["heard"].to_numpy(), group["class_median_of_ago_7"].to_numpy()
        for place in range(len(heard)):
            others = np.delete(heard, place)
            others = others[~np.isnan(others)]
            expected = np.median(others) if len(others) else np.nan
            np.testing.assert_allclose(found[place], expected, atol=1e-5)
            compared += len(others) > 1
    assert compared > 50


def test_a_frozen_or_young_pool_is_not_heard(market, one_pool):
    daily = market({"a": ("USDC", 2), "b": ("USDC", 1)}, status=["active"] * (DAYS - 1) + ["frozen"])
    assert today(daily, "token_ago_1") == {"a": None, "b": None}
    young = one_pool("c", [0.02, 0.2], days=[DAYS - 2, DAYS - 1], symbol="LINK", stablecoin=False)
    daily = pl.concat([market({"a": ("LINK", 1)}), young])
    assert today(daily, "token_ago_1") == {"a": None, "c": pytest.approx(0.0)}


def test_a_wild_move_counts_for_no_more_than_two(market):
    found = today(market({"a": ("USDC", 1000), "b": ("USDC", 1)}), "token_ago_1")
    assert found["b"] == -2.0


def test_a_pool_without_a_symbol_belongs_to_no_token(one_pool):
    daily = pl.concat([one_pool(name, [0.02] * DAYS, stablecoin=False) for name in "ab"])
    assert today(daily, "token_ago_1") == {"a": None, "b": None}
    assert today(daily, "all_ago_1") == {"a": 0.0, "b": 0.0}


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("USDC.e", "USDC"), ("USD₮0", "USDT"), ("USDt", "USDT"), ("WETH", "ETH"), ("WETH.e", "ETH"),
        ("BTC.b", "BTC"), ("WBTC", "BTC"),
        ("wstETH", "WSTETH"), ("WAVAX", "AVAX"), ("WBNB-USDT", "WBNB-USDT"),
    ],
)  # fmt: skip
def test_the_same_coin_has_one_name_on_every_chain(symbol, expected):
    assert pl.select(token(pl.lit(symbol))).item() == expected


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("WETH", "ether"), ("weETH", "ether"), ("ETHx", "ether"), ("STETH-WETH", "ether"), ("LDO", "other"),
        ("cbBTC", "bitcoin"), ("M-BTC", "bitcoin"),
        ("BTCB", "bitcoin"), ("WETH-USDC", "other"), ("ETHFI", "other"),
    ],
)  # fmt: skip
def test_a_class_needs_every_token_of_the_pool(symbol, expected):
    found = pl.select(class_of_token(token(pl.lit(symbol)))).item()
    assert CLASSES[found] == expected
