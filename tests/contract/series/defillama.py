"""Pools, charts, a protocol and a chain at a DefiLlama on loopback."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "sources"))  # so that the played service can be imported

from played_llama import PlayedLlama

ONLY_NOW = True
TOLD_AT = ("ts",)


def serve(httpserver, monkeypatch):
    _ = monkeypatch
    return PlayedLlama(httpserver).settings()
