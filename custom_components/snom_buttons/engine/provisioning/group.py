"""The multicast group on which phones announce themselves."""

import asyncio
from collections.abc import Callable
import socket
import struct
from typing import Any, Final

GROUP: Final = "224.0.1.75"
"""sip.mcast.net (RFC 3261 10.2.6)."""
PORT: Final = 5060
"""The port of announcements, whatever port the server has."""

# Linux: a socket gets only what its own groups get (ip(7)). Python has no name for it.
_IP_MULTICAST_ALL: Final = 49


def group_socket(
    interface: str, beside: socket.socket | None = None, *, port: int = PORT
) -> socket.socket:
    """Return a socket that gets announcements of the network of `interface`.

    `interface` is our IPv4 address in it. `beside` is our own socket if it is bound to the
    same port of all addresses: for this call it shares the port, and it keeps getting
    unicast alone. Raises OSError: EADDRINUSE if another program has the port and does not
    share it, ENODEV for an address that is not ours.
    """
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    shared = [opened] if beside is None else [opened, beside]
    try:
        opened.setblocking(False)
        for each in shared:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        opened.bind((GROUP, port))
        membership = struct.pack(
            "=4s4s", socket.inet_aton(GROUP), socket.inet_aton(interface)
        )
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    except OSError:
        opened.close()
        raise
    finally:
        if beside is not None:
            beside.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    return opened


class GroupListener(asyncio.DatagramProtocol):
    """Passes on what arrives at a group's socket."""

    def __init__(self, receive: Callable[[bytes, str, int], None]) -> None:
        """Pass datagrams with their source to `receive`, which must not raise."""
        self.closed = asyncio.get_running_loop().create_future()
        """Done when the port is free."""
        self._receive = receive

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Pass on a datagram."""
        self._receive(data, addr[0], addr[1])

    def connection_lost(self, _: Exception | None) -> None:
        """Note that the socket is closed."""
        if not self.closed.done():
            self.closed.set_result(None)
