"""A played node behind a real WebSocket server: it answers calls, and announces heads when told to."""

import json
import threading
import time
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

PATIENCE_S = 20.0
"""After so long a test that fails goes on without."""


class SocketNode:
    """`refuses`: it takes no subscription. `subscriptions` counts those that were asked for."""

    def __init__(self, node, *, refuses=False):
        self.node, self.refuses = node, refuses
        self.subscriptions = 0
        self.subscribed = threading.Event()
        self._listeners = []

    def handle(self, connection):
        for text in connection:
            question = json.loads(text)
            if isinstance(question, dict) and question["method"] == "eth_subscribe":
                self.subscriptions += 1
                if self.refuses:
                    error = {"code": -32601, "message": "no subscriptions"}
                    connection.send(json.dumps({"jsonrpc": "2.0", "id": question["id"], "error": error}))
                    continue
                connection.send(json.dumps({"jsonrpc": "2.0", "id": question["id"], "result": "0x1"}))
                self._listeners.append(connection)
                self.subscribed.set()
                continue
            connection.send(json.dumps(self.node.answer(question)))

    def grow_soon(self, blocks=1, *, after=0):
        """From another thread: so many further blocks, the last one announced once somebody listens, and
        so many blocks were asked for.
        """

        def tell():
            while self.node.asked.count("eth_getBlockByNumber") < after:
                time.sleep(0.02)
            if self.subscribed.wait(PATIENCE_S):
                self.node.head += blocks
                self.announce()

        threading.Thread(target=tell, daemon=True).start()

    def announce(self):
        """Tell the head to whoever listens."""
        params = {"subscription": "0x1", "result": self.node.block(self.node.head, full=False)}
        text = json.dumps({"jsonrpc": "2.0", "method": "eth_subscription", "params": params})
        for connection in list(self._listeners):
            with suppress(ConnectionClosed):
                connection.send(text)

    def break_off(self):
        """Break every connection that listens, without a word."""
        self.subscribed.clear()
        while self._listeners:
            with suppress(OSError):  # closed already
                self._listeners.pop().socket.shutdown(SHUT_RDWR)


@contextmanager
def on_socket(node, **how):
    """The node and its address, for as long as it is served."""
    played = SocketNode(node, **how)
    with serve(played.handle, "127.0.0.1", 0, max_size=None) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield played, f"ws://127.0.0.1:{server.socket.getsockname()[1]}/node"
        finally:
            played.break_off()
            server.shutdown()
            thread.join()
