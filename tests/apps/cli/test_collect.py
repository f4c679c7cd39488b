"""`defimon collect` from the command line, against a loopback server."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from pytest_httpserver import HTTPServer
from typer.testing import CliRunner
from werkzeug import Request, Response

from defimon.apps.cli.main import build
from defimon.core.errors import FixSettings, TryAgain

POOLS = [
    {
        "pool": f"pool-{number}",
        "chain": "Ethereum",
        "project": project,
        "symbol": "[USDC]",
        "tvlUsd": 1e9,
        "apy": 4.0,
        "apyBase": 4.0,
        "apyReward": None,
        "stablecoin": True,
    }
    for number, project in enumerate(("aave-v3", "lido", "uniswap-v3"))
]


def _chart(request: Request) -> Response:
    if request.path.endswith("pool-2"):
        return Response("no such pool", status=404)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    point = {"timestamp": yesterday.strftime("%Y-%m-%dT23:01:00.000Z"), "tvlUsd": 1e9, "apy": 4.0}
    return Response(json.dumps({"status": "success", "data": [point]}), content_type="application/json")


@pytest.fixture
def service(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> HTTPServer:
    httpserver.expect_request("/pools").respond_with_json({"status": "success", "data": POOLS})
    httpserver.expect_request(re.compile("^/chart/")).respond_with_handler(_chart)
    monkeypatch.setenv("DEFIMON_DEFILLAMA_URL", httpserver.url_for(""))
    return httpserver


def test_the_closing_table_tells_what_was_followed_stored_and_not_to_be_had(service: HTTPServer) -> None:
    result = CliRunner().invoke(build(), ["collect", "--pools", "3"], catch_exceptions=False)
    assert result.exit_code == 0
    assert re.search(r"pools followed\W+1 exchange, 1 lending, 1 staking", result.output)
    assert re.search(r"charts fetched\W+2", result.output)
    assert re.search(r"rows stored, new\W+5", result.output)
    assert "uniswap-v3 [USDC] on ethereum" in result.output
    assert "404" in result.output
    again = CliRunner().invoke(build(), ["collect", "--pools", "3"], catch_exceptions=False)
    assert re.search(r"kept from earlier today\W+2", again.output)


def test_an_option_wins_over_the_setting(service: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEFIMON_DEFILLAMA_PROTOCOLS", "no-such-protocol")
    with pytest.raises(FixSettings, match="None of 3 pools"):
        CliRunner().invoke(build(), ["collect"], catch_exceptions=False)
    result = CliRunner().invoke(build(), ["collect", "--protocols", "lido"], catch_exceptions=False)
    assert re.search(r"pools followed\W+1 staking", result.output)


def test_without_a_network_the_command_names_the_alternatives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEFIMON_DEFILLAMA_URL", "http://no..host")
    with pytest.raises(TryAgain, match="--panel FILE"):
        CliRunner().invoke(build(), ["collect"], catch_exceptions=False)
