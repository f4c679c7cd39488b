"""A played node behind a real HTTP server, as `bench/_played_node.py` plays it."""

import json
import sys
from pathlib import Path

from werkzeug import Response

sys.path.append(str(Path(__file__).resolve().parents[2] / "bench"))

from _played_node import PlayedNode


def served(httpserver, node=None, path="/node"):
    """Address of a node that answers there, and the node."""
    node = node or PlayedNode()

    def handle(request):
        return Response(json.dumps(node.answer(json.loads(request.data))), content_type="application/json")

    httpserver.expect_request(path, method="POST").respond_with_handler(handle)
    return httpserver.url_for(path), node


def coin(**changes):
    return {
        "id": "astar", "current_price": 0.05, "market_cap": 4e8, "circulating_supply": 8e9,
        "total_supply": 8.5e9, "total_volume": 1e7, "last_updated": "2026-01-01T00:00:00.000Z", **changes,
    }  # fmt: skip
