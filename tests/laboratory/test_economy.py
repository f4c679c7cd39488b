"""The small economy behind the embedded sample: what it records is what the contracts would pay."""

import polars as pl
import pytest
from laboratory.aave import UNLIMITED
from laboratory.chain import binary
from laboratory.economy.lending import address
from laboratory.economy.record import record, write
from laboratory.economy.weather import STORY, draw_weather
from laboratory.economy.year import NEWS, TERMS

WITNESS = address(9, 0, 0)
DAYS = 3
SEED = 5


class Witness:
    """Deposits in every reserve when day 0 ends, and asks when the last ends what it could take out."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {}
        self.put_in: dict[str, int] = {}
        self.could_take: dict[str, int] = {}

    def __call__(self, day, played) -> None:
        pool = played.market.pool
        if day == 0:
            for symbol, reserve in played.market.reserves.items():
                asset, amount = reserve.token, reserve.units(50)
                played.block.send(WITNESS, asset.data("mint", amount))
                played.block.send(WITNESS, asset.data("approve", pool.address, UNLIMITED))
                played.block.send(WITNESS, pool.data("supply", asset.address, amount, WITNESS, 0))
                self.put_in[symbol] = amount
            played.block.mine(played.block.now() + 1)
            for symbol, reserve in played.market.reserves.items():
                self.index[symbol] = pool.call("getReserveNormalizedIncome", reserve.token.address)
        if day == DAYS - 1:
            for symbol, reserve in played.market.reserves.items():
                to, data = pool.data("withdraw", reserve.token.address, UNLIMITED, WITNESS)
                message = {**played.chain.message(to, data), "from": WITNESS}
                answer = played.chain.post(
                    {"jsonrpc": "2.0", "id": 0, "method": "eth_call", "params": [message, "latest"]}
                )
                if "result" in answer:
                    self.could_take[symbol] = int(answer["result"], 16)


@pytest.fixture(scope="module")
def recorded():
    try:
        binary()
    except FileNotFoundError as missing:
        pytest.skip(f"needs npm: 'npm ci --ignore-scripts' in tests/laboratory did not bring {missing}")
    witness = Witness()
    return record(SEED, DAYS, witness), witness


def test_growth_of_the_recorded_index_is_what_a_depositor_could_withdraw(recorded):
    panel, witness = recorded
    rows = panel.filter(pl.col("protocol") == "aave-v3").sort("ts").group_by("symbol").last()
    ends = dict(rows.select("symbol", "index").iter_rows())
    assert len(witness.could_take) >= len(TERMS) - 2  # others may be paused, or all lent out
    for symbol, taken in witness.could_take.items():
        grown = witness.put_in[symbol] * ends[symbol] / (witness.index[symbol] / 10**27)
        assert taken == pytest.approx(grown, abs=2, rel=1e-14)


def test_every_pool_has_a_row_at_the_end_of_every_day_and_says_that_it_is_simulated(recorded):
    panel, _ = recorded
    assert set(panel["protocol"]) == {"aave-v3", "uniswap-v2", "uniswap-v3"}
    lending = panel.filter(pl.col("protocol") == "aave-v3")
    assert lending.height == DAYS * len(TERMS)
    assert set(panel["origin"]) == {"simulated"}
    assert (panel["ts"].dt.truncate("1h").dt.hour() == 23).all()


def test_the_same_seed_gives_the_same_bytes_and_another_one_another_economy(tmp_path):
    try:
        binary()
    except FileNotFoundError as missing:
        pytest.skip(f"needs npm: {missing}")
    files = []
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        write(record(seed, 1), tmp_path / name)
        files.append((tmp_path / name).read_bytes())
    assert files[0] == files[1] != files[2]


def test_every_turn_of_the_story_is_played_and_falls_within_the_days():
    assert set(STORY) == set(NEWS)
    weather = draw_weather(1, 400, {one.symbol: one.price for one in TERMS})
    assert all(0 < day < 400 for day in weather.story.values())
    peg = weather.prices["USDE"]
    assert peg[: weather.story["depeg"]].min() > 0.99
    assert peg[weather.story["depeg"] :].min() < 0.94
