"""`defimon quote` as a person types it."""

import json
import re

import pytest
from typer.testing import CliRunner

from defimon.apps.cli.main import build
from defimon.core.errors import BadData, FixSettings

USDC, WETH, DAI = "0xa0b8", "0xc02a", "0x6b17"


def pool(name, tokens, reserves):
    kind = {"id": name, "type": "constant_product", "fee_ppm": "3000"}
    return {**kind, "tokens": tokens, "reserves": [str(reserve) for reserve in reserves]}


@pytest.fixture
def state(tmp_path):
    """Two pools of ether against dollars, and one of dollars against dollars."""
    tokens = [(USDC, "USDC", 6), (WETH, "WETH", 18), (DAI, "DAI", 18)]
    document = {
        "format": "defimon.pools",
        "version": 1,
        "chain_id": 1,
        "block": 20_000_000,
        "origin": "simulated",
        "tokens": [dict(zip(("id", "symbol", "decimals"), token, strict=True)) for token in tokens],
        "pools": [
            pool("deep", [USDC, WETH], [30_000_000 * 10**6, 10_000 * 10**18]),
            pool("shallow", [WETH, USDC], [10 * 10**18, 30_000 * 10**6]),
            pool("dollars", [USDC, DAI], [10**6 * 10**6, 10**6 * 10**18]),
        ],
    }
    path = tmp_path / "state.json"
    path.write_text(json.dumps(document))
    return str(path)


def ask(*words):
    answer = CliRunner().invoke(build(), ["quote", *words])
    if answer.exception and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    return answer


def test_every_pool_of_the_pair_answers_to_the_last_digit(state):
    told = ask(state, "--sell", "WETH", "--buy", "USDC", "--amount", "1").stdout
    # 997 * 10^18 * 30 million USDC / (10,000 * 1000 * 10^18 + 997 * 10^18), by hand
    assert "2,990.701827" in told
    assert "2,719.832681" in told
    assert "dollars" not in told
    assert "simulated" in told


def test_the_largest_sale_stays_within_its_impact(state):
    told = ask(state, "--sell", "WETH", "--buy", "USDC", "--max-impact", "30bps", "--pool", "deep").stdout
    assert re.search(r"│\s+30\.00 │", told)


def test_exactly_what_is_to_be_received_is_bought(state):
    told = ask(state, "--sell", "USDC", "--buy", "WETH", "--receive", "1.5", "--pool", "deep").stdout
    assert "1.500000000000000000" in told


def test_the_token_bought_may_be_left_out_where_only_one_is_possible(state):
    assert "sell DAI for USDC" in ask(state, "--sell", "DAI", "--amount", "5").stdout
    with pytest.raises(FixSettings, match="trades for DAI, WETH"):
        ask(state, "--sell", "USDC", "--amount", "5")


def test_a_pool_that_cannot_answer_says_why_and_the_status_tells(state):
    answer = ask(state, "--sell", "USDC", "--buy", "WETH", "--receive", "11", "--pool", "shallow")
    assert answer.exit_code == 1
    assert "shallow gives no answer" in answer.stdout


def test_a_trade_too_small_to_buy_anything_is_no_answer(state, tmp_path):
    words = (state, "--sell", "WETH", "--buy", "USDC", "--amount", "0.000000000000000001")
    answer = ask(*words)
    assert answer.exit_code == 1
    assert "INSUFFICIENT_OUTPUT_AMOUNT" in answer.stdout
    with pytest.raises(BadData, match="nothing to draw"):
        ask(*words, "--chart", str(tmp_path / "c.svg"))


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (["--sell", "WETH", "--buy", "USDC"], FixSettings, "How much"),
        (["--sell", "WETH", "--buy", "USDC", "--amount", "1", "--receive", "1"], FixSettings, "How much"),
        (["--sell", "WETH", "--buy", "USDC", "--amount", "0,5"], BadData, "--amount is"),
        (["--sell", "USDC", "--buy", "WETH", "--amount", "0.0000001"], BadData, "6 decimals"),
        (["--sell", "WETH", "--buy", "USDC", "--max-impact", "30"], BadData, "--max-impact is"),
        (["--sell", "WETHER", "--buy", "USDC", "--amount", "1"], BadData, "WETH"),
        (["--sell", "WETH", "--buy", "WETH", "--amount", "1"], BadData, "No pool"),
        (["--sell", "WETH", "--buy", "DAI", "--amount", "1"], BadData, "No pool"),
        (["--sell", "WETH", "--buy", "USDC", "--amount", "1", "--pool", "x"], BadData, "no pool 'x'"),
        (["--sell", "DAI", "--amount", "1", "--chart", "c.png"], FixSettings, "--chart"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(state, words, error, message):
    with pytest.raises(error, match=message):
        ask(state, *words)


def test_the_chart_is_a_picture_and_the_same_each_time(state, tmp_path):
    drawn = [tmp_path / "one.svg", tmp_path / "two.svg"]
    for path in drawn:
        ask(state, "--sell", "WETH", "--buy", "USDC", "--amount", "3", "--chart", str(path))
    first, second = (path.read_bytes() for path in drawn)
    assert first == second
    assert b"<svg" in first
    assert not list(tmp_path.glob("*.partial"))
