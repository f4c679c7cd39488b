"""`defimon train` and `defimon models` on a panel whose rates come back to a mean."""

import math
import random
from datetime import UTC, datetime, timedelta

import polars as pl
from typer.testing import CliRunner

from defimon.apps.cli.main import build


def panel(path, pools=6, days=230):
    chance = random.Random(5)
    rows = []
    for pool in range(pools):
        level = 0.0
        for day in range(days):
            level = 0.7 * level + chance.gauss(0, 0.25)
            rows.append(
                {
                    "pool_id": f"p{pool}",
                    "ts": datetime(2025, 6, 1, 1, tzinfo=UTC) + timedelta(days=day),
                    "apy": 0.02 * (pool + 1) * math.exp(level),
                    "tvl_usd": 1e6,
                }
            )
    pl.DataFrame(rows).write_parquet(path)


def run(*arguments):
    result = CliRunner(env={"COLUMNS": "160", "DEFIMON_PROCESSES": "1"}).invoke(build(), arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0
    return result.stdout


def test_a_trained_model_is_listed_and_shown(tmp_path):
    assert "No model is kept" in run("models", "list")
    panel(tmp_path / "panel.parquet")
    said = run("train", "--panel", str(tmp_path / "panel.parquet"), "--models", "ridge", "--min-days", "60")
    assert "apy_mean: the gate let it through, it is champion." in said
    assert "beats persistence by" in said
    folder = said.split("Kept in ")[1].split("\n")[0]
    version = folder.rsplit("-", 1)[1]
    assert version in run("models", "list")
    shown = run("models", "show", version[:6])
    assert folder in shown
    assert "gate_skill" in shown
    assert "Every file is as it was saved." in shown


def test_a_model_trained_beside_a_champion_is_challenger_until_it_is_promoted(tmp_path):
    panel(tmp_path / "panel.parquet")
    asked = ("train", "--panel", str(tmp_path / "panel.parquet"), "--models", "ridge", "--min-days")
    run(*asked, "60")
    said = run(*asked, "61")
    assert "apy_mean: challenger, in shadow, since another is champion; `defimon models promote " in said
