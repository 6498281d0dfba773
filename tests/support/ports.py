"""Free ports for the servers that tests start."""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import cycle
import os
from random import SystemRandom
import socket

LOCALHOST = "127.0.0.1"
FIRST = 20_000
"""All are below the range from which Linux takes a port for a socket that names none."""
SHARE = 800
"""Ports of one process: parallel ones would draw the same port before it is bound."""
PROCESSES = 15


def _ports() -> Iterator[int]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    first = FIRST + int(worker) % PROCESSES * SHARE
    # Another run of tests may begin at the same time.
    offset = SystemRandom().randrange(SHARE)
    return cycle(first + (offset + number) % SHARE for number in range(SHARE))


_candidates = _ports()


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free for UDP and TCP, each time another one."""
    for port in _candidates:
        with suppress(OSError), ExitStack() as stack:
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                probe = stack.enter_context(socket.socket(socket.AF_INET, kind))
                probe.bind((LOCALHOST, port))
            return port
    raise AssertionError("the candidates never end")
