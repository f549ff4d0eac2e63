"""Loopback and its free ports."""

import socket
from contextlib import closing
from typing import Final

LOOPBACK: Final = "127.0.0.1"


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with closing(socket.socket()) as listener:
        listener.bind((LOOPBACK, 0))
        port: int = listener.getsockname()[1]
    return port
