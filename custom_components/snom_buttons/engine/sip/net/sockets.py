"""Sockets to listen with, for one family of addresses or for both.

Everywhere else in this package a host is what a person would write: an IPv4 address is
one also where a socket of both families calls it `::ffff:192.0.2.4`.
"""

from __future__ import annotations

import socket
from typing import Any

_MAPPED = "::ffff:"


def listening_socket(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    """Return a bound socket that does not block; one for streams listens.

    `::` takes IPv4 too, where the system has both. Raises OSError as the system gives it
    (EADDRINUSE, EADDRNOTAVAIL, EACCES, EAFNOSUPPORT).
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio spares the sockets accepted from one that names TCP the delay of Nagle.
    protocol = socket.IPPROTO_TCP if kind == socket.SOCK_STREAM else socket.IPPROTO_UDP
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setblocking(False)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, host != "::")
        if kind == socket.SOCK_STREAM:
            # Else a port stays taken for minutes after its connections are closed.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        if kind == socket.SOCK_STREAM:
            bound.listen(socket.SOMAXCONN)
    except BaseException:
        bound.close()
        raise
    return bound


def plain_host(address: tuple[Any, ...]) -> str:
    """Return a host as a person would write it, given an address as a socket has it.

    A link-local address of IPv6 means nothing without its interface: `fe80::1%eth0`.
    """
    host: str = address[0]
    if host.startswith(_MAPPED) and "." in host:
        return host.removeprefix(_MAPPED)
    if len(address) == 4 and address[3] and "%" not in host:
        return f"{host}%{_interface(address[3])}"
    return host


def socket_address(host: str, port: int, family: int) -> tuple[Any, ...]:
    """Return an address as a socket of that family takes it.

    Raises OSError for an interface that is not there.
    """
    if family != socket.AF_INET6:
        return host, port
    if ":" not in host:
        return _MAPPED + host, port
    host, _, interface = host.partition("%")
    if not interface:
        return host, port
    number = _number(interface) or socket.if_nametoindex(interface)
    return host, port, 0, number


def interface_name(interface: str) -> str | None:
    """Return the name of an interface that is given by name or number.

    None if this machine has no such interface.
    """
    try:
        number = _number(interface) or socket.if_nametoindex(interface)
        return socket.if_indextoname(number)
    except OSError, OverflowError, ValueError:
        return None


def _interface(number: int) -> str:
    return interface_name(f"{number}") or f"{number}"


def _number(text: str) -> int:
    """Return a number in plain digits, 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() else 0
