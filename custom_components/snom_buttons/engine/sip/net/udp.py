"""The transport layer over UDP (RFC 3261 18): one socket to receive and to send."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from ipaddress import ip_address
import logging
import socket
import sys
from time import monotonic
from typing import Any

from ..flow import Flow
from .sockets import listening_socket, plain_host, socket_address

_LOGGER = logging.getLogger(__name__)

RECEIVE_BUFFER = 4 * 1024 * 1024
"""Bytes of the receive buffer, so that a burst of phones is not lost."""
_SO_RCVBUFFORCE = 33
"""Like SO_RCVBUF, beyond the limit of the system (socket(7), asm-generic/socket.h)."""

TURN = 0.001
"""Seconds for which datagrams are read in one turn of the loop, and dropped."""
MAX_DATAGRAM = 64 * 1024


class TransportError(OSError):
    """The system refused to send, or the transport is not open."""


class UdpTransport(asyncio.DatagramProtocol):
    """A bound UDP socket, which passes on each datagram with its flow."""

    def __init__(
        self, receive: Callable[[bytes, Flow], None], handle: Callable[[], bool | None]
    ) -> None:
        """Pass each datagram to `receive`, and call `handle` for those that wait.

        `receive` lets a datagram wait, or drops it, and costs little: what has no room in
        the socket is lost. `handle` handles one that waits. It returns whether it dropped
        it, which has cost almost nothing, and None if none waits. Neither must raise.
        """
        self._receive = receive
        self._handle = handle
        self._handling: asyncio.Handle | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._closed: asyncio.Future[None] | None = None

    async def open(self, host: str, port: int) -> None:
        """Bind. Raises OSError (EADDRINUSE, EACCES, …)."""
        loop = asyncio.get_running_loop()
        self._closed = loop.create_future()
        self._socket = listening_socket(host, port, socket.SOCK_DGRAM)
        self._family = self._socket.family
        _enlarge(self._socket)
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
        """Receive a datagram and those behind it; handle it unless others wait.

        asyncio reads one a turn, and meanwhile the socket may overflow.
        """
        self._receive(data, _flow_from(addr))
        is_first = self._handling is None
        if is_first:
            self._handle()
        if self._read() and is_first:
            self._handle_soon()

    def _read(self) -> bool:
        """Receive what is in the socket; return whether that is anything."""
        until = monotonic() + TURN
        has_read = False
        try:
            while monotonic() < until:
                data, addr = self._socket.recvfrom(MAX_DATAGRAM)
                has_read = True
                self._receive(data, _flow_from(addr))
        except BlockingIOError:
            pass
        except OSError as error:
            self.error_received(error)
        return has_read

    def _handle_soon(self) -> None:
        self._handling = asyncio.get_running_loop().call_soon(self._handle_some)

    def _handle_some(self) -> None:
        """Handle a datagram, after any number that are dropped.

        The next one follows in another turn of the loop, after what it has set off.
        """
        until = monotonic() + TURN
        while was_dropped := self._handle():
            if monotonic() >= until:
                break
        if was_dropped is None:
            self._handling = None
        else:
            self._handle_soon()

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


def _enlarge(sock: socket.socket) -> None:
    """Ask for RECEIVE_BUFFER, of which the system may grant a part.

    A privileged process gets all of it, as Home Assistant's container usually is.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER)
            return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


@lru_cache(maxsize=2048)
def _flow_from(address: tuple[Any, ...]) -> Flow:
    return Flow("UDP", plain_host(address), address[1])
