import importlib.util
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def collecting(monkeypatch):
    """The benchmark as a module, found where `scripts/bench` finds it."""
    monkeypatch.syspath_prepend(str(BENCH))
    spec = importlib.util.spec_from_file_location("collect_bench", BENCH / "collect.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("part", ["stub", "pools", "snapshot"])
def test_each_part_runs_small_and_says_what_it_took(collecting, part, capsys):
    assert collecting.main(["--quick", "--parts", part]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 1
    assert all(" s " in line or " MiB " in line or "left out" in line for line in lines[:-1])


def test_blocks_of_anvil_are_collected_small(collecting, capsys):
    try:
        assert collecting.main(["--quick", "--parts", "anvil"]) == 0
    except FileNotFoundError as missing:
        pytest.skip(f"needs npm: 'npm ci --ignore-scripts' in tests/laboratory did not bring {missing}")
    told = capsys.readouterr().out
    assert "anvil, 60 blocks: ours" in told
    assert told.count("left out: no --peer-python was given") == 3


def test_a_part_that_is_none_is_refused(collecting, capsys):
    with pytest.raises(SystemExit):
        collecting.main(["--parts", "stubs"])
    assert "there are anvil, stub, pools, snapshot" in capsys.readouterr().err
