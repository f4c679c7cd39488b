import copy
import json
from pathlib import Path

import pytest

from defimon.amm.pools._errors import BadState
from defimon.amm.state.recorded import read_pools, read_recording
from defimon.amm.state.replay import replay
from defimon.core.errors import BadData
from defimon.flows.golden import check_files

GOLDEN = Path(__file__).resolve().parents[2] / "golden"

ANSWERS = {
    "v2_pairs": 1_180,
    "v3_10000_8_18_exhaustible": 288,
    "v3_100_6_6_dense": 288,
    "v3_500_18_6_many_ranges": 288,
    "v3_500_tick0_boundary": 288,
    "stableswap_ng": 780,
    "arb_funding": 40,
}


def document(name):
    return json.loads((GOLDEN / f"{name}.json").read_text())


def differing(value):
    return replay(read_recording(value, "changed")).differing


@pytest.mark.parametrize("name", ANSWERS)
def test_every_recorded_answer_of_the_contracts_is_ours_too(name):
    verdict = replay(read_recording(document(name), name))
    assert verdict.differing == ()
    assert verdict.compared == ANSWERS[name]


def change(value, *path):
    """One more, or one less, at the end of a path."""
    for key in path[:-1]:
        value = value[key]
    number = int(value[path[-1]]) + 1
    value[path[-1]] = str(number)
    return str(number)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("v2_pairs", ("pairs", 0, "quotes", 0, "amountQuoted")),
        ("v2_pairs", ("pairs", 4, "executed", 3, "amountOut")),
        ("v2_pairs", ("pairs", 1, "executed", 15, "reserve1After")),
        ("v3_500_tick0_boundary", ("quoterV2", 9, "amountQuoted")),
        ("v3_500_tick0_boundary", ("quoterV2", 9, "sqrtPriceX96After")),
        *(
            ("v3_500_18_6_many_ranges", ("executed", 8, key))
            for key in ("tickAfter", "liquidityAfter", "feeGrowthGlobal0X128After", "amount0Delta")
        ),
        ("v3_500_18_6_many_ranges", ("executed", 8, "protocolFees", 0)),
        ("arb_funding", ("rows", 3, "profile", "0.9", 0)),
        ("stableswap_ng", ("pools", 3, "quotes", 100, "dy")),
        ("stableswap_ng", ("pools", 1, "get_dx", 7, "dx")),
        ("stableswap_ng", ("pools", 1, "executed", 7, "dy")),
        ("stableswap_ng", ("pools", 1, "executed", 7, "balances_after", 1)),
    ],
)
def test_an_answer_that_is_off_by_one_is_told_with_its_place(name, path):
    value = document(name)
    wanted = change(value, *path)
    (found,) = differing(value)
    keys = [f"[{key}]" if isinstance(key, int) else f".{key}" for key in path]
    deep = 2 if "executed" in path[:1] or "quoterV2" in path else 4
    assert found.what.startswith("recording" + "".join(keys[:deep]))
    assert wanted.lstrip("-") in found.expected
    assert wanted not in found.got


def test_a_revert_where_the_pool_answers_is_a_difference_and_the_other_way_round():
    value = document("v2_pairs")
    answered, reverted = value["pairs"][0]["quotes"][0], value["pairs"][3]["executed"]
    answered.pop("amountQuoted")
    answered["revert"] = "execution reverted"
    swap = next(one for one in reverted if "revert" in one)
    swap.pop("revert")
    swap |= {"amountOut": "0", "reserve0After": "1", "reserve1After": "1"}
    first, second = differing(value)
    assert (first.expected, first.got) == ("a revert", "amount_in 1, amount_out 332333333")
    assert "refused: UniswapV2: INSUFFICIENT_OUTPUT_AMOUNT" in second.got


def test_a_swap_after_which_the_pool_counts_nothing_is_told_and_the_others_are_still_compared():
    value = document("stableswap_ng")
    value["pools"][0]["executed"][0] |= {"dx": str(10**58), "dy": "0"}
    (found,) = differing(value)
    assert found.what.startswith("recording.pools[0].executed[0]")
    assert found.got.startswith(("unknown: ", "refused: "))


def test_a_swap_that_no_block_has_gas_for_counts_as_reverted():
    value = document("v3_100_6_6_dense")
    dear = [one for one in value["executed"] if "revert" in one and one["mode"] == "exactIn"]
    assert len(dear) == 2
    state = {"sqrtPriceX96After": "1", "tickAfter": 0, "liquidityAfter": "0", "protocolFees": ["0", "0"]}
    growth = {"feeGrowthGlobal0X128After": "0", "feeGrowthGlobal1X128After": "0"}
    dear[0].pop("revert")
    dear[0] |= {"amount0Delta": "1", "amount1Delta": "-1", **state, **growth}
    (found,) = differing(value)
    assert "gas do not fit into a block" in found.got


def test_a_size_that_loses_is_replayed_as_a_loss():
    value = document("arb_funding")
    value["rows"] = value["rows"][:1]
    value["rows"][0] |= {"optimal_x": "1", "profit": "-1", "profile": {}}
    assert differing(value) == ()
    value["rows"][0]["profit"] = "0"
    (found,) = differing(value)
    assert (found.expected, found.got) == ("profit 0", "profit -1")


def test_a_bitmap_that_contradicts_the_ticks_is_refused():
    value = document("v3_500_tick0_boundary")
    word = next(iter(value["state"]["tickBitmap"]))
    value["state"]["tickBitmap"][word] = str(int(value["state"]["tickBitmap"][word]) ^ 1)
    with pytest.raises(BadState, match=f"disagree about word {word}"):
        read_recording(value, "changed")


@pytest.mark.parametrize(
    ("name", "path", "value", "told"),
    [
        ("v2_pairs", ("pairs", 0, "fee"), "1/7", "recording.pairs[0].fee is '1/7'"),
        (
            "v2_pairs",
            ("pairs", 1, "pair"),
            "0xb088a326660c95777a2ba36a0e93b3fc1d7922d5",
            "pairs[1].pair is '0xb",
        ),
        ("v2_pairs", ("pairs", 0, "reserve0"), "0", "recording.pairs[0]: reserves are (0, "),
        ("v2_pairs", ("pairs", 0, "quotes", 1, "zeroForOne"), 1, "quotes[1].zeroForOne is 1"),
        ("v2_pairs", ("pairs", 0, "quotes", 1, "mode"), "in", "one of exactIn, exactOut"),
        ("v3_500_tick0_boundary", ("state", "liquidity"), "1", "recording.state: The liquidity is 1"),
        ("v3_500_tick0_boundary", ("state", "tickBitmap"), [], "tickBitmap is []"),
        ("v3_500_tick0_boundary", ("protocol",), "uniswap_v4", "recording.protocol is 'uniswap_v4'"),
        ("stableswap_ng", ("pools", 0, "decimals"), [18], "recording.pools[0].decimals has 1 entries"),
        ("stableswap_ng", ("pools", 0, "quotes", 0, "j"), 2, "recording.pools[0].quotes[0].j is 2"),
        ("stableswap_ng", ("pools", 0, "quotes", 0, "j"), 0, "sells and buys"),
    ],
)
def test_a_recording_that_is_wrong_is_refused_with_the_place(name, path, value, told):
    changed = document(name)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    with pytest.raises(BadState) as caught:
        read_recording(changed, "changed")
    assert told in str(caught.value)


TOKENS = [
    {"address": "0xA1", "symbol": "BAL", "decimals": 18},
    {"address": "0xB2", "symbol": "WETH", "decimals": 18},
]
MAINNET = {
    "chain_id": 1, "block": 7, "address": "0xAb", "tokens": TOKENS, "fee": "1/100", "pow_version": "v1",
    "balances": [10**24, 10**21], "weights": [8 * 10**17, 2 * 10**17],
}  # fmt: skip


def asked(*keys, block=7):
    return {"chain_id": 1, "block_number": block, "entries": {key: {"value": 5} for key in keys}}


def test_quotes_of_mainnet_name_tokens_by_symbol_or_place():
    pools = {"0xab": read_pools(MAINNET)}
    keys = ("0xAB|querySwap|GIVEN_IN|BAL->WETH|1000", "0xAB|querySwap|GIVEN_OUT|i=1|j=0|2000")
    first, second = read_recording(asked(*keys), "quotes", pools).answers
    assert (first.sell, first.buy, first.exact, first.amount) == ("0xA1", "0xB2", "in", 1000)
    assert (second.sell, second.buy, second.exact, second.amount) == ("0xB2", "0xA1", "out", 2000)
    assert (first.expected, second.expected) == ({"amount_out": 5}, {"amount_in": 5})


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (asked("0xCC|querySwap|GIVEN_IN|BAL->WETH|1"), "asks pool 0xcc, whose state is not beside it"),
        (asked("0xAB|querySwap|GIVEN_IN|BAL->WETH|1", block=8), "recorded at block 8, pool 0xab at 7"),
        (asked("0xAB|querySwap|GIVEN_ALL|BAL->WETH|1"), "is no question that is known"),
        (asked("0xAB|querySwap|GIVEN_IN|BAL->WETH|x"), "is no question that is known"),
        (asked("0xAB|querySwap|GIVEN_IN|i=0|j=2|1"), "names no two tokens of its pool"),
        (asked("0xAB|querySwap|GIVEN_IN|BAL->BAL|1"), "sells and buys"),
        (asked("0xAB|querySwap|GIVEN_IN|BAL->WET|1"), "Did you mean WETH"),
        (asked("0xAB"), "is no question that is known"),
        (asked(""), "asks pool"),
    ],
)
def test_a_question_of_mainnet_that_is_wrong_is_refused(document, told):
    with pytest.raises(BadData) as caught:
        read_recording(document, "quotes", {"0xab": read_pools(MAINNET)})
    assert told in str(caught.value)


def test_what_is_no_known_format_is_refused_with_the_known_ones():
    with pytest.raises(BadState, match="uniswap_v2"):
        read_recording({"a": 1}, "other")


def test_a_recording_is_a_state_too():
    state = read_pools(copy.deepcopy(document("v2_pairs")))
    assert len(state.pools) == 5
    assert state.origin == "simulated"


@pytest.mark.real_data
def test_every_answer_recorded_from_mainnet_is_ours_too(data_sets):
    folder = data_sets.parent / "golden" / "onchain"
    if not folder.is_dir():
        pytest.skip("needs the recordings from mainnet beside the data sets")
    verdicts = check_files([folder])
    assert [verdict.name for verdict in verdicts if verdict.differing] == []
    assert sum(verdict.compared for verdict in verdicts) == 560
