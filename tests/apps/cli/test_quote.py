"""`defimon quote` as a person types it."""

import json
import re
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from defimon.amm.pools._errors import BadState
from defimon.apps.cli.main import build
from defimon.core.errors import BadData, FixSettings
from defimon.flows.states import read_state_file

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


def named(path, *symbols, pools=()):
    """The document at `path` with other symbols (None for none) and pool ids, as a new file."""
    document = json.loads(path.read_text())
    for token, symbol in zip(document["tokens"], symbols, strict=True):
        token.pop("symbol")
        token.update({} if symbol is None else {"symbol": symbol})
    for one, name in zip(document["pools"], pools, strict=False):
        one["id"] = name
    other = path.with_name("named.json")
    other.write_text(json.dumps(document))
    return str(other)


def test_every_figure_of_the_table_is_the_quotes_own(state):
    whole = read_state_file(Path(state))
    for words, quote in (
        (["--amount", "1234567.000000000000000001"], ("in", 1234567 * 10**18 + 1)),
        (["--receive", "1234.567891"], ("out", 1_234_567_891)),
    ):
        told = ask(state, "--sell", "WETH", "--buy", "USDC", "--pool", "deep", *words).stdout
        line = next(line for line in told.splitlines() if "deep ·" in line)
        cells = [cell.strip() for cell in line.strip("│").split("│")]
        side = getattr(whole.pools["deep"], f"quote_exact_{quote[0]}")(WETH, USDC, quote[1])
        assert Decimal(cells[1].replace(",", "")).scaleb(18) == side.amount_in
        assert Decimal(cells[2].replace(",", "")).scaleb(6) == side.amount_out
        assert Decimal(cells[3].removesuffix(" WETH").replace(",", "")).scaleb(18) == side.fee
        prices = (side.average_price, side.price_before, side.price_after)
        for cell, price in zip(cells[4:7], prices, strict=True):
            assert float(cell) == pytest.approx(float(price) * 1e12, rel=1e-7)
        for cell, part in zip(cells[7:9], (side.price_impact, side.slippage), strict=True):
            assert float(cell.replace(",", "")) == pytest.approx(float(part) * 1e4, abs=0.0051)
        assert cells[9] == str(side.steps)


def test_a_narrow_terminal_shows_the_pools_one_below_the_other_and_no_digit_less(state, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    told = ask(state, "--sell", "WETH", "--buy", "USDC", "--amount", "1234567.000000000000000001").stdout
    assert "1,234,567.000000000000000001" in told
    bought = read_state_file(Path(state)).pools["deep"].quote_exact_in(WETH, USDC, 1234567 * 10**18 + 1)
    assert f"{Decimal(bought.amount_out).scaleb(-6):,f}" in told
    assert "…" not in told
    assert max(map(len, re.sub(r"\x1b\[[0-9;]*m", "", told).splitlines())) <= 60


def test_tokens_without_a_symbol_are_called_by_their_id(state, tmp_path):
    other = named(Path(state), None, None, None)
    told = ask(
        other, "--sell", WETH, "--buy", USDC, "--amount", "1", "--chart", str(tmp_path / "c.svg")
    ).stdout
    assert f"sell {WETH} for {USDC}" in told
    assert f"0.003000000000000000 {WETH}" in told
    with pytest.raises(FixSettings, match=f"{USDC} trades for {DAI}, {WETH}"):
        ask(other, "--sell", USDC, "--amount", "1")


def test_names_that_are_markup_or_steer_a_terminal_are_shown_as_words(state, tmp_path):
    chart = tmp_path / "c.svg"
    names = ("[/]U\x1b[31m", "[red]W$x$\n", "\u65e5")
    other = named(Path(state), *names, pools=("_one", "[/]\x00", "\u65e5"))
    words = (other, "--sell", WETH, "--buy", USDC)
    told = ask(*words, "--amount", "1", "--chart", str(chart)).stdout
    assert "sell [red]W$x$\ufffd for [/]U\ufffd[31m" in told
    assert "[/]\ufffd · Uniswap v2" in told
    assert "\x1b" not in told
    ET.parse(chart)
    with pytest.raises(BadData, match="Known: \\[/\\]U\ufffd"):
        ask(other, "--sell", "nothing", "--amount", "1")


def test_a_chart_does_not_replace_the_file_that_it_is_drawn_from(state, tmp_path):
    own = tmp_path / "state.svg"
    own.write_bytes(Path(state).read_bytes())
    before = own.read_bytes()
    with pytest.raises(FixSettings, match="the file that is read"):
        ask(str(own), "--sell", "WETH", "--buy", "USDC", "--amount", "1", "--chart", str(own))
    assert own.read_bytes() == before


def test_an_error_lists_no_thousand_pools(state):
    document = json.loads(Path(state).read_text())
    document["pools"] = [document["pools"][0] | {"id": f"pool {number}"} for number in range(1_000)]
    Path(state).write_text(json.dumps(document))
    with pytest.raises(BadData, match=r"pool 19 and 980 more\.") as caught:
        ask(state, "--sell", "WETH", "--buy", "USDC", "--amount", "1", "--pool", "other")
    assert len(str(caught.value)) < 500


def test_a_state_that_contradicts_itself_on_the_way_is_named(state):
    document = json.loads(Path(state).read_text())
    document["pools"].append(
        {
            "id": "in part",
            "type": "concentrated",
            "tokens": [WETH, USDC],
            "fee_ppm": "3000",
            "sqrt_price_x96": "4338821286503235237815524",
            "tick": "-196260",
            "liquidity": "3000000000000000000",
            "tick_spacing": "60",
            "ticks": [["-195600", "9000000000000000000", "-9000000000000000000"]],
            "words": ["-13"],
        }
    )
    Path(state).write_text(json.dumps(document))
    with pytest.raises(BadState, match="in part: Beyond tick -195600"):
        ask(state, "--sell", "USDC", "--buy", "WETH", "--amount", "10000000")
