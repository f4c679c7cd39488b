from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from defimon.backtest.trials import Trial, TrialLog
from defimon.core.errors import BadData


def test_the_same_settings_count_once_and_keep_their_latest_ratio(tmp_path):
    log = TrialLog(tmp_path / "deep" / "trials.jsonl")
    assert log.sharpes() == []
    log.add([Trial({"top_n": 3, "bps": 5.0}, 0.1, "data-1"), Trial({"top_n": 5}, 0.2, "data-1")])
    log.add([Trial({"bps": 5.0, "top_n": 3}, 0.3, "data-2")])
    assert sorted(log.sharpes()) == [0.2, 0.3]


def test_a_trial_that_comes_out_the_same_is_not_written_again(tmp_path):
    log = TrialLog(tmp_path / "trials.jsonl")
    for _ in range(3):
        log.add([Trial({"top_n": 3}, 0.1, "data")])
    assert len(log.path.read_text().splitlines()) == 1


def test_a_damaged_line_is_named(tmp_path):
    log = TrialLog(tmp_path / "trials.jsonl")
    log.add([Trial({"top_n": 3}, 0.1, "data")])
    with log.path.open("a") as file:
        file.write("half a li\n")
    with pytest.raises(BadData, match="line 2"):
        log.sharpes()


@pytest.mark.parametrize("torn", ['{"key": "b", "sha', '{"key": "b"', '{"settings": {"name": "\u00e9'])
def test_a_last_line_that_was_torn_is_no_trial_and_makes_way_for_the_next(tmp_path, torn):
    log = TrialLog(tmp_path / "trials.jsonl")
    log.add([Trial({"top_n": 3}, 0.1, "data")])
    with log.path.open("ab") as file:
        # Torn within a character too.
        file.write(torn.encode()[:-1])
    assert log.sharpes() == [0.1]
    log.add([Trial({"top_n": 5}, 0.2, "data")])
    assert sorted(log.sharpes()) == [0.1, 0.2]
    assert len(log.path.read_bytes().splitlines()) == 2


def test_trials_of_several_processes_are_all_kept(tmp_path):
    path = tmp_path / "trials.jsonl"
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as writers:
        list(writers.map(write_trials, [path] * 4, range(4)))
    assert len(TrialLog(path).sharpes()) == 4 * 25


def write_trials(path, writer):
    for turn in range(25):
        TrialLog(path).add([Trial({"writer": writer, "turn": turn, "text": "x" * 20_000}, 0.1, "data")])
