"""The dashboard's sources: what they are built from, and that they mean the same as the API."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from defimon.apps.api.application import create_app
from defimon.core.settings import load_settings

WEB = Path(__file__).resolve().parents[2] / "web"
EXACT = re.compile(r"\d+\.\d+\.\d+")

INTERFACES = {
    "Pool": "Pool",
    "PoolPage": "PoolPage",
    "HistoryRow": "HistoryRow",
    "HistoryPage": "HistoryPage",
    "Forecast": "ForecastRow",
    "PoolForecast": "PoolForecast",
    "SaidPage": "SaidPage",
    "Standing": "Standing",
    "Leaderboard": "Leaderboard",
    "Status": "Status",
    "ShownSettings": "ShownSettings",
    "ModelEvent": "ModelEvent",
    "ModelEvents": "ModelEvents",
    "RuleRows": "RuleRows",
    "RowApart": "RowApart",
    "Quarantine": "Quarantine",
    "Figures": "Figures",
    "Group": "GroupRow",
    "Scorecard": "ScorecardAnswer",
    "PastForecast": "PastForecast",
    "PoolScorecard": "PoolScorecardAnswer",
    "ModelVersion": "ModelVersion",
    "Models": "Models",
    "BacktestForm": "FormOut",
    "Backtest": "BacktestOut",
    "BacktestPage": "BacktestPage",
    "BacktestResult": "BacktestResult",
    "StrategyFigures": "StrategyFigures",
    "StrategyCurve": "StrategyCurve",
    "Trade": "BacktestTrade",
    "TradePage": "TradePage",
    "Strategy": "Strategy",
    "Strategies": "Strategies",
    "Comparison": "Comparison",
    "Promoted": "Promoted",
    "RolledBack": "RolledBack",
    "PoolQuote": "PoolQuote",
    "Quotes": "Quotes",
    "ImpactCurve": "ImpactCurve",
    "Alert": "Alert",
    "AlertPage": "AlertPage",
    "RuleSetting": "RuleSetting",
    "Kind": "Kind",
    "Kinds": "Kinds",
    "Channels": "Channels",
    "Scope": "ScopeIn",
    "Rule": "RuleOut",
    "Rules": "Rules",
    "Message": "MessageOut",
    "MessagePage": "MessagePage",
    "OwnKey": "OwnKey",
    "PoolValues": "PoolValues",
    "ValueCount": "ValueCount",
}
"""Interfaces of web/src/api/WRITTEN, and the schema of the API that each writes down."""

WRITTEN = ("types.ts", "work.ts", "alerts.ts", "caller.ts")


@pytest.fixture(scope="module")
def interfaces():
    """Fields of each interface by its name, those of what it extends included."""
    text = "\n".join((WEB / "src" / "api" / name).read_text() for name in WRITTEN)
    found = {}
    for name, base, body in re.findall(r"interface (\w+)(?: extends (\w+))? \{\n(.*?)\n\}", text, re.DOTALL):
        own = set(re.findall(r"^  (\w+)\??:", body, re.MULTILINE))
        found[name] = own | found.get(base, set())
    return found


@pytest.fixture(scope="module")
def schemas():
    return create_app(load_settings({})).openapi()["components"]["schemas"]


@pytest.mark.parametrize("name", INTERFACES)
def test_a_type_of_the_dashboard_has_the_fields_of_the_answer(interfaces, schemas, name):
    assert interfaces[name] == set(schemas[INTERFACES[name]]["properties"])


def test_versions_are_exact_and_the_lock_file_names_no_registry():
    package = json.loads((WEB / "package.json").read_text())
    for version in (*package["dependencies"].values(), *package["devDependencies"].values()):
        assert EXACT.fullmatch(version), version
    lock = json.loads((WEB / "package-lock.json").read_text())
    for name, entry in lock["packages"].items():
        assert "resolved" not in entry, name
        assert "integrity" in entry or not name, name
    assert "omit-lockfile-registry-resolved=true" in (WEB / ".npmrc").read_text()


def test_no_page_asks_another_host():
    for path in (WEB / "src").rglob("*.ts*"):
        assert not re.search(r"https?://", path.read_text()), path
    assert not re.search(r"https?://", (WEB / "index.html").read_text())


def test_every_page_says_how_it_is_listed():
    for folder in (WEB / "src" / "pages").iterdir():
        assert (folder / "info.ts").is_file(), folder
        assert (folder / "index.tsx").is_file(), folder


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is missing: install Node.js 20 or newer")
@pytest.mark.parametrize("script", ["types", "test"])
def test_types_hold_and_what_needs_no_browser_is_tried(script):
    if not (WEB / "node_modules" / "vite").is_dir():
        pytest.skip("web/node_modules is missing: npm --prefix web ci")
    command = ["npm", "--prefix", str(WEB), "run", script, "--silent"]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert told.returncode == 0, told.stdout + told.stderr
