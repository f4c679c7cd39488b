"""Sockets that take connections, and how one stops to without cutting any off."""

import ctypes
import socket
import struct
import sys

from defimon.core.errors import FixSettings

SO_ATTACH_FILTER = 26
"""Of Linux (asm-generic/socket.h); Python does not name it."""

DROP_ALL = struct.pack("HBBI", 0x06, 0, 0, 0)
"""A classic BPF program of one instruction, `ret 0`: of every packet nothing is kept (socket(7), bpf(4))."""


def bound(host: str, port: int) -> socket.socket:
    """A socket on that address; `port` 0 takes a free one. Raises FixSettings when it cannot be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise FixSettings(
            f"{shown(host)}:{port} cannot be used: {error}.",
            variable="--port",
            remedy="Choose another --host or --port; 0 takes a free one.",
        ) from None
    return listening


def shown(host: str) -> str:
    """A host as it stands in an address."""
    return f"[{host}]" if ":" in host else host


def take_no_more(listening: socket.socket) -> None:
    """From now on nobody connects; connections that wait to be accepted are left whole.

    Closing a socket resets those that nobody has accepted yet, with the requests that they have sent: a proxy
    cannot know whether to send them again. Here callers' first packets are dropped, so that they ask again in
    a second, when the socket is closed and refuses them. Elsewhere than on Linux nothing is done.
    """
    if sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(DROP_ALL)
    listening.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program)))
