"""`defimon route` and `defimon arbitrage` as a person types them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from defimon.apps.cli.main import build
from defimon.core.errors import BadData, FixSettings

TOKENS = [("0xa", "USDC", 6), ("0xb", "WETH", 18), ("0xc", "DAI", 18)]
POOLS = {
    "one": (("0xa", "0xb"), (3_000_000 * 10**6, 1_000 * 10**18)),
    "two": (("0xa", "0xb"), (3_100_000 * 10**6, 1_000 * 10**18)),
    "dollars": (("0xa", "0xc"), (10**7 * 10**6, 10**7 * 10**18)),
    "third": (("0xc", "0xb"), (3_050_000 * 10**18, 1_000 * 10**18)),
}


@pytest.fixture
def state(tmp_path):
    """Ether for dollars of two kinds in three pools at three prices, and a pool of the two dollars."""
    document = {
        "format": "defimon.pools",
        "version": 1,
        "chain_id": 1,
        "block": 1,
        "origin": "observed",
        "tokens": [dict(zip(("id", "symbol", "decimals"), token, strict=True)) for token in TOKENS],
        "pools": [
            {
                "id": name,
                "type": "constant_product",
                "fee_ppm": "3000",
                "tokens": list(tokens),
                "reserves": [str(reserve) for reserve in reserves],
            }
            for name, (tokens, reserves) in POOLS.items()
        ],
    }
    path = tmp_path / "state.json"
    path.write_text(json.dumps(document))
    return str(path)


def ask(*words):
    answer = CliRunner().invoke(build(), words)
    if answer.exception and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    return answer.stdout


def test_a_large_trade_is_split_and_beats_the_best_single_pool(state):
    told = ask("route", state, "--sell", "WETH", "--buy", "USDC", "--amount", "100")
    for pool in ("one", "two", "third", "dollars"):
        assert f" {pool} " in told
    assert "best single chain two" in told
    assert "the route brings +" in told


def test_gas_that_costs_more_than_a_split_brings_leaves_one_pool(state):
    words = ("route", state, "--sell", "WETH", "--buy", "USDC", "--amount", "1")
    told = ask(*words, "--gas-gwei", "1000", "--coin-price", "3000")
    assert " two " in told
    assert " one " not in told
    assert "after gas" in told


def test_a_circle_between_pools_at_two_prices_gains(state):
    told = ask("arbitrage", state, "--token", "WETH")
    # Dear dollars for ether in the second pool, back through the first.
    assert "two > one" in told
    assert "after one is traded" in told


def test_a_loan_costs_its_fee(state):
    assert (
        "0.000000" not in ask("arbitrage", state, "--token", "USDC", "--funding", "aave").split("loan fee")[1]
    )
    told = ask("arbitrage", state, "--token", "USDC", "--funding", "aave", "--loan-fee-bps", "500")
    assert "No circle" in told


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (
            ("route", "--sell", "WETH", "--buy", "USDC", "--amount", "1", "--gas-gwei", "3"),
            FixSettings,
            "Gas",
        ),
        (
            ("arbitrage", "--token", "WETH", "--gas-gwei", "1e308", "--coin-price", "1e308"),
            FixSettings,
            "--gas-gwei is 1e",
        ),
        (("route", "--sell", "WETH", "--buy", "XYZ", "--amount", "1"), BadData, "XYZ"),
        (("route", "--sell", "WETH", "--buy", "WETH", "--amount", "1"), BadData, "both"),
        (("route", "--sell", "WETH", "--buy", "USDC", "--amount", "-1"), BadData, "--amount"),
        (("arbitrage", "--token", "WETH", "--funding", "bank"), FixSettings, "bank"),
        (("arbitrage", "--token", "WETH", "--loan-fee-bps", "3"), FixSettings, "loan-fee"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(state, words, error, message):
    with pytest.raises(error, match=message):
        ask(words[0], state, *words[1:])


def test_tokens_without_a_symbol_or_with_markup_for_one_are_named(state):
    path = Path(state)
    document = json.loads(path.read_text())
    for token, symbol in zip(document["tokens"], ("[/]", None, "[red]D\x1b"), strict=True):
        token.pop("symbol")
        token.update({} if symbol is None else {"symbol": symbol})
    path.write_text(json.dumps(document))
    told = ask("route", state, "--sell", "0xb", "--buy", "0xa", "--amount", "100")
    assert "sell 100.000000000000000000 0xb for [/]" in told
    assert " [red]D\ufffd " in told
    assert "circles through 0xb" in ask("arbitrage", state, "--token", "0xb")


def test_a_loan_of_a_pool_says_of_which(state):
    told = ask("arbitrage", state, "--token", "WETH", "--funding", "v2flash")
    assert "v2flash of two" in told
