"""Blocks of a small runtime at a node on loopback, whose address holds a key."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "sources"))  # so that the played node can be imported

from played_substrate import START, PlayedNode, sample

SECRETS = ("0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",)
SINCE = START


def serve(httpserver, monkeypatch):
    path = f"/{SECRETS[0]}/"
    httpserver.expect_request(path).respond_with_handler(PlayedNode(sample(140)))
    return {"substrate": {"acala": (httpserver.url_for(path),)}}
