import copy
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defimon.amm.pools._errors import BadState, LeavesState
from defimon.amm.pools.constant_product import ConstantProduct
from defimon.amm.state.document import FORMAT, State, Token, read_state, write_state
from defimon.amm.state.text import parse
from defimon.core.errors import BadData

PAGE = Path(__file__).resolve().parents[3] / "docs" / "pools.md"
EXAMPLES = [parse(block) for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)]
TYPES = ("constant_product", "concentrated", "stable_swap", "weighted")

DELETE = object()


def changed(document, place, value):
    """A copy of a document with another value at a place such as "pools.0.tick"."""
    document = copy.deepcopy(document)
    *above, last = [int(key) if key.isdigit() else key for key in place.split(".")]
    holder = document
    for key in above:
        holder = holder[key]
    if value is DELETE:
        del holder[last]
    else:
        holder[last] = value
    return document


def refusal(document) -> str:
    with pytest.raises(BadState) as caught:
        read_state(document)
    return str(caught.value)


def example(kind):
    return next(one for one in EXAMPLES if one["pools"][0]["type"] == kind)


def test_the_page_shows_one_example_of_every_type():
    assert [one["pools"][0]["type"] for one in EXAMPLES] == list(TYPES)


@pytest.mark.parametrize("kind", TYPES)
def test_an_example_is_read_written_and_read_to_the_same(kind):
    state = read_state(example(kind))
    assert write_state(state) == example(kind)
    assert read_state(parse(json.dumps(write_state(state)))) == state


@pytest.mark.parametrize("kind", TYPES)
def test_an_example_trades_both_ways(kind):
    pool = next(iter(read_state(example(kind)).pools.values()))
    first, second = pool.tokens
    amount = pool.balance(first) // 1_000
    bought = pool.quote_exact_in(first, second, amount).amount_out
    assert 0 < pool.quote_exact_in(second, first, bought).amount_out < amount


def test_integers_may_be_json_integers_and_are_written_as_texts():
    document = changed(example("constant_product"), "pools.0.fee_ppm", 3_000)
    assert write_state(read_state(document)) == example("constant_product")


def test_a_state_in_part_answers_within_its_words_and_refuses_to_guess_beyond():
    pool = read_state(example("concentrated")).pools["in part"]
    whole = read_state(example("concentrated")).pools["whole"]
    weth, usdt = pool.tokens
    amount = 10**16
    assert pool.quote_exact_in(weth, usdt, amount).amount_out == (
        whole.quote_exact_in(weth, usdt, amount).amount_out
    )
    with pytest.raises(LeavesState, match="word -14"):
        pool.quote_exact_in(weth, usdt, 10**30)


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        ("format", "other", "state.format is 'other'. It must be one of defimon.pools"),
        ("format", DELETE, "state.format is missing"),
        ("version", 2, "state.version is 2, and this defimon knows versions up to 1. Update defimon"),
        ("version", "one", "state.version is 'one'"),
        ("version", True, "state.version is True"),
        ("chain_id", 0, "state.chain_id is 0"),
        ("chain_id", 1 << 64, "It must be from 1 to below 18446744073709551616"),
        ("block", -1, "state.block is -1"),
        ("block", 1.0, "state.block is 1.0"),
        ("origin", "guessed", "one of observed, simulated"),
        ("note", "hello", "state has unknown fields: note"),
        ("tokens", {}, "state.tokens is {}"),
        ("tokens.0", [], "state.tokens[0] is []"),
        ("tokens.0.decimals", 78, "state.tokens[0].decimals is 78"),
        ("tokens.0.name", "Ether", "state.tokens[0] has unknown fields: name"),
        ("tokens.0.symbol", "", "state.tokens[0].symbol is ''"),
        ("tokens.0.symbol", "\udfff", "half characters"),
        ("tokens.1.id", "0xA0B86991C6218B36C1D19D4A2E9EB0CE3606EB48", "twice"),
        ("tokens.1.id", "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc3", "Did you mean 0xC02aaA39"),
        ("tokens.1", DELETE, "not in state.tokens"),
        ("pools.0.type", "constant_prodct", "Did you mean constant_product"),
        ("pools.0.type", "_base", "is no pool type"),
        ("pools.0.type", 3, "state.pools[0].type is 3"),
        ("pools.0.id", "", "state.pools[0].id is ''"),
        ("pools.0.id", "\ud800", "half characters"),
        ("pools.0.tokens.0", "\ud800", "half characters"),
        ("pools.0.reserves.0", "0", "state.pools[0]: reserves are"),
        ("pools.0.reserves.0", "+5", "state.pools[0].reserves[0] is '+5'"),
        ("pools.0.reserves.0", "007", "state.pools[0].reserves[0] is '007'"),
        ("pools.0.reserves.0", str(1 << 112), "state.pools[0].reserves[0] is"),
        ("pools.0.fee", "3000", "state.pools[0] has unknown fields: fee"),
        ("pools.0.fee_ppm", DELETE, "state.pools[0].fee_ppm is missing"),
    ],
)
def test_a_wrong_field_is_named_with_what_would_be_right(place, value, told):
    assert told in refusal(changed(example("constant_product"), place, value))


@pytest.mark.parametrize(
    ("kind", "place", "value", "told"),
    [
        ("concentrated", "pools.0.liquidity", "3000000000000000001", "sum to 3000000000000000000"),
        ("concentrated", "pools.0.tick", "-196261", "lies in tick -196260"),
        ("concentrated", "pools.0.ticks.0", ["1", "1"], "state.pools[0].ticks[0] is ['1', '1']"),
        ("concentrated", "pools.0.ticks.0.2", "1000000000000000000", "sums to -1000000000000000000"),
        ("concentrated", "pools.1.words", [], "not among the known words"),
        ("concentrated", "pools.1.id", "Whole", "state.pools has 'Whole' twice"),
        ("stable_swap", "pools.0.balances.1", "0", "balances[1] is 0"),
        ("stable_swap", "pools.0.rates", ["1"], "rates has 1 entries"),
        ("weighted", "pools.0.weights.0", "700000000000000000", "sum is 10^18"),
        ("weighted", "pools.0.decimals.0", "6", "state.pools[0].decimals says 6"),
    ],
)
def test_a_state_that_contradicts_itself_is_refused_with_the_reason(kind, place, value, told):
    assert told in refusal(changed(example(kind), place, value))


@pytest.mark.parametrize("value", [None, 1, "text", []])
def test_what_is_no_object_is_refused(value):
    assert "It must be a JSON object" in refusal(value)


TOKENS = (
    Token("0xAA", "WETH", 18),
    Token("0xBB", "USDC", 6),
    Token("0xCC", "usdc", 6),
    Token("0xDD", "USDT", 6),
    Token("0xEE", "", 8),
)
STATE = State(1, 7, "observed", TOKENS, {"pair": ConstantProduct(("0xAA", "0xBB"), (10, 10))})


@pytest.mark.parametrize(
    ("text", "found"),
    [("weth", "0xAA"), ("0xaa", "0xAA"), ("USDC", "0xBB"), ("usdc", "0xCC"), ("0xEE", "0xEE")],
)
def test_a_token_is_found_by_id_or_symbol(text, found):
    assert STATE.token(text).id == found


def test_a_symbol_of_several_tokens_lists_them():
    with pytest.raises(BadData, match="names 2 tokens") as caught:
        STATE.token("Usdc")
    assert caught.value.rows == ("USDC 0xBB", "usdc 0xCC")


def test_an_unknown_token_is_refused_with_near_matches():
    with pytest.raises(BadData, match="Did you mean WETH"):
        STATE.token("WET")
    with pytest.raises(BadData, match="Known: 0xEE, USDT, WETH, usdc"):
        STATE.token("zzzzzzz")
    with pytest.raises(BadData):
        STATE.token("")


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=5)


@given(st.lists(st.tuples(NAMES, st.integers(0, 77)), min_size=2, unique_by=lambda one: one[0].casefold()))
def test_whatever_is_written_is_read_again(rows):
    tokens = tuple(Token(name, name[::-1], decimals) for name, decimals in rows)
    pair = ConstantProduct((tokens[0].id, tokens[1].id), (5, 7), 0)
    state = State(10, 0, "simulated", tokens, {"p": pair})
    document = write_state(state)
    assert document["format"] == FORMAT
    assert read_state(parse(json.dumps(document))) == state
