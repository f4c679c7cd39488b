"""The house holds its own rules: floors, light imports, pinned names, shipped files."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "xgboost", "sklearn", "matplotlib", "scipy", "polars", "sqlalchemy", "httpx")


def loaded_by(code):
    probe = f"{code}\nimport sys; print(' '.join(sorted(set(m.split('.')[0] for m in sys.modules))))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_rooms_import_only_what_stands_below_them():
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports"))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_importing_the_package_loads_nothing_heavy():
    assert not set(HEAVY) & set(loaded_by("import defimon"))


def test_showing_the_help_loads_nothing_heavy():
    code = "from defimon.apps.cli.main import build; build()"
    assert not set(HEAVY) & set(loaded_by(code))


PUBLIC = {
    "defimon.flows.load": {"daily", "read_panel"},
    "defimon.flows.evaluate": {"Evaluation", "Plan", "evaluate", "protocol_of", "save_forecasts"},
    "defimon.flows.forecast": {"forecast", "latest_forecasts", "latest_plan"},
    "defimon.flows.backtest": {"BacktestResult", "run_backtest", "save_backtest"},
    "defimon.flows.audit": {"Audit", "audit_leaks"},
    "defimon.flows.backtest_swaps": {"SwapPlan", "known_swaps", "swap_plan"},
    "defimon.flows.impact": {"forecast_trade", "observe_trade", "read_statistics"},
    "defimon.flows.route": {"circles", "route_trade"},
    "defimon.flows.quote": {"Trade", "curves", "depths", "quote_trade"},
    "defimon.core.settings": {"Settings", "load_settings"},
}


@pytest.mark.parametrize("module", PUBLIC)
def test_names_that_the_documents_promise_are_there_and_documented(module):
    loaded = importlib.import_module(module)
    for name in PUBLIC[module]:
        assert getattr(loaded, name).__doc__, name


def test_the_command_line_has_these_commands():
    done = subprocess.run(
        [sys.executable, "-c", "from defimon.apps.cli.main import main; main()", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    commands = (
        "alerts", "amm", "arbitrage", "audit", "backtest", "chain", "collect", "evaluate", "forecast",
        "impact", "import", "keys", "models", "panel", "quote", "route", "run", "scorecard", "serve",
        "status", "train", "worker",
    )  # fmt: skip
    for command in commands:
        assert f" {command} " in done.stdout


@pytest.mark.parametrize("pattern", ["*.html", "migrations/*.py", "sample/panel.*"])
def test_files_that_are_not_modules_ship_with_the_package(pattern):
    assert list((ROOT / "src" / "defimon").rglob(pattern))


def test_no_source_loads_code_from_a_model_file():
    banned = ("import pickle", "joblib.load", "weights_only=False", "dill")
    for path in (ROOT / "src").rglob("*.py"):
        text = path.read_text()
        assert not [word for word in banned if word in text], path
