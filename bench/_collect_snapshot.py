"""How long `defimon chain` takes when each call takes 100 ms, and how many calls it makes."""

import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from _played_node import PlayedNode

from defimon.core.settings import load_settings
from defimon.flows.chain_snapshot import ChainSnapshot, chain_snapshot

LATENCY_S = 0.1
MUST_S = 10.0
MOST_CALLS = 40
COIN = [
    {
        "id": "astar",
        "current_price": 0.05,
        "market_cap": 4e8,
        "circulating_supply": 8e9,
        "total_supply": 8.5e9,
        "total_volume": 1e7,
        "last_updated": "2026-01-01T00:00:00.000Z",
    }
]


def _play(sender: Any, transactions: int) -> None:
    """Serves a node and a CoinGecko until it is ended; each answer comes as late as a far one."""
    node = PlayedNode(transactions=transactions)

    class Far(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            time.sleep(LATENCY_S)
            self._tell(node.answer(question))

        def do_GET(self) -> None:
            time.sleep(LATENCY_S)
            self._tell(COIN)

        def _tell(self, value: object) -> None:
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Far)
    sender.send(server.server_address[1])
    server.serve_forever()


@contextmanager
def served(transactions: int) -> Iterator[str]:
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(
        target=_play, args=(sender, transactions), daemon=True
    )
    process.start()
    try:
        yield f"http://127.0.0.1:{receiver.recv()}"
    finally:
        process.terminate()
        process.join()


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows of what was measured: `what`, `seconds` (median), `must` where there is a limit.

    Raises SystemExit where a snapshot made more calls than it may, or tells less than it should.
    """
    transactions, repeat = (30, 1) if quick else (150, 5)
    with served(transactions) as url, tempfile.TemporaryDirectory() as folder:
        settings = load_settings({}, rpc={"astar": url}, coingecko_url=url, data_dir=Path(folder))
        chain_snapshot(settings, "astar")  # makes the store
        taken = []
        for _ in range(repeat):
            began = time.perf_counter()
            snapshot = chain_snapshot(settings, "astar")
            taken.append(time.perf_counter() - began)
    cost = snapshot.cost
    _refuse_less(snapshot)
    calls = f"{cost.requests + cost.others} requests, {cost.members + cost.others} calls in them"
    name = f"snapshot of a chain, {transactions} transactions a block, {1000 * LATENCY_S:.0f} ms a request"
    return [{"what": f"{name}: {calls}", "seconds": statistics.median(taken), "must": MUST_S}]


def _refuse_less(snapshot: ChainSnapshot) -> None:
    cost = snapshot.cost
    if cost.members + cost.others > MOST_CALLS:
        raise SystemExit(f"a snapshot made {cost.members + cost.others} calls, at most {MOST_CALLS} may be")
    whole = snapshot.live and snapshot.fees and snapshot.coin and snapshot.contracts and not snapshot.notes
    if not whole or snapshot.window.fees_coins is None or not all(one.name for one in snapshot.contracts):
        raise SystemExit(f"the snapshot tells less than it should: {snapshot}")


if __name__ == "__main__":
    for row in run():
        print(f"{row['what']}: {row['seconds']:.2f} s (must be under {row['must']:g} s)")
