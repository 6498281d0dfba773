"""A network of its own for each process that runs tests."""

import fcntl
from functools import cache
import os
import socket
import struct

import pytest

SIOCSIFFLAGS = 0x8914
"""netdevice(7); the standard library does not name it."""
IFF_UP = 1


@cache
def is_own() -> bool:
    """Move this process into a network that has a loopback interface alone.

    Ports and multicast groups are shared with no other process there. Return whether it
    could be done, for which Linux wants the rights of root. Threads that run already
    stay where they are.
    """
    try:
        os.unshare(os.CLONE_NEWNET)
    except AttributeError, OSError:  # not Linux; not allowed
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sH", b"lo", IFF_UP)
        fcntl.ioctl(control, SIOCSIFFLAGS, request.ljust(40, b"\0"))
    return True


def multicast(group: str = "") -> pytest.MarkDecorator:
    """Return the mark of tests that use the SIP multicast group or port 5060.

    One process runs them all, unless each process has a network of its own. In that
    case it runs those of a group, which is named if they share a fixture.
    """
    if not is_own():
        return pytest.mark.xdist_group("multicast")
    return pytest.mark.xdist_group(group) if group else pytest.mark.multicast
