import json
import shutil
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from defimon.apps.cli.main import FAULT, build, main

GOLDEN = Path(__file__).resolve().parents[2] / "golden"


def run(*words):
    return CliRunner().invoke(build(), ["amm", "check", *(str(word) for word in words)])


def refused(monkeypatch, capsys, *words) -> str:
    monkeypatch.setattr(sys, "argv", ["defimon", "amm", "check", *(str(word) for word in words)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == FAULT
    return capsys.readouterr().err


@pytest.fixture
def changed(tmp_path):
    """A recording of which five answers are off by one."""
    document = json.loads((GOLDEN / "stableswap_ng.json").read_text())
    for quote in document["pools"][0]["quotes"][:5]:
        quote["dy"] = str(int(quote["dy"]) + 1)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(document))
    return path


def test_recordings_that_agree_end_with_status_0_and_their_counts():
    done = run(GOLDEN / "v2_pairs.json", GOLDEN / "stableswap_ng.json")
    assert done.exit_code == 0
    figures = [line.replace("│", " ").split() for line in done.stdout.splitlines() if "│" in line]
    assert [row[-2:] for row in figures] == [["1,180", "0"], ["780", "0"], ["1,960", "0"]]


def test_an_answer_that_differs_ends_with_status_1_and_is_shown(changed):
    done = run(changed, "--show", "2")
    assert done.exit_code == 1
    assert done.stdout.count("contract: ") == 2
    assert "recording.pools[0].quotes[0]: quoted, sell 0xa513" in done.stdout
    assert "and 3 more" in done.stdout


def test_a_folder_stands_for_every_json_below_it(changed, tmp_path):
    (tmp_path / "deeper").mkdir()
    shutil.copy(GOLDEN / "v2_pairs.json", tmp_path / "deeper" / "pairs.json")
    (tmp_path / "notes.txt").write_text("not read")
    done = run(tmp_path)
    assert done.exit_code == 1
    assert "1,960" in done.stdout


def test_a_file_that_is_wrong_ends_with_status_2_and_its_name(tmp_path, monkeypatch, capsys):
    path = tmp_path / "[red]state.json"
    path.write_text('{"format": "defimon.pools", "version": 9}')
    told = refused(monkeypatch, capsys, path)
    assert "[red]state.json: state.version is 9" in told
    assert "Update defimon" in told


def test_an_error_that_repeats_a_field_does_not_steer_the_terminal(tmp_path, monkeypatch, capsys):
    path = tmp_path / "state.json"
    top = {"format": "defimon.pools", "version": 1, "chain_id": 1, "block": 1, "origin": "observed"}
    path.write_text(json.dumps({**top, "tokens": [], "pools": [], "\x1b[31mred": 1}))
    told = refused(monkeypatch, capsys, path)
    assert "\x1b[31mred" not in told
    assert "\N{REPLACEMENT CHARACTER}[31mred" in told


def test_a_folder_without_recordings_and_a_missing_file_are_named(tmp_path, monkeypatch, capsys):
    assert "has no *.json below it" in refused(monkeypatch, capsys, tmp_path)
    assert "absent.json" in refused(monkeypatch, capsys, tmp_path / "absent.json")


def test_quotes_find_their_pool_in_the_folder_and_say_when_it_is_missing(tmp_path, monkeypatch, capsys):
    tokens = [{"address": f"0x{n}", "symbol": f"T{n}", "decimals": 18} for n in range(2)]
    pool = {
        "chain_id": 1, "block": 7, "address": "0xAb", "tokens": tokens, "fee": "1/100", "pow_version": "v2",
        "balances": [10**24, 10**21], "weights": [5 * 10**17, 5 * 10**17],
    }  # fmt: skip
    entries = {"0xAB|querySwap|GIVEN_IN|T0->T1|0": {"value": 0}}
    quotes = tmp_path / "quotes.json"
    quotes.write_text(json.dumps({"chain_id": 1, "block_number": 7, "entries": entries}))
    (tmp_path / "broken.json").write_text("{")
    assert "asks pool 0xab, whose state is not beside it" in refused(monkeypatch, capsys, quotes)
    (tmp_path / "pool.json").write_text(json.dumps(pool))
    done = run(quotes)
    assert done.exit_code == 1
    assert "refused: BAL#510" in done.stdout
