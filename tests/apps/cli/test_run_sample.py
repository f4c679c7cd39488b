"""`defimon run --sample`: the main job without a network, and what it says of its data."""

import pytest
from typer.testing import CliRunner

from defimon.apps.cli.main import build
from defimon.core.errors import FixSettings
from defimon.core.settings import load_settings
from defimon.flows._store import open_store


def test_the_main_job_runs_on_the_sample_and_says_before_and_on_top_what_it_is(tmp_path):
    out = tmp_path / "out"
    words = ["run", "--sample", "--models", "ridge", "--out", str(out), "--keep"]
    done = CliRunner().invoke(build(), words)
    assert done.exception is None
    told = " ".join(done.stdout.split())
    assert "embedded sample, and no market" in told
    assert told.index("no market") < told.index("Wrote")
    assert "Open the dashboard: run `defimon serve`" in told
    with open_store(load_settings()) as store:
        assert (store.count("yields"), len(store.names("pools"))) == (7_200, 18)
    page = (out / "report.html").read_text()
    assert page.index("Simulated data") < page.index("What the next 7 days will pay")


def test_the_sample_and_a_file_are_not_asked_for_together(tmp_path):
    done = CliRunner().invoke(build(), ["run", "--sample", "--panel", str(tmp_path / "x.csv")])
    assert isinstance(done.exception, FixSettings)
    with pytest.raises(FixSettings, match="two panels"):
        raise done.exception
