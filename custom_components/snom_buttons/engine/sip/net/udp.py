"""The transport layer over UDP (RFC 3261 18): one socket to receive and to send."""

import asyncio
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address
import logging
import socket
from time import monotonic
from typing import Any

from ..flow import Flow
from .sockets import listening_socket, plain_host, socket_address

_LOGGER = logging.getLogger(__name__)

RECEIVE_BUFFER = 1024 * 1024
"""Bytes of the receive buffer, so that a burst of phones is not lost."""

TURN = 0.001
"""Seconds for which datagrams are read in one turn of the loop."""
MAX_DATAGRAM = 64 * 1024


class TransportError(OSError):
    """The system refused to send, or the transport is not open."""


class UdpTransport(asyncio.DatagramProtocol):
    """A bound UDP socket, which passes on each datagram with its flow."""

    def __init__(self, receive: Callable[[bytes, Flow], bool]) -> None:
        """Pass datagrams to `receive`, which must not raise.

        It returns whether it dropped the datagram, which has cost almost nothing.
        """
        self._receive = receive
        self._transport: asyncio.DatagramTransport | None = None
        self._closed: asyncio.Future[None] | None = None

    async def open(self, host: str, port: int) -> None:
        """Bind. Raises OSError (EADDRINUSE, EACCES, …)."""
        loop = asyncio.get_running_loop()
        self._closed = loop.create_future()
        self._socket = listening_socket(host, port, socket.SOCK_DGRAM)
        self._family = self._socket.family
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, sock=self._socket
        )

    async def close(self) -> None:
        """Close the socket, and return when the port is free."""
        if self._transport is None or self._closed is None:
            return
        self._transport.close()
        self._transport = None
        await self._closed

    @property
    def address(self) -> tuple[str, int]:
        """The bound host and port. Raises TransportError if it is not open."""
        if self._transport is None:
            raise TransportError("the SIP socket is not open")
        host, port, *_ = self._transport.get_extra_info("sockname")
        return host, port

    @property
    def shared_socket(self) -> socket.socket | None:
        """The socket if it is bound to all addresses, and so in the way of a group."""
        host, _ = self.address
        return self._socket if ip_address(host).is_unspecified else None

    def send(self, data: bytes, flow: Flow) -> None:
        """Send one datagram. Raises TransportError if the system refuses it."""
        if self._transport is None:
            raise TransportError("the SIP socket is not open")
        try:
            address = socket_address(flow.host, flow.port, self._family)
            try:
                self._socket.sendto(data, address)
            except BlockingIOError:
                self._transport.sendto(data, address)  # sent when there is room
        except OSError as error:
            raise TransportError(f"{error}") from error

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Pass on a datagram, and after one that was dropped those that wait behind it.

        asyncio reads one a turn, which costs more than a datagram of a flood.
        """
        if not self._receive(data, _flow_from(addr)):
            return
        until = monotonic() + TURN
        try:
            while monotonic() < until:
                data, addr = self._socket.recvfrom(MAX_DATAGRAM)
                if not self._receive(data, _flow_from(addr)):
                    return
        except BlockingIOError:
            return
        except OSError as error:
            self.error_received(error)

    def error_received(self, exc: Exception) -> None:
        """Log the error of a datagram that was sent earlier."""
        _LOGGER.debug("A datagram could not be sent: %s", exc)

    def connection_lost(self, exc: Exception | None) -> None:
        """Mark the socket as closed, also if it was lost."""
        if self._transport is not None:
            _LOGGER.error("The SIP socket was lost: %s", exc)
            self._transport = None
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)


@lru_cache(maxsize=2048)
def _flow_from(address: tuple[Any, ...]) -> Flow:
    return Flow("UDP", plain_host(address), address[1])
