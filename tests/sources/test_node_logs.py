"""Logs of nodes that limit them, each in its own words, or cut them off."""

import pytest
from scripted_nodes import TRANSFER, Refusal, SmallChain, read

from defimon.core.errors import BadData
from defimon.sources._evm_logs import log_of
from defimon.sources._rpc_refusals import RangeHint, RpcError, range_hint

LOGS = ("0x" + "ab" * 20, ())


@pytest.mark.parametrize(
    "words",
    [
        "block range limit exceeded: at most 7 blocks",
        "query exceeds max block range 7",
        "eth_getLogs is limited to a 7 range",
        "Block range is too large",
        "query returned more than 10000 results",
        "Log response size exceeded. this block range should work: [0x0, 0x6]",
        "query timed out",
    ],
)
@pytest.mark.parametrize("code", [-32000, -32005, -32602])
def test_the_range_of_logs_that_a_node_bears_is_learnt(node, words, code):
    chain = SmallChain(40, logs=2)
    one = node(of=chain)

    def bend(params, found):
        if int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) >= 7:
            raise Refusal(code, words)
        return found

    one.bends = [("eth_getLogs", bend)]
    found = read([one], lambda evm: evm.logs(*LOGS, 0, 41))
    assert [(log.number, log.log_index) for log in found] == [
        (n, place) for n in range(41) for place in (0, 1)
    ]
    assert len(one.asked) < 25


def test_a_limit_of_blocks_is_kept_for_the_next_time_and_a_limit_of_results_is_not(node):
    limited, full = node(of=SmallChain(40, logs=1)), node(of=SmallChain(40, logs=1))

    def bend_by(words):
        def bend(params, found):
            if len(found) > 10:
                raise Refusal(-32005, words)
            return found

        return [("eth_getLogs", bend)]

    async def twice(evm):
        await evm.logs(*LOGS, 0, 41)
        return evm.rpc.endpoints[0].log_range

    limited.bends = bend_by("limited to a 10 block range")
    full.bends = bend_by("query returned more than 10 results")
    assert read([limited], twice) == 10
    assert read([full], twice) == 10_000
    assert limited.asked.count(["eth_getLogs"]) == 1 + 5


def test_logs_that_a_node_cuts_off_in_silence_are_noticed(node):
    chain = SmallChain(6, logs=400)
    one = node(of=chain)
    one.bends = [("eth_getLogs", lambda _params, found: found[:1000])]
    found = read([one], lambda evm: evm.logs(*LOGS, 0, 7))
    assert len(found) == 2800
    assert len({(log.number, log.log_index) for log in found}) == 2800


@pytest.mark.parametrize("by_block", [True, False])
@pytest.mark.parametrize("in_silence", [True, False])
def test_one_block_with_more_logs_than_a_node_tells_is_read_from_its_receipts(node, by_block, in_silence):
    one = node(of=SmallChain(1, logs=1500))

    def cut(_params, found):
        if in_silence or len(found) <= 1000:
            return found[:1000]
        raise Refusal(-32005, "query returned more than 1000 results")

    def lacking(_params, _found):
        raise Refusal(-32601, "method not found")

    one.bends = [("eth_getLogs", cut)] + ([] if by_block else [("eth_getBlockReceipts", lacking)])
    found = read([one], lambda evm: evm.logs(*LOGS, 0, 2))
    assert [log.log_index for log in found] == list(range(1500)) * 2


def test_logs_are_not_asked_of_a_node_that_has_not_come_so_far(node):
    behind, ahead = node(of=SmallChain(30, logs=1)), node(of=SmallChain(40, logs=1))
    found = read([behind, ahead], lambda evm: evm.logs(*LOGS, 25, 41))
    assert [log.number for log in found] == list(range(25, 41))
    assert ["eth_getLogs"] not in behind.asked


@pytest.mark.parametrize(
    "bend",
    [
        lambda log: log | {"blockNumber": hex(99)},
        lambda log: log | {"address": "0x" + "cd" * 20},
        lambda log: log | {"removed": True},
        lambda log: log | {"blockHash": "0x12"},
        lambda log: {name: value for name, value in log.items() if name != "topics"},
        lambda log: log | {"topics": [None]},
        lambda log: log | {"topics": [7]},
        lambda log: log | {"topics": ["0x12"]},
        lambda log: log | {"topics": TRANSFER},
        lambda log: log | {"data": None},
        lambda log: log | {"data": "much"},
        lambda log: log | {"logIndex": hex(2**127)},
        lambda _: None,
    ],
)
def test_a_log_that_was_not_asked_for_sends_the_question_elsewhere(node, bend):
    chain = SmallChain(5, logs=1)
    first, second = node(of=chain), node(of=chain)
    first.bends = [("eth_getLogs", lambda _params, found: [*found[:-1], bend(found[-1])])]
    found = read([first, second], lambda evm: evm.logs(*LOGS, 0, 6))
    assert [log.number for log in found] == list(range(6))
    assert ["eth_getLogs"] in second.asked


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("topics", [None]),
        ("topics", [7]),
        ("topics", ["0x" + "z" * 64]),
        ("topics", None),
        ("data", 5),
        ("data", "0x123"),
        ("logIndex", hex(2**63)),
        ("logIndex", 0),
        ("blockHash", None),
        ("address", 7),
    ],
)
def test_a_log_of_another_shape_is_refused_naming_its_field(field, value):
    log = SmallChain(1, logs=1).logs(1)[0]
    assert log_of(log | {"logIndex": hex(2**63 - 1), "topics": [], "data": "0x"}).log_index == 2**63 - 1
    with pytest.raises(BadData, match=f"field {field}"):
        log_of(log | {field: value})


def test_a_range_that_makes_no_sense_is_the_callers_mistake_and_teaches_nothing(node):
    one = node()
    one.bends = [
        ("eth_getLogs", lambda *_: (_ for _ in ()).throw(Refusal(-32602, "invalid block range params")))
    ]

    async def ask(evm):
        with pytest.raises(RpcError, match="invalid block range"):
            await evm.logs(*LOGS, 0, 6)
        return evm.rpc.endpoints[0].log_range

    assert read([one], ask) == 10_000


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("eth_getLogs is limited to a 10,000 range", RangeHint(blocks=10_000)),
        ("eth_getLogs and eth_newFilter are limited to a 10,000 blocks range", RangeHint(blocks=10_000)),
        ("query exceeds max block range 100000", RangeHint(blocks=100_000)),
        ("exceed maximum block range: 5000", RangeHint(blocks=5_000)),
        ("block range is too wide (maximum 2k blocks)", RangeHint(blocks=2_000)),
        ("range over 3000 blocks", RangeHint(blocks=3_000)),
        ("query returned more than 10000 results", RangeHint()),
        (
            "query returned more than 10000 results. Try with this block range [0x84, 0x8c].",
            RangeHint(suggested=9),
        ),
        ("this block range should work: [0x0, 0xff]", RangeHint(suggested=256)),
        ("range [0x8, 0x4] is wrong", RangeHint()),
        ("block range too large", RangeHint()),
    ],
)
def test_limits_are_read_from_the_words_of_a_refusal(words, hint):
    assert range_hint(words) == hint
