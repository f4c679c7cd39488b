"""`defimon status` and `defimon chain` from the command line."""

import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

sys.path.append(str(Path(__file__).resolve().parents[2] / "flows"))  # so that the node can be imported

from node_on_loopback import PlayedNode, coin, served

from defimon.apps.cli._moments import ago
from defimon.apps.cli.main import build
from defimon.core.errors import FixSettings
from defimon.core.settings import load_settings
from defimon.core.tables import CURSORS, GAPS, JOB_RUNS, SOURCE_HEALTH
from defimon.flows._store import open_store

NOW = datetime.now(UTC)
HOSTILE = "a\x1b[2J[red]b\u202e"


def run(*options):
    return CliRunner().invoke(build(), options, catch_exceptions=False)


@pytest.fixture
def node(httpserver, monkeypatch):
    url, played = served(httpserver, PlayedNode(transactions=10))
    httpserver.expect_request("/coins/markets").respond_with_json([coin()])
    monkeypatch.setenv("DEFIMON_RPC_ASTAR", url)
    monkeypatch.setenv("DEFIMON_COINGECKO_URL", httpserver.url_for(""))
    return played


def test_a_fresh_installation_says_what_is_due():
    result = run("status")
    assert result.exit_code == 0
    assert re.search(r"defillama:pools\W+nothing yet", result.output)
    assert json.loads(run("status", "--json").output)["format"] == "defimon.status"


def test_the_tables_of_status_show_gaps_health_and_jobs_and_no_word_steers_the_terminal():
    told = {"known_at": NOW, "source": "github", "origin": "observed"}
    series = f"github:{HOSTILE}:activity"
    micros = (NOW - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    gap = {"series": series, "start": 5, "end": 9, "ts": NOW, "status": "open", "reason": "x", **told}
    health = {"endpoint": HOSTILE, "ts": NOW, "calls": 9, "failures": 4, "latency_s": 0.25, "state": "open",
              "note": HOSTILE, **told}  # fmt: skip
    job = {"job": HOSTILE, "ts": NOW, "status": "failed", "owner": HOSTILE, "attempt": 2, "started_at": NOW,
           "lease_until": NOW, "error": HOSTILE, **told}  # fmt: skip
    with open_store(load_settings()) as store:
        store.write("cursors", CURSORS.rows([{"series": series, "ts": NOW, "number": micros, **told}]))
        store.write("gaps", GAPS.rows([gap]))
        store.write("source_health", SOURCE_HEALTH.rows([health]))
        store.write("job_runs", JOB_RUNS.rows([job]))
    shown = run("status").output
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "[red]" in shown
    assert re.search(r"9\W+4\W+250 ms\W+left alone", shown)
    assert "failed" in shown
    assert "not configured" in shown
    json.loads(run("status", "--json").output)


def test_a_snapshot_is_shown_as_tables_and_as_a_document(node):
    shown = run("chain", "astar").output
    assert re.search(r"transactions\W+120\W", shown)
    assert re.search(r"circulating\W+8e\+09 ASTR", shown)
    assert "C0" in shown
    assert "calls in them" in shown
    document = json.loads(run("chain", "astar", "--json").output)
    assert (document["format"], document["version"]) == ("defimon.chain-snapshot", 1)
    assert (document["window"]["transactions"], document["chain"]["name"]) == (120, "astar")
    assert document["cost"]["members"] <= 40


def test_a_contract_whose_symbol_steers_a_terminal_does_not(node):
    text = HOSTILE.encode()
    words = (32).to_bytes(32) + len(text).to_bytes(32) + text.ljust(32, b"\0")
    node.symbol = lambda _: "0x" + words.hex()
    shown = run("chain", "astar").output
    assert "\x1b" not in shown
    assert "[red]b" in shown


def test_a_chain_that_is_not_known_or_not_configured_is_refused():
    with pytest.raises(FixSettings, match="Did you mean astar"):
        run("chain", "aster")
    with pytest.raises(FixSettings, match="Set DEFIMON_RPC_ASTAR"):
        run("chain", "astar")
    with pytest.raises(FixSettings, match="There is no chain"):
        run("chain", "\x1b[2J" * 50)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3_725, "1 h 2 min"),
        (90_061, "1 d 1 h"),
        (-75, "in 1 min 15 s"),
    ],
)
def test_an_age_is_told_in_its_two_largest_units(seconds, shown):
    assert ago(seconds) == shown
