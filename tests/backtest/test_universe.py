import pytest

from defimon.backtest.universe import dollar_pools
from defimon.core.errors import FixSettings


def test_only_stablecoins_of_the_dollar_are_dollars(daily_of):
    pools = ["usdc", "dai-usdc", "eurc", "usdc-eurs", "zchf", "xsgd", "weth", "unknown"]
    stable = {"weth": [False], "unknown": [None]}
    kept = dollar_pools(daily_of({pool: [0.1] for pool in pools}, stablecoin=stable))
    assert kept["pool_id"].to_list() == ["dai-usdc", "usdc"]


def test_a_panel_without_any_is_refused_with_what_to_do(daily_of):
    with pytest.raises(FixSettings, match="universe all") as refusal:
        dollar_pools(daily_of({"eurc": [0.1]}))
    assert refusal.value.variable == "universe"
