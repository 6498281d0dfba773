"""Ports of this machine. Nothing is sent, and no name is looked up."""

import errno
from ipaddress import ip_address
import socket

from ..sip.net import listening_socket


def check_bind(host: str, port: int, transport: str = "UDP") -> None:
    """Bind a socket of a transport, and close it.

    Raises OSError (EADDRINUSE, EADDRNOTAVAIL: not an address of this machine, EACCES),
    and ValueError for a host that is not an IP address.
    """
    try:
        ip_address(host)
    except ValueError as error:
        raise ValueError(f"{host!r} is not an IP address") from error
    kind = socket.SOCK_DGRAM if transport == "UDP" else socket.SOCK_STREAM
    listening_socket(host, port, kind).close()


def tcp_listener(host: str, port: int) -> socket.socket:
    """Return a socket that listens for connections; `::` includes IPv4. Raises OSError."""
    return listening_socket(host, port, socket.SOCK_STREAM)


def free_port(host: str, start: int, transport: str = "UDP") -> int:
    """Return the first free port of 100 from `start`. Raises what `check_bind` does."""
    for port in range(start, min(start + 100, 65536)):
        try:
            check_bind(host, port, transport)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return port
    raise OSError(errno.EADDRINUSE, f"no free port in the hundred from {start}")
