"""Questions about this machine's network that setting up a server asks.

All of them answer at once: nothing is sent, and no name is looked up.
"""

from __future__ import annotations

from contextlib import closing
import errno
from ipaddress import ip_address
import socket

from ..sip.net import listening_socket

# Documentation addresses (RFC 5737, RFC 3849): only the route to them is looked up.
_ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def local_address() -> str:
    """Return the address by which this machine reaches its network.

    The loopback address if it has no network.
    """
    for family, destination in _ELSEWHERE:
        try:
            with closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
                probe.connect((destination, 9))
                address: str = probe.getsockname()[0]
        except OSError:
            continue
        return address
    return "127.0.0.1"


def check_bind(host: str, port: int, transport: str = "UDP") -> None:
    """Bind a socket of a transport, and let it go again.

    Raises OSError as the system gives it: EADDRINUSE for a port that is taken,
    EADDRNOTAVAIL for an address that is not this machine's, EACCES for a port that
    needs more rights; ValueError for a host that is not an IP address.
    """
    try:
        ip_address(host)
    except ValueError as error:
        raise ValueError(f"{host!r} is not an IP address") from error
    kind = socket.SOCK_DGRAM if transport == "UDP" else socket.SOCK_STREAM
    listening_socket(host, port, kind).close()


def free_port(host: str, start: int, transport: str = "UDP") -> int:
    """Return the first free port of a transport from `start` on.

    Raises OSError (EADDRINUSE) if the hundred from there are all taken, and what
    `check_bind` raises for other reasons.
    """
    for port in range(start, min(start + 100, 65536)):
        try:
            check_bind(host, port, transport)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return port
    raise OSError(errno.EADDRINUSE, f"no free port in the hundred from {start}")
