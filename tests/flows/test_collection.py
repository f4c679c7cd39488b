"""Nothing lost, nothing twice: the engine against scripted series."""

import hashlib
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

sys.path.append(str(Path(__file__).parent))  # so that the scripted series can be imported

from scripted_series import (
    BLOCK_TIME,
    START,
    ChainScript,
    ScriptedChain,
    ScriptedYields,
    Watched,
    collect_troubled,
    collected,
)

from defimon.core.errors import BadData, TryAgain
from defimon.core.tables import TABLES
from defimon.core.units import UTC_MICROS, utc_now
from defimon.flows._batches import store_batch
from defimon.flows._cursors import stored_cursor
from defimon.flows.gaps import Stretch, in_turn, is_due
from defimon.flows.known_content import known_content
from defimon.sources._series import Batch, Cursor, Gap
from defimon.store.database import Store

SCRIPT = Path(__file__).with_name("scripted_series.py")


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    path = tmp_path_factory.mktemp("empty") / "store.db"
    with Store(f"sqlite:///{path}") as store:
        store.migrate()
    return path.read_bytes()


@pytest.fixture
def new_store(empty, tmp_path):
    """Opens a store of that name, migrated and without rows."""
    opened = []

    def make(name="store"):
        path = tmp_path / f"{name}.db"
        path.write_bytes(empty)
        opened.append(Store(f"sqlite:///{path}"))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(new_store):
    return new_store()


def versions(store):
    return {name: store.count(name) for name in TABLES if name != "raw_answers"}


def gaps(store):
    return store.read("gaps").select("start", "end", "status").rows()


def blocks(store):
    return store.read("blocks").select("number", "hash").rows()


def test_a_series_is_stored_with_the_position_it_reaches(store):
    script, told = ChainScript(24), []
    (result,) = collected(store, ScriptedChain(script), progress=lambda *words: told.append(words))
    assert (result.rows_in, result.inserted, result.error) == (25 + 9, 25 + 9, "")
    assert result.cursor.number == 24
    assert result.cursor.detail == script.hash_of(24)
    assert blocks(store) == [(number, script.hash_of(number)) for number in range(25)]
    assert told == [("scripted_chain:local:blocks", done, 25) for done in (10, 20, 25)]


def test_running_again_writes_nothing(store):
    script = ChainScript(24)
    script.missing = {5: True}
    for _ in range(2):
        collected(store, ScriptedChain(script), ScriptedYields(4, broken=(1,)))
        before = versions(store)
    results = collected(store, ScriptedChain(script), ScriptedYields(4, broken=(1,)))
    assert versions(store) == before
    assert [result.inserted + result.corrected for result in results] == [0, 0]


def test_a_series_goes_on_from_where_it_stood(store):
    script = ChainScript(9)
    collected(store, ScriptedChain(script))
    script.head = 30
    (result,) = collected(store, ScriptedChain(script))
    assert script.asked[-1].cursor == Cursor(9, START + 9 * timedelta(seconds=12), script.hash_of(9))
    assert (result.inserted, result.unchanged) == (21 + 7, 0)


def test_since_counts_only_where_there_is_no_position_yet(store):
    script = ChainScript(9)
    collected(store, ScriptedChain(script), since=START)
    collected(store, ScriptedChain(script), since=START)
    assert [(wanted.cursor is None, wanted.since) for wanted in script.asked] == [
        (True, START),
        (False, START),
    ]


def test_a_source_that_fails_keeps_what_came_before_and_stops_no_other(store):
    script = ChainScript(24)
    script.fails_at = 15
    chain, yields = collected(store, ScriptedChain(script), ScriptedYields(4))
    assert chain.error == "the node is away."
    assert (chain.cursor.number, yields.error, yields.inserted) == (9, "", 8)
    script.fails_at = None
    collected(store, ScriptedChain(script))
    assert [number for number, _ in blocks(store)] == list(range(25))


def test_a_gap_is_open_until_a_later_run_fills_it_and_its_rows_are_there(store):
    script = ChainScript(24)
    script.missing = {3: False, 4: False, 17: False}
    (first,) = collected(store, ScriptedChain(script))
    assert (first.gaps_open, first.cursor.number) == (3, 24)
    assert gaps(store) == [(3, 4, "open"), (4, 5, "open"), (17, 18, "open")]
    del script.missing[4]
    (second,) = collected(store, ScriptedChain(script))
    assert (second.gaps_open, second.gaps_filled, second.inserted) == (2, 1, 1)
    script.missing = {17: True}
    (third,) = collected(store, ScriptedChain(script))
    assert (third.gaps_open, third.gaps_filled, third.inserted) == (0, 1, 2)
    assert gaps(store) == [(3, 4, "filled"), (4, 5, "filled"), (17, 18, "lost")]
    assert [number for number, _ in blocks(store)] == [number for number in range(25) if number != 17]
    wanted = script.asked[-2]
    assert (wanted.cursor.number, wanted.until) == (2, 4)
    assert third.cursor.number == 24


def test_a_fault_while_a_gap_is_filled_is_a_warning_and_the_gap_stays(store):
    script = ChainScript(24)
    script.missing = {3: False}
    collected(store, ScriptedChain(script))
    script.missing, script.fails_at, script.head = {}, 3, 30
    (result,) = collected(store, ScriptedChain(script))
    assert (result.error, result.gaps_open, result.cursor.number) == ("", 1, 30)
    assert result.warnings == ("3 to 4 is still missing: the node is away.",)


def test_a_gap_that_is_refused_holds_up_no_other(store):
    class Refusing(ScriptedChain):
        async def batches(self, series, wanted):
            if wanted.until == 4:
                raise BadData("the node has thrown it away.")
            async for batch in super().batches(series, wanted):
                yield batch

    script = ChainScript(24)
    script.missing = {3: False, 17: False}
    collected(store, ScriptedChain(script))
    script.missing = {}
    (result,) = collected(store, Refusing(script))
    assert gaps(store) == [(3, 4, "open"), (17, 18, "filled")]
    assert result.warnings == ("3 to 4 is still missing: the node has thrown it away.",)


@pytest.mark.parametrize(
    ("fails", "filled", "warnings"), [({3}, [9, 14, 20], 1), ({3, 14}, [9, 20], 2), ({3, 9}, [], 2)]
)
def test_a_gap_that_fails_holds_up_no_other_until_two_in_a_row_fail(store, fails, filled, warnings):
    script = ChainScript(24)
    script.missing = dict.fromkeys((3, 9, 14, 20), False)
    collected(store, ScriptedChain(script))
    script.missing, script.fails_for = {}, fails
    (result,) = collected(store, ScriptedChain(script))
    assert (result.error, len(result.warnings)) == ("", warnings)
    assert [start for start, _, status in gaps(store) if status == "filled"] == filled


def test_gaps_that_come_due_together_take_turns_at_being_the_first(store):
    together = [Stretch(start, start + 1, "open", "pruned", START) for start in (3, 9, 14)]

    def first(**age):
        return [gap.start for gap in in_turn(together, START + timedelta(**age))]

    assert first(minutes=30) == first(hours=3) == first(days=3) == [3, 9, 14]
    assert first(hours=1) == first(hours=4, minutes=20) == first(days=1) == first(days=4) == [9, 14, 3]
    assert first(hours=2) == first(days=2, hours=3) == [14, 3, 9]
    assert in_turn([], START) == []


@pytest.mark.parametrize(
    ("age", "visited", "due"),
    [
        ({"minutes": 59}, {"minutes": 58}, True),
        ({"minutes": 119}, {"minutes": 61}, False),
        ({"minutes": 121}, {"minutes": 119}, True),
        ({"hours": 47}, {"hours": 25}, False),
        ({"hours": 49}, {"hours": 47}, True),
        ({"days": 400}, {"days": 399}, True),
        ({"hours": 30}, {"hours": -1}, True),
    ],
    ids=str,
)
def test_a_gap_is_asked_for_ever_more_rarely(age, visited, due):
    gap = Stretch(3, 4, "open", "pruned", START)
    last = None if visited == {"hours": -1} else START + timedelta(**visited)
    assert is_due(gap, last, START + timedelta(**age)) is due


def test_an_old_gap_is_left_alone_between_its_days_unless_every_gap_is_wanted(store):
    script = ChainScript(24)
    script.missing = {3: False}
    collected(store, ScriptedChain(script))
    noticed = utc_now() - timedelta(days=2, hours=1)
    known = store.read("gaps").with_columns(
        ts=pl.lit(noticed, dtype=UTC_MICROS), known_at=pl.lit(utc_now(), dtype=UTC_MICROS)
    )
    store.write("gaps", known)
    script.head, asked = 30, len(script.asked)
    collected(store, ScriptedChain(script))
    assert [one.until for one in script.asked[asked:]] == [None]
    collected(store, ScriptedChain(script), every_gap=True)
    assert [one.until for one in script.asked[asked:]] == [None, None, 4]


def test_a_reorganisation_is_repaired_to_the_common_ancestor(store):
    script = ChainScript(24)
    collected(store, ScriptedChain(script))
    script.forks, script.head = {0: "a", 20: "b"}, 22
    (result,) = collected(store, ScriptedChain(script))
    assert (result.cursor.number, result.cursor.detail) == (22, script.hash_of(22))
    assert result.corrected == 3 + 1
    assert blocks(store)[:23] == [(number, script.hash_of(number)) for number in range(23)]
    script.head = 30
    collected(store, ScriptedChain(script))
    assert blocks(store) == [(number, script.hash_of(number)) for number in range(31)]


@pytest.mark.parametrize(("final", "lowest"), [(2000, 2000 - 128), (1800, 2000 - 512), (0, 0)])
def test_the_source_is_shown_the_newest_blocks_down_to_a_final_one(store, final, lowest):
    script = ChainScript(2000)
    script.final = final
    collected(store, ScriptedChain(script, chunk=2001))
    collected(store, ScriptedChain(script))
    assert script.asked[-1].known["blocks"]["number"].to_list() == list(range(lowest, 2001))


def test_a_position_never_goes_back_unless_the_batch_repairs(store):
    class Stale(ScriptedChain):
        async def batches(self, _series, _wanted):
            yield Batch(cursor=Cursor(5, START, "old"))

    script = ChainScript(9)
    collected(store, ScriptedChain(script))
    (result,) = collected(store, Stale(script))
    assert result.cursor.number == 9
    assert result.warnings == ("the service stands at 5, behind 9 which is stored",)
    assert store.read("cursors")["number"].to_list() == [9]


@pytest.mark.parametrize(("told", "position"), [(3, 3), (17, 9)])
def test_a_back_fill_puts_the_position_back_and_never_forward_and_counts_nothing_as_filled(
    store, told, position
):
    series = ScriptedChain(ChainScript(1)).series()[0]
    stretch = Stretch(4, 5, "open", "", START)
    at = {number: Cursor(number, START + number * BLOCK_TIME) for number in (3, 9, 17)}
    store_batch(store, series, Batch(cursor=at[9], gaps=(Gap(4, 5, "gone"), Gap(15, 16, "gone"))), None, None)
    done = store_batch(store, series, Batch(cursor=at[told], repairs=True), Cursor(3, START), stretch)
    assert (done.gaps_filled, done.gaps_open) == (0, 2)
    assert (done.cursor.number, stored_cursor(store, series).number) == (position, position)


def test_rows_that_break_their_contract_are_an_error_and_nothing_of_their_batch_is_stored(store):
    class Broken(ScriptedChain):
        async def batches(self, _series, _wanted):
            yield Batch(rows={"blocks": self.script.rows([1])}, cursor=Cursor(1, START))
            bad = self.script.rows([3]).with_columns(hash=pl.lit(None, dtype=pl.String))
            yield Batch(
                rows={"events": self.script.logs([3]), "blocks": bad},
                cursor=Cursor(3, START),
                gaps=(Gap(2, 3, "x"),),
            )

    (result,) = collected(store, Broken(ChainScript(9)))
    assert "column hash" in result.error
    assert (result.cursor.number, store.count("blocks"), store.count("events"), store.count("gaps")) == (
        1,
        1,
        0,
        0,
    )


def test_yields_pass_the_quality_rules_at_the_door(store):
    (result,) = collected(store, ScriptedYields(4, broken=(1, 3)))
    assert (result.rows_in, result.inserted, result.quarantined) == (8, 6, 2)
    assert store.read("quarantine")["rule"].to_list() == ["out_of_range"] * 2
    assert store.count("pools") == 2


def test_yields_in_batches_are_stored_as_in_one_go_and_their_jumps_are_seen_when_they_are_read(new_store):
    from defimon.flows.stored import stored_panel

    whole, pieces = new_store("whole"), new_store("pieces")
    collected(whole, ScriptedYields(6))
    for days in (1, 2, 6):
        collected(pieces, ScriptedYields(days))
    assert known_content(whole) == known_content(pieces)
    assert whole.read("yields")["flags"].null_count() == 12
    flags = stored_panel(pieces).filter(pl.col("pool_id") == "b")["flags"].to_list()
    assert flags == [None, *["jump"] * 5]


def test_a_store_that_cannot_be_written_ends_the_run_cleanly(new_store, monkeypatch):
    monkeypatch.setattr("defimon.store.connection.BUSY_SECONDS", 0)
    store = new_store()
    holder = Store(f"sqlite:///{store._address.path}")
    with holder, holder.transaction(), pytest.raises(TryAgain, match="another process"):
        collected(store, ScriptedChain(ChainScript(24)), ScriptedYields(3))
    collected(store, ScriptedChain(ChainScript(24)), ScriptedYields(3))
    assert store.count("blocks") == 25


def test_a_mistake_in_one_source_shows_after_the_others_are_done(store):
    class Mistaken(ScriptedChain):
        async def batches(self, _series, _wanted):
            yield {}["no such key"]

    with pytest.raises(KeyError):
        collected(store, Mistaken(ChainScript(9)), ScriptedYields(20))
    assert store.count("yields") == 40


def read_back(store):
    return (
        known_content(store),
        gaps(store),
        store.read("cursors").select("series", "number", "detail").rows(),
    )


def test_whatever_write_a_run_is_killed_at_it_resumes_to_the_same_content(new_store, tmp_path):
    """What a kill leaves is what the files hold at that moment: they are copied at every write and commit."""
    states = {}

    class Copied(Watched):
        places = 0

        def at_place(self):
            self.places += 1
            copy = tmp_path / f"at-{self.places}"
            copy.mkdir()
            # By another process: a file that is closed in this one would drop the database's locks.
            subprocess.run(["cp", *tmp_path.glob("whole.db*"), copy], check=True)
            held = b"".join(
                path.read_bytes() for path in sorted(copy.glob("*.db*")) if path.suffix != ".db-shm"
            )
            states.setdefault(hashlib.sha256(held).hexdigest(), copy / "whole.db")

    new_store("whole").close()
    with Copied(f"sqlite:///{tmp_path / 'whole.db'}") as whole:
        collect_troubled(whole)
        expected = read_back(whole)
    assert whole.places > 100
    assert len(states) > 15
    for path in states.values():
        with Store(f"sqlite:///{path}") as resumed:
            collect_troubled(resumed)
            assert read_back(resumed) == expected


@pytest.mark.parametrize("place", [1, 40, 83])
def test_a_process_that_is_killed_leaves_a_store_that_resumes(new_store, tmp_path, place):
    whole, broken = new_store("whole"), new_store("broken")
    words = [sys.executable, str(SCRIPT), f"sqlite:///{tmp_path / 'broken.db'}", str(place)]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, ""), ended.stderr
    for store in (whole, broken):
        collect_troubled(store)
    assert read_back(broken) == read_back(whole)
