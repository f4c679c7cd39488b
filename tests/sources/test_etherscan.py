"""Explorers as sources of contracts, against loopback servers that answer in the documented shapes."""

import asyncio
import hashlib
import json
import random
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from eth_hash.auto import keccak

from defimon.core.errors import BadData, FixSettings, TryAgain
from defimon.core.settings import Settings
from defimon.sources._checksum import checksum_holds, keccak256
from defimon.sources._http import Http
from defimon.sources._manners import Manners
from defimon.sources._series import Wanted
from defimon.sources.etherscan import EtherscanContracts

sys.path.append(str(Path(__file__).parent))  # so that the played services can be imported

from played_explorers import (
    ABI,
    CREATED_AT,
    CREATION,
    CREATOR,
    LOGIC,
    VAULT,
    blockscout_source,
    call,
    creation,
    etherscan_source,
    notok,
    ok,
    played_blockscout,
    played_etherscan,
)

QUICK = Manners(first_wait_s=0.01, longest_wait_s=0.05, gap_s=0.0, connect_s=30.0, attempts=3)
UNVERIFIED = "Contract source code not verified"
KEY = "ABCDEFGH1234567890ABCDEFGH12345678"


@pytest.fixture
def etherscan(httpserver):
    service = played_etherscan()
    httpserver.expect_request("/v2/api").respond_with_handler(service)
    service.settings = {"etherscan_key": KEY, "etherscan_url": httpserver.url_for("/v2/api")}
    return service


@pytest.fixture
def blockscout(httpserver):
    service = played_blockscout()
    httpserver.expect_request("/api").respond_with_handler(service)
    httpserver.expect_request(f"/api/v2/tokens/{VAULT}").respond_with_handler(service)
    service.settings = {"blockscout_url": httpserver.url_for("/")}
    return service


def settings_of(*services, contracts=(f"ethereum:{VAULT}",)):
    return Settings(
        contracts=contracts, **{key: one for each in services for key, one in each.settings.items()}
    )


def batches(settings, wanted=None, kept=None):
    """Batches of every series, in their order."""

    async def run():
        async with Http(QUICK) as http:
            source = EtherscanContracts.opened(http, settings, ([] if kept is None else kept).append)
            return [
                batch
                for series in source.series()
                async for batch in source.batches(series, wanted or Wanted())
            ]

    return asyncio.run(run())


def described(*services):
    (batch,) = batches(settings_of(*services))
    return batch.rows["contracts"].row(0, named=True)


def test_etherscan_describes_a_contract(etherscan):
    row = described(etherscan)
    assert row["source"] == "etherscan"
    assert (row["chain"], row["address"]) == ("ethereum", VAULT)
    assert (row["verified"], row["name"], row["licence"]) == (True, "Vault", "MIT")
    assert row["compiler"] == "v0.8.20+commit.a1b79de6"
    assert (row["proxy"], row["implementation"]) == (True, LOGIC)
    assert (row["creator"], row["creation_transaction"]) == (CREATOR, CREATION.lower())
    assert row["created_at"] == datetime.fromtimestamp(CREATED_AT, UTC)
    assert json.loads(row["abi"]) == ABI
    assert row["source_sha256"] == hashlib.sha256(b"contract Vault {}").hexdigest()
    assert (row["symbol"], row["decimals"], row["total_supply"]) == ("vUSD", 6, 25e6)
    assert row["holders"] is None
    assert etherscan.requests[0].args["chainid"] == "1"


def test_blockscout_says_the_same_without_a_key(etherscan, blockscout):
    one, other = described(etherscan), described(blockscout)
    assert other["holders"] == 4_321
    assert all("apikey" not in request.args for request in blockscout.requests)
    differing = {name for name in one if one[name] != other[name]}
    assert differing == {"holders", "licence", "ts", "known_at", "source_sha256"}
    assert other["licence"] is None


def test_with_a_key_etherscan_is_asked_and_blockscout_is_not(etherscan, blockscout):
    described(etherscan, blockscout)
    assert etherscan.requests
    assert not blockscout.requests


@pytest.mark.parametrize(
    "words",
    [
        "Free API access is not supported for this chain. Please upgrade your api plan.",
        "Missing or unsupported chainid parameter (required for v2 api)",
    ],
)
def test_a_chain_that_the_plan_leaves_out_is_asked_of_blockscout_and_that_is_told(
    etherscan, blockscout, words
):
    etherscan.answers["getsourcecode"] = notok(words)
    (batch,) = batches(settings_of(etherscan, blockscout))
    assert batch.rows["contracts"]["holders"].to_list() == [4_321]
    assert "was asked instead" in batch.warnings[0]


def test_a_description_is_written_only_when_it_changes(blockscout):
    settings = settings_of(blockscout)
    (first,) = batches(settings)
    (second,) = batches(settings, Wanted(cursor=first.cursor))
    assert not second.rows
    assert second.cursor.number > first.cursor.number
    blockscout.answers["page"]["holders_count"] = "4322"
    (third,) = batches(settings, Wanted(cursor=second.cursor))
    assert third.rows["contracts"]["holders"].to_list() == [4_322]
    assert third.rows["contracts"]["ts"][0] == third.cursor.ts


@pytest.mark.parametrize("unverified", [{"Address": VAULT}, {"ABI": "Contract source code not verified"}])
def test_a_contract_that_is_not_verified_at_blockscout(blockscout, unverified):
    blockscout.answers["getsourcecode"] = ok([unverified])
    row = described(blockscout)
    assert (row["verified"], row["name"], row["abi"], row["source_sha256"]) == (False, None, None, None)
    assert row["creator"] == CREATOR


@pytest.mark.parametrize(
    "answer",
    [
        ok([etherscan_source(SourceCode="", ABI=UNVERIFIED, ContractName="", Proxy="0", Implementation="")]),
        notok(UNVERIFIED),
    ],
)
def test_a_contract_that_is_not_verified_at_etherscan(etherscan, answer):
    etherscan.answers["getsourcecode"] = answer
    row = described(etherscan)
    assert (row["verified"], row["name"], row["proxy"], row["abi"]) == (False, None, False, None)


def test_an_address_without_a_contract_is_told(etherscan):
    etherscan.answers["getsourcecode"] = ok(
        [etherscan_source(SourceCode="", ABI="Contract source code not verified")]
    )
    etherscan.answers["getcontractcreation"] = {"status": "0", "message": "No data found", "result": None}
    (batch,) = batches(settings_of(etherscan))
    assert "knows no contract" in batch.warnings[0]


def test_what_is_no_token_has_no_figures_of_one(etherscan, blockscout):
    for selector in ("0x95d89b41", "0x313ce567", "0x18160ddd"):
        etherscan.answers[selector] = {
            "jsonrpc": "2.0",
            "id": 1,
            "error": {"code": 3, "message": "execution reverted"},
        }
    assert described(etherscan)["total_supply"] is None
    assert "tokenholdercount" not in etherscan.asked()
    blockscout.answers["page"] = 404
    row = described(blockscout)
    assert (row["symbol"], row["decimals"], row["total_supply"], row["holders"]) == (None,) * 4


def test_an_early_token_with_a_symbol_of_32_bytes_is_read(etherscan):
    etherscan.answers["0x95d89b41"] = call("0x" + b"MKR".ljust(32, b"\0").hex())
    assert described(etherscan)["symbol"] == "MKR"


def test_holders_are_told_where_the_plan_allows(etherscan):
    etherscan.answers["tokenholdercount"] = ok("30506")
    assert described(etherscan)["holders"] == 30_506


def test_a_call_that_the_plan_leaves_out_is_asked_for_once(etherscan):
    both = (f"ethereum:{VAULT}", f"polygon:{VAULT}")
    assert len(batches(settings_of(etherscan, contracts=both))) == 2
    assert etherscan.asked().count("tokenholdercount") == 1
    assert {one.args["chainid"] for one in etherscan.requests} == {"1", "137"}


@pytest.mark.parametrize(
    "words",
    [
        "Max rate limit reached",
        "Max calls per sec rate limit reached (3/sec)",
        "Unexpected error, timeout or server too busy. Please try again later",
        "Free API access is temporarily unavailable due to unusually high network activity.",
    ],
)
def test_a_refusal_for_haste_with_status_200_is_waited_for(etherscan, words):
    etherscan.faults = [notok(words), notok(words)]
    assert described(etherscan)["name"] == "Vault"


def test_patience_with_a_refusal_for_haste_ends(etherscan):
    etherscan.answers["getsourcecode"] = notok("Max rate limit reached")
    with pytest.raises(TryAgain, match="Max rate limit reached"):
        described(etherscan)
    assert len(etherscan.requests) == 3


def test_a_day_without_calls_left_is_not_waited_for(etherscan):
    etherscan.answers["getsourcecode"] = notok(
        "Max daily rate limit reached. 100000 (100%) of 100000 day/limit"
    )
    with pytest.raises(TryAgain, match="spent"):
        described(etherscan)
    assert len(etherscan.requests) == 1


@pytest.mark.parametrize(
    "words",
    [
        "Invalid API Key",
        "Too many invalid api key attempts, please try again later",
        "Missing/Invalid API Key",
    ],
)
def test_a_key_that_is_none_names_its_variable(etherscan, words):
    etherscan.answers["getsourcecode"] = notok(words)
    with pytest.raises(FixSettings) as caught:
        described(etherscan)
    assert caught.value.variable == "DEFIMON_ETHERSCAN_KEY"
    assert KEY not in str(caught.value)


def test_a_key_from_a_file_may_end_with_a_line(etherscan):
    described(etherscan)
    etherscan.settings["etherscan_key"] = f"{KEY}\n"
    described(etherscan)
    assert {request.args["apikey"] for request in etherscan.requests} == {KEY}


@pytest.mark.parametrize(
    "words",
    ["Invalid API Key ({})", "Max calls of key {} reached", "Daily limit of key {} reached", "Who is {}?"],
)
def test_a_key_that_the_explorer_says_back_is_masked(etherscan, words):
    etherscan.answers["getsourcecode"] = notok(words.format(KEY))
    with pytest.raises((FixSettings, TryAgain, BadData), match=r"\*\*\*") as caught:
        described(etherscan)
    assert KEY not in str(caught.value)


def test_another_refusal_is_bad_data_in_the_explorers_words(etherscan):
    etherscan.answers["getsourcecode"] = notok("Invalid Address format")
    with pytest.raises(BadData, match="Invalid Address format"):
        described(etherscan)


@pytest.mark.parametrize("answer", [[1], ok("a text"), ok([1]), ok({"a": 1})])
def test_another_shape_than_documented_is_bad_data(etherscan, answer):
    etherscan.answers["getsourcecode"] = answer
    with pytest.raises(BadData, match="expected"):
        described(etherscan)


def test_an_older_blockscout_tells_the_time_of_creation_by_its_transaction(blockscout):
    blockscout.answers["getcontractcreation"] = ok([creation(timestamp=None)])
    blockscout.answers["gettxinfo"] = ok({"hash": CREATION, "timeStamp": str(CREATED_AT)})
    assert described(blockscout)["created_at"] == datetime.fromtimestamp(CREATED_AT, UTC)


def test_a_blockscout_that_does_not_know_creations_leaves_them_empty(blockscout):
    blockscout.answers["getcontractcreation"] = {"status": "0", "message": "Unknown action", "result": None}
    row = described(blockscout)
    assert (row["creator"], row["creation_transaction"], row["created_at"]) == (None, None, None)


def test_a_contract_of_the_first_block_has_no_transaction(etherscan):
    etherscan.answers["getcontractcreation"] = ok([creation(txHash="GENESIS", timestamp="0")])
    row = described(etherscan)
    assert (row["creation_transaction"], row["created_at"]) == (None, None)


def test_a_further_file_is_part_of_the_hash_and_its_order_is_not(blockscout):
    files = [{"Filename": name, "SourceCode": name} for name in ("b.sol", "a.sol")]
    hashes = []
    for additional in (files, files[::-1], files[:1]):
        blockscout.answers["getsourcecode"] = ok([blockscout_source(AdditionalSources=additional)])
        hashes.append(described(blockscout)["source_sha256"])
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize(
    ("told", "figures"),
    [
        ({"decimals": "1000000000"}, (None, None, 12)),
        ({"decimals": "9" * 5_000}, (None, None, 12)),
        ({"decimals": "0", "total_supply": "9" * 400}, (0, None, 12)),
        ({"decimals": "0", "total_supply": str(2**256 - 1)}, (0, 2.0**256, 12)),
        ({"decimals": "6", "total_supply": "5000000", "holders_count": str(2**63)}, (6, 5.0, None)),
    ],
    ids=lambda part: str(part)[:40],
)
def test_a_number_that_no_token_can_have_is_unknown(blockscout, told, figures):
    blockscout.answers["page"] |= {"holders_count": "12"} | told
    row = described(blockscout)
    assert (row["decimals"], row["total_supply"], row["holders"]) == figures


def test_words_of_strangers_are_kept_as_text_that_every_store_holds(blockscout):
    blockscout.answers["page"]["symbol"] = "v\0USD\ud800 "
    assert described(blockscout)["symbol"] == "vUSD?"


@pytest.mark.parametrize("odd", ['["\\ud800"]', "[" * 600 + "]" * 600, "[" * 100_000, "[NaN]"])
def test_an_interface_that_no_store_holds_is_none_and_the_rest_is_told(blockscout, odd):
    blockscout.answers["getsourcecode"] = ok([blockscout_source(ABI=odd)])
    row = described(blockscout)
    assert (row["abi"], row["verified"], row["symbol"]) == (None, True, described(blockscout)["symbol"])


def test_answers_are_kept_with_the_key_masked(etherscan):
    kept = []
    batches(settings_of(etherscan), kept=kept)
    assert len(kept) == len(etherscan.requests) == 6
    assert all("***" in answer.url for answer in kept)
    assert KEY not in repr(kept)


@pytest.mark.parametrize(
    ("contract", "words"),
    [
        ("ethereum:0x123", "names no contract"),
        (VAULT, "names no contract"),
        (f"etherium:{VAULT}", "no chain"),
        (f"polkadot:{VAULT}", "no EVM"),
        ("ethereum:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", "mistyped"),
        (f"moonbeam:{VAULT}", "No explorer"),
    ],
)
def test_what_names_no_contract_is_refused_with_field_and_remedy(contract, words):
    with pytest.raises(FixSettings, match=words) as caught:
        batches(Settings(contracts=(contract,)))
    assert caught.value.variable == "DEFIMON_CONTRACTS"
    assert caught.value.remedy


def test_an_address_that_is_none_is_refused(etherscan):
    with pytest.raises(FixSettings) as caught:
        batches(Settings(contracts=(f"ethereum:{VAULT}",), etherscan_key=KEY, etherscan_url="etherscan.io"))
    assert caught.value.variable == "DEFIMON_ETHERSCAN_URL"


def test_two_spellings_of_an_address_are_one_series(blockscout):
    mixed = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    settings = settings_of(blockscout, contracts=(f"ethereum:{VAULT}", f"ethereum:{mixed}"))
    assert len(batches(settings)) == 1


def test_the_checksum_agrees_with_a_library():
    draw = random.Random(5)
    for length in (*range(0, 280, 7), 135, 136, 137):
        message = draw.randbytes(length)
        assert keccak256(message) == keccak(message)


@pytest.mark.parametrize(
    "address",
    [
        # The examples of EIP-55.
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0xde709f2102306220921060314715629080e2fb77",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ],
)
def test_a_checksum_holds_and_one_letter_in_the_wrong_case_breaks_it(address):
    assert checksum_holds(address)
    if address[2:] not in {address[2:].lower(), address[2:].upper()}:
        place = next(place for place in range(2, 42) if address[place].isalpha())
        assert not checksum_holds(address[:place] + address[place].swapcase() + address[place + 1 :])
