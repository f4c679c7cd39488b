"""`defimon collect` from the command line, against services on loopback."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner
from werkzeug import Response

sys.path.append(str(Path(__file__).resolve().parents[2] / "flows"))  # so that the node can be imported

from node_on_loopback import PlayedNode, served

from defimon.apps.cli.main import build
from defimon.core.errors import FixSettings

HEAD = 80
POOLS = [
    {
        "pool": f"pool-{number}", "chain": "Ethereum", "project": project, "symbol": "[USDC]",
        "tvlUsd": 1e9, "apy": 4.0, "apyBase": 4.0, "apyReward": None, "stablecoin": True,
    }
    for number, project in enumerate(("aave-v3", "lido", "uniswap-v3"))
]  # fmt: skip


def _chart(request):
    yesterday = datetime.now(UTC) - timedelta(days=1)
    point = {"timestamp": yesterday.strftime("%Y-%m-%dT23:01:00.000Z"), "tvlUsd": 1e9, "apy": 4.0}
    return Response(json.dumps({"status": "success", "data": [point]}), content_type="application/json")


@pytest.fixture
def node(httpserver, monkeypatch):
    """A node of Astar; DefiLlama answers too."""
    url, played = served(httpserver, PlayedNode(head=HEAD, transactions=2))
    httpserver.expect_request("/pools").respond_with_json({"status": "success", "data": POOLS})
    httpserver.expect_request(re.compile("^/chart/")).respond_with_handler(_chart)
    monkeypatch.setenv("DEFIMON_RPC_ASTAR", url)
    for service in ("DEFILLAMA", "LLAMA", "STABLECOINS", "COINGECKO"):
        monkeypatch.setenv(f"DEFIMON_{service}_URL", httpserver.url_for("").rstrip("/"))
    return played


def run(*options):
    return CliRunner().invoke(build(), ["collect", *options], catch_exceptions=False)


def charts_asked(httpserver):
    return sorted(request.path for request, _ in httpserver.log if request.path.startswith("/chart/"))


def test_the_closing_table_tells_what_became_of_each_series(node):
    begin = datetime.fromtimestamp(1_700_000_000 + 12 * 10, UTC).isoformat()
    result = run("--once", "evm_rpc", "--since", begin)
    assert result.exit_code == 0
    assert re.search(rf"evm_rpc:astar:blocks\W+{HEAD - 9}\W+0\W+0\W+0\W+{HEAD - 64} \(2023-11", result.output)
    again = run("--once", "evm_rpc", "--since", begin)
    assert re.search(r"evm_rpc:astar:blocks\W+0\W+0\W+\d+\W+0", again.output)
    assert "(--since)" not in result.output
    assert re.search(r"^evm_rpc:astar:blocks: it goes on from its .* \(--since\)", again.output, re.MULTILINE)


def test_options_of_defillama_win_over_the_settings(node, httpserver, monkeypatch):
    monkeypatch.setenv("DEFIMON_DEFILLAMA_POOLS", "3")
    monkeypatch.delenv("DEFIMON_RPC_ASTAR")
    result = run("--once", "--protocols", "lido")
    assert result.exit_code == 0
    assert re.search(r"defillama:pools\W+\d+\W+0\W+0\W+0\W+20", result.output)
    assert charts_asked(httpserver) == ["/chart/pool-1"]


def test_a_partial_failure_is_told_and_is_no_failure_of_the_command(node, monkeypatch):
    monkeypatch.setenv("DEFIMON_RPC_LOCAL", "http://127.0.0.1:9")
    result = run("--once", "evm_rpc")
    assert result.exit_code == 0
    (told,) = (line for line in result.output.splitlines() if line.startswith("evm_rpc:local:blocks: No net"))
    assert told.endswith("and is its address in DEFIMON_RPC_LOCAL right?")  # whole, however long
    assert run("--once", "--chain", "local", "evm_rpc").exit_code == 1


@pytest.mark.parametrize("first", ["wrong", "right"])
def test_a_node_of_another_chain_is_left_out_with_a_warning(node, httpserver, monkeypatch, first):
    wrong, other = served(httpserver, PlayedNode(head=2 * HEAD), path="/wrong")
    other.chain_id = 1
    urls = {"wrong": wrong, "right": os.environ["DEFIMON_RPC_ASTAR"]}
    monkeypatch.setenv(
        "DEFIMON_RPC_ASTAR", ",".join(sorted(urls.values(), key=lambda url: url != urls[first]))
    )
    result = run("--once", "evm_rpc")
    assert result.exit_code == 0
    assert re.search(r"evm_rpc:astar:blocks\W+65\W", result.output)
    assert re.search("^evm_rpc:astar:blocks: .*/wrong serves chain 1, not 592", result.output, re.MULTILINE)
    monkeypatch.setenv("DEFIMON_RPC_ASTAR", wrong)
    assert run("--once", "evm_rpc").exit_code == 1


def test_the_summary_is_written_also_when_everything_failed(node, monkeypatch, tmp_path):
    monkeypatch.setenv("DEFIMON_RPC_ASTAR", "http://127.0.0.1:9/v2/abcdef0123456789abcdef0123456789")
    path = tmp_path / "summary.json"
    result = run("--once", "evm_rpc", "--summary", str(path))
    assert result.exit_code == 1
    summary = json.loads(path.read_text())
    assert (summary["format"], summary["version"]) == ("defimon.collection", 1)
    assert summary["totals"] | {"series": 1, "failed": 1} == summary["totals"]
    assert summary["health"][0]["failures"] > 0
    assert "abcdef0123456789" not in path.read_text() + result.output


@pytest.mark.parametrize("place", ["summary.txt", "no-such-folder/summary.json", "."])
def test_a_summary_that_cannot_be_written_is_refused_before_anything_is_asked(
    node, httpserver, tmp_path, place
):
    with pytest.raises(FixSettings, match="--summary"):
        run("--once", "--summary", str(tmp_path / place))
    assert httpserver.log == []


@pytest.mark.parametrize(
    ("since", "why"),
    [
        ("yesterday", "is no date"),
        ("2026-13-01", "is no date"),
        ("", "is no date"),
        ("9999-01-01", "in the future"),
        ("9999-12-31T23:59:59-23:00", "is no date"),
        ("0001-01-01T00:00:00+12:00", "is no date"),
        ("1999-01-01", "when there was no chain"),
        ("\x1b[2J", "is no date"),
    ],
)
def test_a_since_that_is_no_day_of_the_past_is_refused(node, httpserver, since, why):
    with pytest.raises(FixSettings, match=why):
        run("--once", "--since", since)
    assert httpserver.log == []


def test_nothing_configured_names_the_variable_to_set(node, monkeypatch):
    monkeypatch.delenv("DEFIMON_RPC_ASTAR")
    with pytest.raises(FixSettings, match="Set DEFIMON_RPC_ASTAR for evm_rpc"):
        run("--once", "evm_rpc", "--chain", "astar")
    with pytest.raises(FixSettings, match="Did you mean defillama"):
        run("defilama")
    with pytest.raises(FixSettings, match="Did you mean astar"):
        run("--chain", "aster")


def test_a_chain_is_the_same_however_its_name_is_written(node, tmp_path):
    path, node.head = tmp_path / "summary.json", 600
    begin = datetime.fromtimestamp(1_700_000_000 + 12 * 230, UTC).isoformat()
    told = run("--once", "evm_rpc", "--chain", "Astar", "--since", begin, "--summary", str(path))
    assert re.search(r"Aggregates of chains.*astar\W+evm_rpc\W+[1-9]", told.output, re.DOTALL)
    assert list(json.loads(path.read_text())["chains"]) == ["astar"]


def test_an_interrupted_pass_says_so_and_the_next_one_goes_on(node, httpserver):
    begin = datetime.fromtimestamp(1_700_000_000, UTC).isoformat()
    answer, calls = node.answer, []

    def interrupt(question):
        calls.append(question)
        if len(calls) == 6:
            os.kill(os.getpid(), signal.SIGINT)
        return answer(question)

    node.answer = interrupt
    broken = run("--once", "evm_rpc", "--since", begin)
    assert broken.exit_code == 130
    assert "run it again to go on" in broken.output
    assert run("--once", "evm_rpc", "--since", begin).exit_code == 0
    status = json.loads(CliRunner().invoke(build(), ["status", "--json"], catch_exceptions=False).output)
    (blocks,) = [one for one in status["series"] if one["series"] == "evm_rpc:astar:blocks"]
    assert (blocks["position"], blocks["gaps_open"]) == (HEAD - 64, 0)


def test_following_goes_on_until_ctrl_c_and_ends_cleanly(node, tmp_path):
    path, log = tmp_path / "summary.json", tmp_path / "log"
    command = [sys.executable, "-c", "from defimon.apps.cli.main import main; main()", "collect", "evm_rpc",
               "--summary", str(path)]  # fmt: skip
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=os.environ)
    while "next 20" not in log.read_text() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0, log.read_text()
    assert "everything that came is stored" in log.read_text()
    assert "Collected" in log.read_text()
    assert json.loads(path.read_text())["totals"]["inserted"] == 65


def test_following_that_is_interrupted_before_any_series_is_done_tells_what_came(node):
    begin = datetime.fromtimestamp(1_700_000_000, UTC).isoformat()
    answer, calls = node.answer, []

    def interrupt(question):
        calls.append(question)
        if len(calls) == 6:
            os.kill(os.getpid(), signal.SIGINT)
        return answer(question)

    node.answer = interrupt
    broken = run("evm_rpc", "--since", begin)
    assert broken.exit_code == 0
    assert "everything that came is stored" in broken.output
    assert "Collected" in broken.output
    assert re.search(r"evm_rpc:astar:blocks\W+\d+\W", broken.output)
