"""A snapshot of a chain as a JSON document, as docs/chains.md describes it."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from defimon.flows.chain_snapshot import ChainSnapshot

FORMAT = "defimon.chain-snapshot"
VERSION = 1


def snapshot_document(snapshot: ChainSnapshot) -> dict[str, Any]:
    """Versioned; times are ISO 8601 in UTC, shares fractions, prices of gas wei."""
    told = asdict(snapshot)
    chain = snapshot.chain
    told["chain"] = {"name": chain.name, "title": chain.title, "coin": chain.coin, "evm_id": chain.evm_id}
    return {"format": FORMAT, "version": VERSION} | {name: _plain(value) for name, value in told.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value.isoformat() if isinstance(value, datetime) else value
