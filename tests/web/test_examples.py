"""The examples of the execution page: states that the API takes, with the figures of recorded contracts."""

import json
from pathlib import Path

import pytest

from defimon.amm.state.document import read_state
from defimon.flows.golden import read_recording_file
from defimon.flows.posted_state import quote_document

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "web" / "src" / "pages" / "execution" / "examples"
RECORDED = {
    "ether": (("v3_500_18_6_many_ranges", 0), ("v2_pairs", 0)),
    "dollars": (("stableswap_ng", 1),),
    "dense": (("v3_100_6_6_dense", 0),),
}
"""Recording of tests/golden and place of the pool within it, for each pool of an example."""


def figures(pool):
    """A pool without the names that an example gives: its numbers."""
    taken = {field: getattr(pool, field) for field in pool.__slots__ if field != "tokens"}
    return {field: value for field, value in taken.items() if not field.startswith("_")}


def test_every_example_is_known():
    assert {path.stem for path in EXAMPLES.iterdir()} == set(RECORDED)


@pytest.mark.parametrize("name", RECORDED)
def test_an_example_is_a_recorded_state(name):
    state = read_state(json.loads((EXAMPLES / f"{name}.json").read_text()))
    assert state.origin == "simulated"
    for own, (recording, place) in zip(state.pools.values(), RECORDED[name], strict=True):
        recorded = read_recording_file(ROOT / "tests" / "golden" / f"{recording}.json").state
        assert figures(own) == figures(list(recorded.pools.values())[place])


@pytest.mark.parametrize(
    ("name", "sell", "buy"),
    [("ether", "WETH", "USDC"), ("dollars", "DAI", "USDT"), ("dense", "USDC", "USDT")],
)
def test_every_pool_of_an_example_quotes(name, sell, buy):
    document = json.loads((EXAMPLES / f"{name}.json").read_text())
    told = quote_document(document, sell=sell, buy=buy, amount="20")
    assert [quote["reason"] for quote in told["quotes"]] == [""] * len(document["pools"])
