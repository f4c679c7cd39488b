"""Hourly and daily figures of chains against the same figures counted by hand."""

import itertools
import random
import shutil
from datetime import UTC, datetime, timedelta
from statistics import mean, median

import polars as pl
import pytest

from defimon.core.tables import BLOCKS, CURSORS, GAPS, MARKET_PRICES, PROTOCOL_FIGURES
from defimon.flows import _final_blocks
from defimon.flows.chain_aggregates import aggregate_chains
from defimon.store.database import Store

START = datetime(2026, 1, 1, 5, 20, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SUMS = ("transactions", "gas_used", "gas_limit", "creations", "calls")


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    path = tmp_path_factory.mktemp("empty") / "store.db"
    with Store(f"sqlite:///{path}") as store:
        store.migrate()
    return path


@pytest.fixture
def store(empty, tmp_path, monkeypatch):
    monkeypatch.setattr(_final_blocks, "CHUNK", 37)
    shutil.copy(empty, tmp_path / "store.db")
    with Store(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        yield opened


def history(blocks=700, seed=5, first=100):
    """Blocks of about three days, a few seconds to many minutes apart."""
    draw, ts, rows = random.Random(seed), START, []
    people = [draw.randbytes(8) for _ in range(60)]
    for number in range(first, first + blocks):
        ts += timedelta(seconds=draw.choice((5, 60, 300, 900)))
        seen = sorted(draw.sample(people, draw.randint(0, 9)))
        rows.append(
            {
                "chain": "astar", "number": number, "ts": ts, "hash": f"h{number}",
                "parent_hash": f"h{number - 1}",
                "status": "final", "transactions": draw.randint(0, 9), "creations": draw.randint(0, 2),
                "calls": draw.randint(0, 5), "gas_used": draw.randint(0, 10**7), "gas_limit": 15_000_000,
                "base_fee": draw.randint(1, 10**9), "tip_p50": draw.randint(0, 10**9),
                "fees": draw.random(), "value": draw.random() * 100, "addresses": b"".join(seen),
                "known_at": ts + timedelta(minutes=2), "source": "evm_rpc", "origin": "observed",
            }
        )  # fmt: skip
    return rows


def stored(store, rows, *, position=True):
    store.write("blocks", BLOCKS.rows(rows))
    last = rows[-1]
    row = {key: last[key] for key in ("number", "ts", "known_at", "source", "origin")}
    if position:
        store.write("cursors", CURSORS.rows([{**row, "series": "evm_rpc:astar:blocks", "detail": ""}]))


def by_hand(rows, every):
    """Every figure of every interval that is over and was seen from its start; `every` block counts."""
    expected = {}
    there = {row["number"] for row in rows}
    for length in (HOUR, DAY):
        start = START.replace(minute=0) if length == HOUR else START.replace(hour=0, minute=0)
        while start + length <= rows[-1]["ts"].replace(minute=0, second=0):
            inside = [row for row in rows if start <= row["ts"] < start + length]
            figures = {name: sum(row[name] for row in inside) for name in SUMS}
            figures |= {f"{name}_coins": sum(row[name] for row in inside) for name in ("fees", "value")}
            figures["blocks"] = len(inside)
            figures["utilisation"] = figures["gas_used"] / figures["gas_limit"]
            figures["base_fee_mean_wei"] = mean(row["base_fee"] for row in inside)
            figures["tip_p50_wei"] = median(row["tip_p50"] for row in inside)
            cut = [
                row["addresses"][at : at + 8] for row in inside for at in range(0, len(row["addresses"]), 8)
            ]
            figures["active_addresses"] = len(set(cut))
            gone = [
                row for row in every if row["number"] not in there and start <= row["ts"] < start + length
            ]
            figures["missing_blocks"] = len(gone)
            if start > rows[0]["ts"]:
                expected[length, start + length] = figures
            start += length
    return expected


def told(store, *, source="evm_rpc"):
    found = {}
    rows = store.read("chain_aggregates", where={"source": [source], "chain": ["astar"]})
    for row in rows.iter_rows(named=True):
        key = timedelta(seconds=row["interval_s"]), row["ts"]
        found.setdefault(key, {})[row["metric"]] = row["value"]
    return found


def assert_same(found, expected):
    assert sorted(found) == sorted(expected)
    for key, figures in expected.items():
        for name, value in figures.items():
            assert found[key][name] == pytest.approx(value, rel=1e-12), (key, name)


def test_hours_and_days_are_as_counted_by_hand(store):
    rows = history()
    stored(store, rows)
    (done, _) = aggregate_chains(store)
    expected = by_hand(rows, rows)
    assert_same(told(store), expected)
    assert {length for length, _ in expected} == {HOUR, DAY}
    assert (done.chain, done.source) == ("astar", "evm_rpc")
    assert done.until == rows[-1]["ts"].replace(minute=0, second=0)
    assert store.read("chain_aggregates")["origin"].unique().to_list() == ["derived"]


def test_the_time_between_blocks_is_only_taken_where_both_are_there(store):
    rows = history()
    kept = [row for row in rows if row["number"] not in {200, 300, 301}]
    stored(store, kept)
    aggregate_chains(store)
    figures = told(store)
    steps = {
        later["number"]: (later["ts"] - earlier["ts"]).total_seconds()
        for earlier, later in itertools.pairwise(kept)
        if later["number"] == earlier["number"] + 1
    }
    for (length, end), values in figures.items():
        inside = [row["number"] for row in kept if end - length <= row["ts"] < end]
        expected = mean(steps[number] for number in inside if number in steps)
        assert values["block_time_mean_s"] == pytest.approx(expected)


def test_going_on_piece_by_piece_gives_the_same_and_again_writes_nothing(store):
    rows = history()
    for end in (3, 150, 151, 420, 700):
        stored(store, rows[:end])
        aggregate_chains(store)
    assert_same(told(store), by_hand(rows, rows))
    count, positions = store.count("chain_aggregates"), store.count("cursors")
    assert all(done.written.inserted + done.written.corrected == 0 for done in aggregate_chains(store))
    assert (store.count("chain_aggregates"), store.count("cursors")) == (count, positions)


def test_an_hour_with_missing_blocks_says_so_and_is_corrected_when_they_come(store):
    rows = history()
    gone = {*range(250, 300), 400}
    kept = [row for row in rows if row["number"] not in gone]
    stored(store, kept)
    gap = {
        "series": "evm_rpc:astar:blocks", "start": 250, "end": 300, "ts": START, "status": "open",
        "reason": "x", "known_at": START, "source": "evm_rpc", "origin": "observed",
    }  # fmt: skip
    store.write("gaps", GAPS.rows([gap]))
    aggregate_chains(store)
    lacking = [values["missing_blocks"] for (length, _), values in told(store).items() if length == HOUR]
    assert sum(lacking) == len(gone)
    empty_hours = [values for values in told(store).values() if values["blocks"] == 0]
    assert empty_hours
    assert all(values["transactions"] is None and values["missing_blocks"] > 0 for values in empty_hours)
    stored(store, [row for row in rows if row["number"] in range(250, 300)], position=False)
    store.write("gaps", GAPS.rows([{**gap, "status": "filled", "known_at": START + DAY}]))
    (done, _) = aggregate_chains(store)
    assert done.written.corrected > 0
    whole = by_hand(
        [row for row in rows if row["number"] != 400], [row for row in rows if row["number"] != 400]
    )
    for key, figures in told(store).items():
        figures.pop("missing_blocks")
        assert figures["transactions"] == whole[key]["transactions"]
    assert sum(values["missing_blocks"] for (length, _), values in told(store).items() if length == HOUR) == 1
    before = store.count("cursors")
    aggregate_chains(store)
    assert store.count("cursors") == before


def test_blocks_that_are_not_final_count_as_missing_or_not_at_all(store):
    rows = history()
    cut = [{**row, "status": "pending"} if row["number"] > 500 else row for row in rows]
    stored(store, cut)
    aggregate_chains(store)
    assert_same(told(store), by_hand(rows[:401], rows[:401]))
    stored(store, [{**row, "known_at": row["known_at"] + HOUR} for row in rows])
    aggregate_chains(store)
    assert_same(told(store), by_hand(rows, rows))


def test_a_final_block_that_is_replaced_after_all_is_aggregated_again(store):
    rows = history()
    stored(store, rows)
    aggregate_chains(store)
    other = [
        {**row, "hash": f"other{row['number']}", "transactions": 77, "known_at": row["known_at"] + DAY}
        for row in rows[300:]
    ]
    stored(store, other)
    aggregate_chains(store)
    assert_same(told(store), by_hand(rows[:300] + other, rows))


def test_a_figure_that_a_block_lacks_is_not_known_for_its_hour(store):
    rows = history()
    for row in rows[100:110]:
        row |= {"fees": None, "addresses": None, "tip_p50": None}
    stored(store, rows)
    aggregate_chains(store)
    lacking = {(length, end) for (length, end), values in told(store).items() if values["fees_coins"] is None}
    assert lacking == {
        (length, end)
        for length, end in told(store)
        if any(end - length <= row["ts"] < end for row in rows[100:110])
    }
    assert all(told(store)[key]["active_addresses"] is None for key in lacking)


def test_a_figure_is_known_only_when_its_last_block_and_the_one_after_are(store):
    rows = history()
    stored(store, rows)
    aggregate_chains(store)
    told = store.read("chain_aggregates", columns=["ts", "known_at"]).unique()
    for end, known_at in told.iter_rows():
        known = [one["known_at"] for one in rows if one["ts"] < end]
        after = next(one["known_at"] for one in rows if one["ts"] >= end)
        assert known_at == max(known[-1], after, end)


def test_a_chain_that_is_read_from_its_beginning_has_no_figures_before_it(store):
    rows = history(first=0)
    stored(store, rows)
    aggregate_chains(store)
    ends = {end for length, end in told(store) if length == HOUR}
    assert min(ends) == rows[0]["ts"].replace(minute=0, second=0) + HOUR
    assert min(end for length, end in told(store) if length == DAY) == START.replace(hour=0, minute=0) + DAY


def test_a_first_block_stamped_with_1970_is_no_time_of_the_chain(store):
    rows = history(first=0)
    stored(store, [{**rows[0], "ts": datetime(1970, 1, 1, tzinfo=UTC)}, *rows[1:]])
    aggregate_chains(store)
    ends = sorted(end for length, end in told(store) if length == HOUR)
    assert ends[0] == rows[1]["ts"].replace(minute=0, second=0) + HOUR
    assert ends[-1] == rows[-1]["ts"].replace(minute=0, second=0)


def prices(hours, *, edited=()):
    midnight = START.replace(hour=0, minute=0)
    return MARKET_PRICES.rows(
        {
            "asset_id": "astar", "ts": ts, "close_usd": 1.0 + (n * 7 % 11) / 10, "source": "coingecko",
            "volume_usd": 5.0 + n + 100 * (n in edited), "known_at": ts + DAY * (n in edited),
            "origin": "observed",
        }
        for n, ts in ((n, midnight + HOUR * n) for n in range(1, hours))
    )  # fmt: skip


def test_a_coins_figures_go_on_from_where_they_were_and_come_to_the_same(store, empty, tmp_path):
    for hours in (5, 30, 31, 80, 120):
        store.write("market_prices", prices(hours))
        aggregate_chains(store, ["astar"])
        (again,) = aggregate_chains(store, ["astar"])
        assert (again.written.rows_in, again.until) == (0, again.until)
    shutil.copy(empty, tmp_path / "whole.db")
    with Store(f"sqlite:///{tmp_path / 'whole.db'}") as whole:
        whole.write("market_prices", prices(120))
        aggregate_chains(whole, ["astar"])
        assert told(whole, source="coingecko") == told(store, source="coingecko")
        assert whole.count("chain_aggregates") == store.count("chain_aggregates")


def test_a_price_of_the_past_that_is_edited_corrects_its_day_alone(store):
    store.write("market_prices", prices(120))
    aggregate_chains(store, ["astar"])
    before = told(store, source="coingecko")
    store.write("market_prices", prices(120, edited={24, 30}))
    (done,) = aggregate_chains(store, ["astar"])
    midnight = START.replace(hour=0, minute=0)
    now = told(store, source="coingecko")
    changed = {key for key in now if now[key] != before[key]}
    assert changed == {(HOUR, midnight + DAY), (DAY, midnight + DAY), (HOUR, midnight + 30 * HOUR)}
    assert done.written.corrected == 3


def test_a_later_beginning_leaves_no_figure_of_a_part_of_a_day(store):
    store.write("market_prices", prices(120))
    whole = START.replace(hour=0, minute=0) + 2 * DAY
    aggregate_chains(store, ["astar"], since=whole + 7 * HOUR)
    part = told(store, source="coingecko")
    aggregate_chains(store, ["astar"], since=START)
    assert part == {key: one for key, one in told(store, source="coingecko").items() if key[1] > whole}


def test_the_coins_market_and_the_protocols_of_a_chain_are_told_beside(store):
    midnight = START.replace(hour=0, minute=0)
    price = {"asset_id": "astar", "source": "coingecko", "origin": "observed", "volume_usd": 5.0}
    hours = [midnight + HOUR * n for n in range(1, 50)]
    store.write(
        "market_prices",
        MARKET_PRICES.rows(
            {**price, "ts": ts, "close_usd": 1.0 + 0.5 * (n % 2), "known_at": ts}
            for n, ts in enumerate(hours)
        ),
    )
    figure = {
        "chain": "astar",
        "interval_s": 1,
        "metric": "tvl_usd",
        "source": "defillama",
        "origin": "observed",
    }
    store.write(
        "protocol_figures",
        PROTOCOL_FIGURES.rows(
            {
                **figure,
                "protocol": name,
                "ts": midnight + DAY * day,
                "value": value,
                "known_at": midnight + DAY * day,
            }
            for day in (1, 2)
            for name, value in (("a", 3.0), ("b", 4.0))
        ),
    )
    aggregate_chains(store, ["astar"])
    token = told(store, source="coingecko")
    assert token[HOUR, midnight + 3 * HOUR]["token_close_usd"] == 1.0
    assert token[DAY, midnight + DAY]["token_close_usd"] == 1.5
    assert token[DAY, midnight + 2 * DAY]["token_return"] == 0.0
    assert token[DAY, midnight + 2 * DAY]["token_volatility"] == pytest.approx(38.8, abs=0.5)
    assert (DAY, midnight + 3 * DAY) not in token
    defi = told(store, source="defillama")
    assert defi[DAY, midnight + DAY] == {"defi_tvl_usd": 7.0, "defi_protocols": 2.0}
    total = {**figure, "protocol": "all", "ts": midnight + DAY, "value": 9.0, "known_at": midnight + 2 * DAY}
    store.write("protocol_figures", PROTOCOL_FIGURES.rows([total]))
    aggregate_chains(store, ["astar"])
    assert told(store, source="defillama")[DAY, midnight + DAY]["defi_tvl_usd"] == 9.0
    assert pl.Series(store.read("chain_aggregates")["known_at"]).is_not_null().all()
