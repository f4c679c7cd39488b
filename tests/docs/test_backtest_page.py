"""The page about backtests shows a call that works."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from defimon.amm.pools.constant_product import ConstantProduct
from defimon.amm.state.document import State, Token, write_state
from defimon.core.tables import PANEL

PAGE = Path(__file__).resolve().parents[2] / "docs" / "backtest.md"


def test_the_example_with_swaps_runs_and_names_the_route_and_who_is_left_out(tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    tokens = (Token("0xa", "USDC", 6), Token("0xb", "DAI", 18))
    pool = ConstantProduct(("0xa", "0xb"), (10**13, 10**25), 500)
    path = tmp_path / "state.json"
    path.write_text(json.dumps(write_state(State(1, 17_000_000, "observed", tokens, {"pair": pool}))))
    rows = [
        {
            "pool_id": symbol,
            "ts": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day),
            "apy": 0.03 + 0.01 * (day % 7 == number),
            "stablecoin": True,
            "symbol": symbol,
        }
        for number, symbol in enumerate(("USDC", "DAI", "TUSD"))
        for day in range(40)
    ]
    daily = PANEL.rows(rows).with_columns(day=pl.col("ts").dt.date()).sort("pool_id", "day")
    names = {"daily": daily, "path": path, "print": lambda *_: None}
    exec(example, names)
    found = names["result"].swaps
    assert found.table["path"].drop_nulls().to_list() == ["USDC > DAI"]
    assert found.left_out == {"TUSD": ["TUSD"]}
