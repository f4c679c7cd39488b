"""`defimon alerts`: history, rules, and a try of each channel."""

import pytest
from typer.testing import CliRunner

from defimon.apps.cli.main import build
from defimon.core.settings import load_settings
from defimon.core.tables import TABLES
from defimon.core.units import utc_now
from defimon.flows._store import open_store
from defimon.flows.alert_job import Watch
from defimon.flows.alert_rules import AlertRule, Scope, save_rule

pytest.importorskip("apprise", reason="apprise is not installed")
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def ran(*words):
    return CliRunner().invoke(build(), ["alerts", *words])


def test_what_there_is_not_is_said():
    assert "no such alert" in ran("list").output
    told = ran("rules").output
    assert "no rule" in told
    assert "DEFIMON_ALERT_CHANNELS" in told
    assert ran("test").exit_code == 1


def test_alerts_and_rules_are_listed():
    settings = load_settings()
    now = utc_now()
    row = {"pool_id": "p", "ts": now, "known_at": now, "apy": 0.001, "source": "test", "origin": "observed"}
    with open_store(settings) as store:
        scope = Scope(chains=("base",), stablecoin=False, min_tvl_usd=1e6)
        save_rule(store, AlertRule("me", "low", "apy_below", {"limit": 0.02}), ())
        save_rule(store, AlertRule("me", "narrow", "apy_below", {"limit": 0.02}, scope, enabled=False), ())
        store.write("yields", TABLES["yields"].rows([row]))
        Watch(settings).look(store)
    assert "below 2.00 %" in ran("list").output
    assert "no such alert" in ran("list", "--state", "cleared").output
    told = ran("rules").output
    assert "limit 0.02" in told
    assert "no stablecoins; TVL from 1,000,000 USD" in told


def test_a_channel_is_tried(httpserver, monkeypatch):
    httpserver.expect_request("/good").respond_with_data("ok")
    httpserver.expect_request("/bad").respond_with_data("no", status=500)
    address = f"json://localhost:{httpserver.port}"
    monkeypatch.setenv("DEFIMON_ALERT_CHANNELS", f"good={address}/good,bad={address}/bad")
    assert (ran("test", "good").exit_code, ran("test", "good").output) == (0, "good: taken\n")
    both = ran("test")
    assert (both.exit_code, both.output) == (1, "bad: the service answered 500\ngood: taken\n")
    unknown = ran("test", "nobody")
    assert unknown.exception.variable == "DEFIMON_ALERT_CHANNELS"
