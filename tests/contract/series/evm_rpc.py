"""A small chain of one node whose address carries a key."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

sys.path.append(str(Path(__file__).parents[2] / "sources"))  # so that the scripted nodes can be imported

from scripted_nodes import GENESIS_S, KEY, ScriptedNode, SmallChain

SECRETS = (KEY,)
SINCE = datetime.fromtimestamp(GENESIS_S, UTC)


def serve(httpserver, monkeypatch):
    _ = monkeypatch
    chain = SmallChain(60)
    chain.final = 50
    return {"rpc": {"local": (SecretStr(ScriptedNode(httpserver, chain).url),)}}
