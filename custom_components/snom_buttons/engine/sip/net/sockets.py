"""Listening sockets for one address family or for both.

Elsewhere in this package IPv4 is plain: `192.0.2.4`, not `::ffff:192.0.2.4`.
"""

from contextlib import ExitStack
import socket
from typing import Any

_MAPPED = "::ffff:"


def listening_socket(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    """Return a bound non-blocking socket; a stream socket also listens.

    `::` includes IPv4 where the system has it. Raises OSError (EADDRINUSE, …).
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY on accepted sockets only if the listener names TCP.
    protocol = socket.IPPROTO_TCP if kind == socket.SOCK_STREAM else socket.IPPROTO_UDP
    with ExitStack() as on_failure:
        bound = on_failure.enter_context(socket.socket(family, kind, protocol))
        bound.setblocking(False)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, host != "::")
        if kind == socket.SOCK_STREAM:
            # Without it the port stays in use for minutes after its connections are closed.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        if kind == socket.SOCK_STREAM:
            bound.listen(socket.SOMAXCONN)
        on_failure.pop_all()
    return bound


def plain_host(address: tuple[Any, ...]) -> str:
    """Return a plain host; link-local IPv6 keeps its interface: `fe80::1%eth0`."""
    host: str = address[0]
    if host.startswith(_MAPPED) and "." in host:
        return host.removeprefix(_MAPPED)
    if len(address) == 4 and address[3] and "%" not in host:
        return f"{host}%{interface_name(str(address[3])) or address[3]}"
    return host


def socket_address(host: str, port: int, family: int) -> tuple[Any, ...]:
    """Return an address for the family. Raises OSError for an unknown interface."""
    if family != socket.AF_INET6:
        return host, port
    if ":" not in host:
        return _MAPPED + host, port
    host, _, interface = host.partition("%")
    if not interface:
        return host, port
    return host, port, 0, _index(interface)


def interface_name(interface: str) -> str | None:
    """Return the name of an interface given by name or number, None if unknown."""
    try:
        return socket.if_indextoname(_index(interface))
    except OSError, OverflowError, ValueError:
        return None


def _index(interface: str) -> int:
    number = int(interface) if interface.isascii() and interface.isdigit() else 0
    return number or socket.if_nametoindex(interface)
