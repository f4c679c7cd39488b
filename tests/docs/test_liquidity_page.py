"""The page about liquidity positions shows an example that runs."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "liquidity.md"


def test_the_example_runs_and_the_price_that_came_back_has_still_cost_something():
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    names = {"print": lambda _: None}
    exec(example, names)
    last = names["frame"].row(-1, named=True)
    assert abs(last["impermanent_loss"]) < 1e-9
    assert last["loss_versus_rebalancing"] > 1
    assert last["fees"] > 1
