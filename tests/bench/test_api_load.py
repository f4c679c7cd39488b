"""The load that benches of the API make counts what fails."""

import json
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

LOAD = Path(__file__).parents[2] / "bench" / "_api_load.py"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
BAD = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@contextmanager
def answering(*answers):
    """A server that takes one request a connection, and gives these answers by turns; None cuts it off."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            for turn in range(1_000):
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    answer = answers[turn % len(answers)]
                    connection.recv(65_536)
                    if answer is not None:
                        connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def loaded(port, **told):
    words = {"host": "127.0.0.1", "port": port, "paths": ["/"], "connections": 1, **told}
    command = [sys.executable, str(LOAD), json.dumps(words)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


@pytest.fixture(autouse=True)
def _needs_uvloop():
    pytest.importorskip("uvloop", reason="uvloop is not installed")


def test_a_connection_that_is_closed_in_order_is_opened_again():
    with answering(GOOD) as port:
        told = loaded(port, requests=20)
    assert (told["answers"], told["faults"]) == ({"200": 20}, {})


def test_other_answers_and_connections_that_are_cut_are_told():
    with answering(GOOD, BAD, None) as port:
        told = loaded(port, requests=30)
    assert told["answers"] == {"200": 10, "503": 10}
    assert sum(told["faults"].values()) == 10
