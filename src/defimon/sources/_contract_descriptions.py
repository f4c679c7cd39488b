"""What an explorer says of a contract, as columns of the table `contracts`."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from defimon.core.errors import BadData
from defimon.core.units import LARGEST_WHOLE
from defimon.sources._evm_tokens import DECIMALS, SUPPLY, SYMBOL, decimals_in, number_in, symbol_in, told
from defimon.sources._evm_words import data
from defimon.sources._explorers import Explorer, NotServed
from defimon.sources._http import StatusRefused
from defimon.sources._plain_text import plain_text
from defimon.sources._times import moment_from_seconds

Columns = dict[str, Any]

ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
NO_ADDRESS = "0x" + "0" * 40

MOST_DECIMALS, MOST_SUPPLY = 255, 2**256 - 1
"""Beyond these a store's whole number, an ERC-20's uint8 and uint256 cannot be."""
DIGITS = len(str(MOST_SUPPLY))

NOT_FOUND = 404
NO_TOKEN: Columns = {"symbol": None, "decimals": None, "total_supply": None, "holders": None}


class Etherscan:
    """Etherscan V2 for one chain: tokens are asked through its node, holders where the plan allows."""

    def __init__(self, explorer: Explorer, chain_id: int, refused: set[str]) -> None:
        """`refused` remembers calls that the plan does not include."""
        self.explorer, self._chain_id, self._refused = explorer, chain_id, refused

    async def describe(self, address: str) -> Columns:
        """Columns of one contract, as it is told now. Raises as `Explorer.ask` does."""
        found = source_columns(await self._ask("contract", "getsourcecode", address=address))
        found |= creation_columns(
            await self._ask("contract", "getcontractcreation", contractaddresses=address)
        )
        return found | await self._token(address)

    async def _token(self, address: str) -> Columns:
        calls = [await self._call(address, selector) for selector in (SYMBOL, DECIMALS, SUPPLY)]
        symbol, decimals = told(symbol_in, calls[0]), told(decimals_in, calls[1])
        supply = told(number_in, calls[2])
        if supply is None or (symbol is None and decimals is None):
            return dict(NO_TOKEN)
        holders = None
        if "tokenholdercount" not in self._refused:
            try:
                holders = _count(await self._ask("token", "tokenholdercount", contractaddress=address))
            except NotServed:
                self._refused.add("tokenholdercount")
        return {
            "symbol": _text(symbol),
            "decimals": decimals,
            "total_supply": None if decimals is None else supply / 10**decimals,
            "holders": holders,
        }

    async def _call(self, address: str, selector: bytes) -> bytes:
        """What the contract returns; nothing where it refuses."""
        answer = await self._ask("proxy", "eth_call", to=address, data=f"0x{selector.hex()}", tag="latest")
        try:
            return data(answer)
        except BadData:
            return b""

    async def _ask(self, module: str, action: str, **params: str) -> Any:
        return await self.explorer.ask(
            {"chainid": self._chain_id, "module": module, "action": action, **params}
        )


class Blockscout:
    """One Blockscout: Etherscan's dialect for contracts, its own for tokens. No key."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer

    async def describe(self, address: str) -> Columns:
        """As `Etherscan.describe`."""
        found = source_columns(await self._ask("contract", "getsourcecode", address=address))
        try:
            created = await self._ask("contract", "getcontractcreation", contractaddresses=address)
        except NotServed:
            created = None
        found |= creation_columns(created)
        if found["creation_transaction"] and found["created_at"] is None:
            found["created_at"] = await self._time_of(found["creation_transaction"])
        return found | await self._token(address)

    async def _time_of(self, transaction: str) -> datetime | None:
        try:
            about = await self._ask("transaction", "gettxinfo", txhash=transaction)
        except NotServed:
            return None
        return _time(about.get("timeStamp")) if isinstance(about, Mapping) else None

    async def _token(self, address: str) -> Columns:
        try:
            about = await self.explorer.ask_page(f"/api/v2/tokens/{address}")
        except StatusRefused as refused:
            if refused.status == NOT_FOUND:
                return dict(NO_TOKEN)
            raise
        if not isinstance(about, Mapping):
            raise BadData(f"{self.explorer.host}: a token is {type(about).__name__}, expected an object.")
        decimals = _count(about.get("decimals"), MOST_DECIMALS)
        supply = _count(about.get("total_supply"), MOST_SUPPLY)
        return {
            "symbol": _text(about.get("symbol")),
            "decimals": decimals,
            "total_supply": None if decimals is None or supply is None else supply / 10**decimals,
            "holders": _count(about.get("holders_count", about.get("holders"))),
        }

    async def _ask(self, module: str, action: str, **params: str) -> Any:
        return await self.explorer.ask({"module": module, "action": action, **params})


def source_columns(result: object) -> Columns:
    """From getsourcecode, in either explorer's spelling; what is not verified has no text but that."""
    row = _first(result, "getsourcecode")
    abi, source = row.get("ABI"), row.get("SourceCode")
    interface = _interface(abi)
    verified = interface is not None or bool(source)
    implementation = _address(row.get("Implementation") or row.get("ImplementationAddress"))
    is_proxy = row.get("Proxy", row.get("IsProxy"))
    return {
        "verified": verified,
        "name": _text(row.get("ContractName")) if verified else None,
        "compiler": _text(row.get("CompilerVersion")) if verified else None,
        "licence": _text(row.get("LicenseType")) if verified else None,
        "proxy": implementation is not None or str(is_proxy).lower() in {"1", "true"},
        "implementation": implementation,
        "source_sha256": _source_hash(row) if source else None,
        "abi": interface,
    }


def creation_columns(result: object) -> Columns:
    """From getcontractcreation; all None where the explorer does not know it."""
    row = _first(result, "getcontractcreation")
    transaction = row.get("txHash")
    # A contract of the first block has a name in place of a hash.
    known = isinstance(transaction, str) and re.fullmatch(r"0x[0-9a-fA-F]{64}", transaction)
    return {
        "creator": _address(row.get("contractCreator")),
        "creation_transaction": str(transaction).lower() if known else None,
        "created_at": _time(row.get("timestamp")),
    }


def _first(result: object, action: str) -> Mapping[str, Any]:
    """The one row of a list; an empty one for nothing."""
    if result is None or result == []:
        return {}
    if not isinstance(result, list) or not isinstance(result[0], Mapping):
        raise BadData(f"{action}: found {repr(result)[:80]}, expected a list of one object.")
    return result[0]


def _interface(abi: object) -> str | None:
    """The ABI as compact JSON; explorers write a sentence there where it is not verified."""
    try:
        value = orjson.loads(abi) if isinstance(abi, str) else abi
        return orjson.dumps(value).decode() if isinstance(value, list) else None
    except (ValueError, TypeError):  # no JSON, or what has no place in an ABI: half a character, depths
        return None


def _source_hash(row: Mapping[str, Any]) -> str:
    """SHA-256 of the source text, and of Blockscout's further files in order of their names."""
    files = row.get("AdditionalSources")
    further = sorted(
        (str(one.get("Filename")), str(one.get("SourceCode")))
        for one in (files if isinstance(files, list) else [])
        if isinstance(one, Mapping)
    )
    texts = [str(row["SourceCode"]), *(part for pair in further for part in pair)]
    return hashlib.sha256("\0".join(texts).encode(errors="surrogatepass")).hexdigest()


def _address(value: object) -> str | None:
    if not isinstance(value, str) or not ADDRESS.fullmatch(value) or value == NO_ADDRESS:
        return None
    return value.lower()


def _time(value: object) -> datetime | None:
    seconds = _count(value)
    return moment_from_seconds(seconds) if seconds else None


def _count(value: object, most: int = LARGEST_WHOLE) -> int | None:
    """A whole number up to `most`, as text or number; None for anything else."""
    text = value if isinstance(value, str) else str(value) if isinstance(value, int) else ""
    found = int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS else None
    return None if found is None or found > most else found


def _text(value: object) -> str | None:
    """Words that strangers wrote, plain; None for what is empty or no text."""
    return plain_text(value).strip() or None if isinstance(value, str) else None
