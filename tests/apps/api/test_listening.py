"""A socket that takes no more connections cuts nobody off."""

import socket
import sys

import pytest

from defimon.apps.api.listening import bound, take_no_more

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can do without a reset")


def test_connections_that_wait_are_answered_and_later_ones_are_refused_at_last():
    with bound("127.0.0.1", 0) as listening:
        listening.listen(8)
        address = listening.getsockname()
        with socket.create_connection(address) as waiting:
            waiting.sendall(b"question")
            take_no_more(listening)
            with socket.socket() as late:
                late.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    late.connect(address)
            taken, _ = listening.accept()
            listening.close()
            with taken:
                assert taken.recv(100) == b"question"
                taken.sendall(b"answer")
            assert waiting.recv(100) == b"answer"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
