"""Free ports for the servers that tests start."""

from contextlib import ExitStack, suppress
from random import SystemRandom
import socket

LOCALHOST = "127.0.0.1"


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free for UDP and TCP.

    It is below the range from which Linux takes a port for a socket that names none, so
    that no such socket takes it before the server does. Parallel test runs draw from
    12,000 ports.
    """
    while True:
        port = SystemRandom().randint(20_000, 32_000)
        with suppress(OSError), ExitStack() as stack:
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                probe = stack.enter_context(socket.socket(socket.AF_INET, kind))
                probe.bind((LOCALHOST, port))
            return port
