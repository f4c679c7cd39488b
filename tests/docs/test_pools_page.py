import os
import re
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from defimon.apps.cli.main import build
from defimon.flows.states import read_state_file

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "pools.md").read_text()


def test_the_python_lines_make_a_state_that_can_be_quoted(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=dict(os.environ), check=True)
    state = read_state_file(tmp_path / "state.json")
    usdc, weth = state.token("USDC"), state.token("WETH")
    assert state.pools["pair"].quote_exact_in(weth.id, usdc.id, 10**18).amount_out == 2_990_701_827


def test_every_example_is_consistent_and_trades_on_the_command_line(tmp_path):
    for place, text in enumerate(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)):
        path = tmp_path / f"{place}.json"
        path.write_text(text)
        symbol = read_state_file(path).tokens[1].symbol
        for words in (["amm", "check", path], ["quote", path, "--sell", symbol, "--max-impact", "30bps"]):
            done = CliRunner().invoke(build(), [str(word) for word in words])
            assert done.exit_code == 0, done.output
