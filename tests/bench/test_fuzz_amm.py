import importlib.util
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def fuzzing(monkeypatch):
    """The benchmark as a module, found where `scripts/bench` finds it."""
    monkeypatch.syspath_prepend(str(BENCH))
    spec = importlib.util.spec_from_file_location("fuzz_amm", BENCH / "fuzz_amm.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fuzz_amm", module)
    spec.loader.exec_module(module)
    return module


def test_mutated_states_and_recordings_end_in_documented_errors_only(fuzzing, capsys):
    result = fuzzing.fuzz(seed=11, seconds=5.0)
    assert result.crashes == {}, capsys.readouterr().err
    assert result.accepted >= len(fuzzing.seeds())


def test_the_unchanged_inputs_are_accepted(fuzzing):
    count = len(fuzzing.seeds())
    result = fuzzing.fuzz(seed=1, inputs=count)
    assert (result.tried, result.accepted, result.crashes) == (count, count, {})


def test_an_error_that_nobody_documented_is_a_crash_with_its_input(fuzzing, monkeypatch, capsys):
    def broken(_):
        raise KeyError("planted")

    monkeypatch.setattr(fuzzing, "parse", broken)
    result = fuzzing.fuzz(seed=1, inputs=3)
    ((fate, raw),) = result.crashes.items()
    assert fate.startswith("crash KeyError")
    assert raw.startswith(b"{")
    assert "planted" in capsys.readouterr().err


def test_an_input_that_takes_too_long_is_a_crash(fuzzing, monkeypatch, capsys):
    def endless(_):
        while True:
            pass

    monkeypatch.setattr(fuzzing, "parse", endless)
    monkeypatch.setattr(fuzzing, "MOST_SECONDS_AN_INPUT", 0.1)
    result = fuzzing.fuzz(seed=1, inputs=1)
    assert next(iter(result.crashes)).startswith("crash TooSlow")
    assert "processor time" in capsys.readouterr().err
